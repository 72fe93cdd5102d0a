"""What errors of devices mean, on fake devices that fail as GPUs do."""

from collections.abc import Callable

import pytest
import torch

from stt.engines.accelerator import Accelerator, Host, check_alive
from stt.engines.faults import DeviceLost, is_out_of_memory
from stt.engines.fitting import RETRY_SECONDS, Fitting


def torch_out_of_memory() -> Exception:
    return torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (torch_out_of_memory(), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allo..."), True),
        (RuntimeError("Exception from src/core: std::bad_alloc"), True),
        (RuntimeError("shape mismatch"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_out_of_memory_errors_are_recognised(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected


def test_the_out_of_memory_error_of_torch_on_the_cpu_is_recognised() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


class Synchronizes(Host):
    """A device that fails, or not, when it is waited for."""

    def __init__(self, how: Callable[[], None]) -> None:
        self.synchronize = how  # type: ignore[method-assign]


def works() -> None: ...


def fails() -> None:
    raise torch.AcceleratorError("CUDA error: no words that anybody knows")


WORDS = ("CUDA error: device-side assert triggered\nFor debugging, pass CUDA_LAUNCH_BLOCKING=1",
         "CUDA error: a message of next year's driver")  # fmt: skip


@pytest.mark.parametrize("words", WORDS)
def test_a_device_is_lost_if_it_fails_again_whatever_the_message(words: str) -> None:
    error = torch.AcceleratorError(words)
    with pytest.raises(DeviceLost) as caught:
        check_alive(Synchronizes(fails), error)
    assert str(caught.value) == words.partition("\n")[0]
    assert caught.value.__cause__ is error
    check_alive(Synchronizes(works), error)


@pytest.mark.parametrize("device", [Synchronizes(fails), Host()], ids=["fails", "host"])
def test_running_out_of_memory_costs_no_device(device: Accelerator) -> None:
    check_alive(device, torch.OutOfMemoryError("CUDA out of memory."))


def test_a_limit_is_halved_by_failures_and_doubles_while_there_are_none() -> None:
    now = [0.0]
    fitting = Fitting(160, lambda: now[0])
    assert fitting.most == 160
    fitting.failed(160)
    assert fitting.most == 80
    fitting.failed(40)
    assert fitting.most == 20
    fitting.failed(160)  # launched before the others failed
    assert fitting.most == 20
    now[0] += RETRY_SECONDS - 1
    assert fitting.most == 20
    now[0] += 1
    assert fitting.most == 40
    fitting.failed(40)
    assert fitting.most == 20
    now[0] += 100 * RETRY_SECONDS
    assert fitting.most == 160
