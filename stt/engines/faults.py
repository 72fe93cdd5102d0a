"""What an error of an engine means: too little memory, or a device that is lost."""

import sys
import traceback


class DeviceLost(Exception):
    """The device is unusable for the rest of this process."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether less audio at a time may succeed.

    torch has an exception class for CUDA's allocator only; for its CPU allocator, cuBLAS, cuDNN,
    CUDA itself and OpenVINO the message tells.
    """
    if isinstance(error, MemoryError):
        return True
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(error, torch.OutOfMemoryError):
        return True
    message = str(error).lower()
    return isinstance(error, RuntimeError) and any(
        sign in message
        for sign in ("out of memory", "can't allocate memory", "bad_alloc", "alloc_failed")
    )


def release(error: BaseException) -> None:
    """Drop what the frames of an error hold: a failed forward's tensors would stay in memory."""
    link: BaseException | None = error
    while link is not None:
        traceback.clear_frames(link.__traceback__)
        link = link.__cause__ or link.__context__
