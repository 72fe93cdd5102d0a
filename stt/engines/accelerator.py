"""What the engines ask of a GPU beside computing: whether it still works, and its memory back."""

from collections.abc import Callable
from typing import Protocol

from stt.engines.faults import DeviceLost, is_out_of_memory


class Accelerator(Protocol):
    """One device; tests have one that fails as a GPU does."""

    def synchronize(self) -> None:
        """Wait until everything that was launched has ended.

        Raises:
            RuntimeError: something has failed; after some failures, every later call does.
        """
        ...

    def free_memory(self) -> None:
        """Return the allocator's cached memory to the device."""
        ...

    def measure_memory(self) -> Callable[[], int]:
        """Begin to measure; the function returns the most bytes that were reserved since."""
        ...


class Cuda:
    """A CUDA device."""

    def __init__(self, device: str) -> None:
        """``device``: ``cuda:N``."""
        self._device = device

    def synchronize(self) -> None:
        """See `Accelerator`."""
        import torch

        torch.cuda.synchronize(self._device)

    def free_memory(self) -> None:
        """See `Accelerator`."""
        import torch

        torch.cuda.empty_cache()

    def measure_memory(self) -> Callable[[], int]:
        """See `Accelerator`."""
        import torch

        torch.cuda.reset_peak_memory_stats(self._device)
        return lambda: torch.cuda.max_memory_reserved(self._device)


class Host:
    """The processor, which fails only together with this process."""

    def synchronize(self) -> None:
        """See `Accelerator`."""

    def free_memory(self) -> None:
        """See `Accelerator`."""

    def measure_memory(self) -> Callable[[], int]:
        """See `Accelerator`."""
        return lambda: 0


def accelerator_of(device: str) -> Accelerator:
    """The device with a name as in `stt.engines.base.Engine.device`."""
    return Host() if device == "cpu" else Cuda(device)


def check_alive(accelerator: Accelerator, error: RuntimeError) -> None:
    """Find out whether an error has cost the device, by using it once more.

    After CUDA's errors that "leave the process in an inconsistent state" every later call fails
    (https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html). Their messages differ
    between versions and drivers; that the next call fails does not.

    Raises:
        DeviceLost: every later forward would fail, too.
    """
    if is_out_of_memory(error):
        return
    try:
        accelerator.synchronize()
    except RuntimeError:
        raise DeviceLost(str(error).partition("\n")[0]) from error
