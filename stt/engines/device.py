"""What this process computes on: the device, the cores, and the environment of heavy imports."""

import ctypes
import os
from pathlib import Path

import psutil

from stt.errors import ConfigurationError


def prepare_process(cpu_threads: int = 0) -> None:
    """Set what torch and the hub client read from the environment when they are imported.

    Called by the entry points before anything heavy is imported; what the user has set stays.

    Args:
        cpu_threads: Threads of one forward; 0 leaves the choice to the libraries.
    """
    values = {
        # oneDNN keeps a compiled kernel for every input length it has seen. Unbounded, 400 random
        # lengths cost a small model 630 MB; bounded, 12 MB.
        "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64",
        "LRU_CACHE_CAPACITY": "64",
        # A thread that has nothing to do sleeps at once. By default it spins for 200 ms and takes
        # the cores from decoding and from the event loop: beside one busy process a 3 s clip took
        # ten times as long.
        "OMP_WAIT_POLICY": "PASSIVE",
        "KMP_BLOCKTIME": "0",
        "TOKENIZERS_PARALLELISM": "false",
        "TRANSFORMERS_VERBOSITY": "error",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    if cpu_threads:
        values["OMP_NUM_THREADS"] = str(cpu_threads)
    for name, value in values.items():
        os.environ.setdefault(name, value)


def choose_device(wanted: str) -> str:
    """``auto`` is the first CUDA device where there is one, else the CPU.

    Raises:
        ConfigurationError: a CUDA device is asked for that is not there.
    """
    if wanted == "cpu" or (wanted == "auto" and not _has_cuda_driver()):
        return "cpu"
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "auto":
        return "cuda:0" if count else "cpu"
    index = int(wanted.partition(":")[2] or 0)
    if index >= count:
        found = f"{count} CUDA device(s)" if count else "no CUDA device"
        raise ConfigurationError(
            f"STT_DEVICE={wanted} but torch finds {found} here. Set STT_DEVICE=auto or cpu, or "
            "check the NVIDIA driver and, in a container, that it was given the GPU (--gpus all)."
        )
    return f"cuda:{index}"


def _has_cuda_driver() -> bool:
    """Whether asking torch is worth importing it, 550 MB of memory that OpenVINO does without."""
    try:
        ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return False
    return True


def available_cores() -> int:
    """Cores that this process may keep busy: physical ones, within its affinity and its quota."""
    counts = [psutil.cpu_count(logical=False) or 1]
    if hasattr(os, "sched_getaffinity"):
        counts.append(len(os.sched_getaffinity(0)))
    try:
        # A container's quota and period, "200000 100000" for two cores, "max" for none.
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        counts.append(max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass
    return min(counts)
