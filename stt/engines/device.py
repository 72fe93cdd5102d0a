"""Chooses the device and cores, and prepares the environment of heavy imports."""

import logging
import os
import sys
from pathlib import Path

import psutil

from stt.engines.gpus import Gpus, TorchGpus
from stt.errors import ConfigurationError

logger = logging.getLogger(__name__)

MIN_FREE_BYTES = 2e9
"""Of a GPU's memory for `auto`: XLSR-large's weights take 0.6 GB in bf16, and its passes, the
libraries and fragmentation as much again."""


def prepare_process(cpu_threads: int = 0) -> None:
    """Set what torch, OpenVINO and the hub client look for when they are imported.

    Entry points call this before heavy imports. Variables the user has set stay.

    Args:
        cpu_threads: Threads of one forward; 0 keeps the libraries' default.
    """
    values = {
        # oneDNN caches its kernels, 1,024 by default; with 400 random lengths a small model in
        # fp32 took 630 MB. One forward in bf16 needs up to a hundred.
        "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "256",
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
    switch_off_telemetry()


def switch_off_telemetry() -> None:
    """Keep OpenVINO and NNCF from reporting imports and conversions to Google Analytics.

    They do, and store an id in the home folder, unless a package of theirs is missing. A module
    that is None counts as missing.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]


_WITHOUT_BF16 = frozenset({"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX512_CORE", "AVX512_CORE_VNNI"})
"""oneDNN's names of the instruction sets without bf16."""


def may_use_bf16() -> bool:
    """Whether the user lets oneDNN use bf16, if the processor has it.

    torch and OpenVINO ask the processor only. If ``ONEDNN_MAX_CPU_ISA`` rules bf16 out, torch's
    bf16 takes up to ten times as long as its fp32, and OpenVINO 2026.4 fails to compile or crashes.
    """
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA") or ""
    return limit.upper() not in _WITHOUT_BF16


def choose_device(wanted: str, gpus: Gpus | None = None) -> str:
    """Resolve ``auto`` to the first GPU that works and has memory left, or else to the CPU.

    Args:
        wanted: The setting.
        gpus: The GPUs of this machine; None: those that torch finds.

    Raises:
        ConfigurationError: the wanted CUDA device does not exist or does not work.
    """
    if wanted == "cpu":
        return "cpu"
    gpus = gpus or TorchGpus()
    if wanted == "auto":
        return _choose_automatically(gpus)
    count, index = gpus.count(), int(wanted.partition(":")[2] or 0)
    if index >= count:
        found = f"{count} CUDA device(s)" if count else "no CUDA device"
        why = "" if count else f" ({gpus.why_none() or 'no NVIDIA driver'})"
        raise ConfigurationError(
            f"STT_DEVICE={wanted} but torch finds {found}{why}. Set STT_DEVICE=auto or cpu, or "
            "check the NVIDIA driver and, in a container, its access to the GPU (--gpus all)."
        )
    if fault := _fault(index, gpus):
        raise ConfigurationError(
            f"STT_DEVICE={wanted} cannot be used: {fault}. Set STT_DEVICE=auto or cpu, or install "
            "a build of torch for this GPU and driver."
        )
    return f"cuda:{index}"


def _choose_automatically(gpus: Gpus) -> str:
    count = gpus.count()
    doubts = []
    for index in range(count):
        doubt = _fault(index, gpus) or _shortage(index, gpus)
        if doubt is None:
            return f"cuda:{index}"
        doubts.append(f"cuda:{index}: {doubt}")
    reason = "; ".join(doubts) or gpus.why_none()
    if reason:
        logger.warning("no GPU can be used, so the CPU computes: %s", reason)
    return "cpu"


def _fault(index: int, gpus: Gpus) -> str | None:
    """Why a GPU does not work, or None."""
    try:
        gpu = gpus.look(index)
    except RuntimeError as error:
        return f"the driver does not answer ({first_line(error)})"
    try:
        gpus.try_out(index)
    except RuntimeError as error:
        major, minor = gpu.capability
        return f"{gpu.name}, compute capability {major}.{minor}, failed ({first_line(error)})"
    return None


def _shortage(index: int, gpus: Gpus) -> str | None:
    """Why a GPU has too little memory left, or None."""
    gpu = gpus.look(index)
    if gpu.free_bytes >= MIN_FREE_BYTES:
        return None
    return (
        f"{gpu.name} has {gpu.free_bytes / 1e9:.1f} GB of {gpu.total_bytes / 1e9:.1f} GB left, and "
        f"a model may need {MIN_FREE_BYTES / 1e9:g} GB"
    )


def first_line(error: BaseException) -> str:
    """What an error says, without the lines of advice that torch adds."""
    return str(error).partition("\n")[0]


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
