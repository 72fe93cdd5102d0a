"""Chooses the device and cores, and prepares the environment of heavy imports."""

import ctypes
import os
from pathlib import Path

import psutil

from stt.errors import ConfigurationError


def prepare_process(cpu_threads: int = 0) -> None:
    """Set the environment variables that torch and the hub client read when imported.

    Entry points call this before heavy imports. Variables the user has set stay.

    Args:
        cpu_threads: Threads of one forward; 0 keeps the libraries' default.
    """
    values = {
        # oneDNN caches a compiled kernel for every input length. With 400 random lengths a small
        # model took 630 MB unbounded, and 12 MB with this bound.
        "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64",
        "LRU_CACHE_CAPACITY": "64",
        # Idle threads sleep at once. By default they spin for 200 ms and take cores from decoding
        # and the event loop: next to one busy process a 3 s clip took ten times as long.
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
    """Resolve ``auto`` to the first CUDA device, or else the CPU.

    Raises:
        ConfigurationError: the wanted CUDA device does not exist.
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
            f"STT_DEVICE={wanted} but torch finds {found}. Set STT_DEVICE=auto or cpu, or check "
            "the NVIDIA driver and, in a container, its access to the GPU (--gpus all)."
        )
    return f"cuda:{index}"


def _has_cuda_driver() -> bool:
    """Whether torch may find a GPU. Importing it takes 550 MB that OpenVINO does not need."""
    try:
        ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return False
    return True


def available_cores() -> int:
    """Physical cores that this process may use, within its affinity and CPU quota."""
    counts = [psutil.cpu_count(logical=False) or 1]
    if hasattr(os, "sched_getaffinity"):
        counts.append(len(os.sched_getaffinity(0)))
    try:
        # A container's quota and period: "200000 100000" is two cores, "max" is no quota.
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        counts.append(max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass
    return min(counts)


def forward_threads(cpu_threads: int) -> int:
    """Threads of one forward on a CPU: the setting, or one per available core if it is 0."""
    return cpu_threads or available_cores()
