"""``stt doctor``: check which engines are correct and fast on this machine."""

import argparse
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from stt import __version__
from stt.commands.arguments import add_languages, add_settings, begin
from stt.commands.gpu_report import (
    driver_version,
    report,
)
from stt.engines.accelerator import accelerator_of
from stt.engines.agreement import Agreement, Reference
from stt.engines.device import available_cores, choose_device, forward_threads
from stt.engines.gpus import TorchGpus
from stt.engines.openvino_cache import PRECISIONS, place_of
from stt.errors import ModelBroken, ModelUnreachable
from stt.languages import BUNDLED_FOLDER, Language, choose_languages
from stt.models.source import find_locally
from stt.settings import Settings

FEATURES = ("avx2", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_int8", "amx_bf16")
"""CPU features, in torch's names, that select the engines' kernels."""
PACKAGES = ("torch", "transformers", "openvino", "nncf", "av", "soundfile", "ray")
VARIABLES = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES")
"""Environment variables that select the engines' kernels."""


@dataclass(frozen=True)
class Check:
    """One engine on this machine."""

    engine: str
    agreement: Agreement | None
    remark: str = ""

    @property
    def is_wrong(self) -> bool:
        """Whether it disagrees with fp32."""
        return self.agreement is not None and not self.agreement.holds


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of this command's flags."""
    parser = argparse.ArgumentParser(
        prog="stt doctor",
        allow_abbrev=False,
        description="Print this machine's processor, the features that engines use, and for each "
        "engine whether it agrees with fp32 and how fast it is. On a GPU, measures speed, memory "
        "and texts, as a row for docs/benchmarks.md. Downloads nothing. Exit status: "
        "0 every engine agrees, 1 some engine does not, 2 wrong usage or settings.",
    )
    add_languages(parser)
    add_settings(parser)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status.

    Raises:
        ConfigurationError: a setting is invalid, or a language unknown.
    """
    _options, settings = begin(make_parser(), arguments)
    languages = choose_languages(
        settings.languages, settings.models, demo=settings.demo, conventions=settings.conventions
    )
    for name, value in machine():
        sys.stdout.write(f"{name:<12}{value}\n")
    device = choose_device(settings.device)
    checks = list(_check_torch(settings, device))
    for language in languages:
        checks += _check_optimized(language, settings)
    width = max(len(check.engine) for check in checks)
    sys.stdout.write(f"\n{'engine':<{width}}  like fp32  largest shift    RTFx\n")
    for check in checks:
        sys.stdout.write(render(check, width) + "\n")
    if device != "cpu":
        sys.stdout.write("\n" + "\n".join(_measure_gpu(languages.default, settings, device)) + "\n")
    return 1 if any(check.is_wrong for check in checks) else 0


def machine() -> Iterator[tuple[str, str]]:
    """Describe the machine, for problem reports, as names and values."""
    import torch

    capabilities = torch.cpu.get_capabilities()
    yield "stt-ctc", f"{__version__}, Python {platform.python_version()}, {platform.platform()}"
    memory_gb = psutil.virtual_memory().total / 1e9
    yield "processor", f"{_processor()}, {available_cores()} cores available, {memory_gb:.0f} GB"
    yield "has", " ".join(name for name in FEATURES if capabilities.get(name)) or "none of these"
    yield "has not", " ".join(name for name in FEATURES if not capabilities.get(name)) or "-"
    gpus = TorchGpus()
    for index in range(gpus.count()):
        gpu = gpus.look(index)
        yield (
            f"cuda:{index}",
            (
                f"{gpu.name}, compute capability {'.'.join(map(str, gpu.capability))}, "
                f"{gpu.free_bytes / 1e9:.1f} of {gpu.total_bytes / 1e9:.1f} GB free, "
                f"driver {driver_version()}, CUDA {torch.version.cuda}"
            ),
        )
    if not gpus.count():
        yield "GPU", gpus.why_none() or "none: no NVIDIA driver"
    yield "packages", ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    variables = [f"{name}={os.environ[name]}" for name in VARIABLES if name in os.environ]
    if variables:
        yield "set", " ".join(variables)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "-"


def _check_torch(settings: Settings, device: str) -> Iterator[Check]:
    """Compare torch on the device with fp32 on the CPU, on the bundled Korean model."""
    from stt.engines.precision import choose_precision
    from stt.engines.self_check import compare_precision

    cpu_threads = forward_threads(settings.cpu_threads)
    for precision in dict.fromkeys(("fp32", choose_precision("auto", device))):
        agreement = compare_precision(device, precision, cpu_threads)
        yield Check(f"torch {precision} on {device} (ko-mini)", agreement)


def _measure_gpu(language: Language, settings: Settings, device: str) -> Iterator[str]:
    """A row for docs/benchmarks.md, of a downloaded model or else of a bundled one."""
    from stt.engines.precision import choose_precision
    from stt.engines.torch import TorchEngine, load_torch_engine

    def load(folder: Path, where: str) -> TorchEngine:
        precision = "fp32" if where == "cpu" else choose_precision(settings.precision, where)
        return load_torch_engine(folder, device=where, precision=precision)

    model = language.model
    try:
        folder = find_locally(model, settings.cache_dir)
    except (ModelBroken, ModelUnreachable):
        folder = None
    name, folder = (model.name, folder) if folder else ("ko-mini", BUNDLED_FOLDER / "ko-mini")
    return report(name, folder, load, device, accelerator_of(device), TorchGpus())


def _check_optimized(language: Language, settings: Settings) -> Iterator[Check]:
    """Compare a language's converted models with the reference that `stt optimize` stored."""
    model = language.model
    try:
        folder = find_locally(model, settings.cache_dir)
    except (ModelBroken, ModelUnreachable) as error:
        yield Check(f"{language.code} {model.name}", None, error.message)
        return
    if folder is None:
        yield Check(f"{language.code} {model.name}", None, "not downloaded: run `stt download`")
        return
    places = [place_of(model, folder, each, settings.cache_dir) for each in PRECISIONS]
    if not any(place.model.is_file() for place in places):
        yield Check(f"{language.code} {model.name}", None, "not optimised here: run `stt optimize`")
    for place in places:
        if place.model.is_file():
            name = f"{language.code} openvino {place.precision} ({model.name})"
            yield Check(name, *_check_place(place.folder, place.precision, settings))


def _check_place(folder: Path, precision: str, settings: Settings) -> tuple[Agreement | None, str]:
    from stt.engines.openvino import load_openvino_engine

    try:
        engine = load_openvino_engine(
            folder, precision=precision, cpu_threads=forward_threads(settings.cpu_threads)
        )
        return Reference.load(folder).compare(engine), ""
    except ModelBroken as error:
        return None, error.message


def render(check: Check, width: int) -> str:
    """Format one row of the table."""
    name = f"{check.engine:<{width}}"
    if check.agreement is None:
        return f"{name}  {check.remark}"
    agreement = check.agreement
    verdict = "right" if agreement.holds else f"WRONG at {agreement.shift_frames} frames"
    return (
        f"{name}  {agreement.equal:>8.2%}  {agreement.shift:>13.4f}  "
        f"{agreement.audio_seconds / agreement.seconds:>6.0f}  {verdict}"
    )
