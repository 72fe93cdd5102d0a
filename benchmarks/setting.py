"""The machine, commit and command of a figure, printed above it."""

import platform
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from stt.commands import checkout

ROOT = Path(__file__).parents[1]


def processor() -> str:
    """The name of the processor and its instruction sets that affect speed."""
    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.exists() else ""
    name = next((line.split(":")[1] for line in text.splitlines() if "model name" in line), "")
    flags = [flag for flag in ("avx512_bf16", "avx512_vnni", "amx_bf16") if flag in text]
    return " ".join([name.strip() or platform.processor(), *flags])


def commit() -> str:
    """The checked-out commit, with a + if the working tree differs."""
    return checkout.commit("stt", "benchmarks")


def libraries() -> str:
    """Versions of the installed libraries that run models."""
    found = []
    for name in ("torch", "transformers", "openvino"):
        with suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    return ", ".join(found)


def describe() -> str:
    """The machine, commit and command, as a paragraph to print above a table."""
    memory = psutil.virtual_memory().total / 2**30
    command = " ".join([f"python -m benchmarks.{Path(sys.argv[0]).stem}", *sys.argv[1:]])
    return (
        f"Machine: {processor()}, {psutil.cpu_count(logical=False)} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}, {libraries()}. "
        f"Commit: {commit()}. "
        f"Command: `uv run --group bench {command}`."
    )
