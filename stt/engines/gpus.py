"""The GPUs of this machine, as torch finds them."""

import ctypes
import os
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Gpu:
    """One GPU at one moment."""

    name: str
    capability: tuple[int, int]
    """CUDA's compute capability."""
    free_bytes: int
    """What this process could still take."""
    total_bytes: int


class Gpus(Protocol):
    """What is asked of them; tests have others."""

    def count(self) -> int:
        """How many there are."""
        ...

    def why_none(self) -> str | None:
        """Why there are none although the machine has a driver; None if it has no driver."""
        ...

    def look(self, index: int) -> Gpu:
        """
        Raises:
            RuntimeError: the driver cannot tell.
        """
        ...

    def try_out(self, index: int) -> None:
        """Compute something.

        Raises:
            RuntimeError: it does not work, or torch has no code for it.
        """
        ...


class TorchGpus:
    """See `Gpus`."""

    def count(self) -> int:
        """See `Gpus`."""
        if not has_driver():
            return 0
        import torch

        return torch.cuda.device_count() if torch.cuda.is_available() else 0

    def why_none(self) -> str | None:
        """See `Gpus`."""
        if not has_driver():
            return None
        import torch

        if torch.version.cuda is None and torch.version.hip is None:
            return f"torch {torch.__version__} is built without CUDA"
        return f"torch finds no GPU that works with its CUDA {torch.version.cuda}"

    def look(self, index: int) -> Gpu:
        """See `Gpus`."""
        import torch

        found = torch.cuda.get_device_properties(index)
        free, total = torch.cuda.mem_get_info(index)
        cached = torch.cuda.memory_reserved(index) - torch.cuda.memory_allocated(index)
        return Gpu(found.name, (found.major, found.minor), free + cached, total)

    def try_out(self, index: int) -> None:
        """See `Gpus`."""
        import torch

        on_device = torch.ones(64, 64, device=f"cuda:{index}")
        if float((on_device @ on_device).sum()) != 64.0**3:
            raise RuntimeError("a product of matrices is wrong")


def has_driver() -> bool:
    """Whether torch may find a GPU. Importing it takes 550 MB that OpenVINO does not need."""
    try:
        ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return False
    return True
