"""Chooses and opens the engine for a checkpoint."""

import logging
from dataclasses import dataclass
from pathlib import Path

from stt.engines.accelerator import accelerator_of
from stt.engines.agreement import MAX_CHECK_SECONDS, Reference
from stt.engines.base import Engine
from stt.engines.device import choose_device, first_line, forward_threads
from stt.engines.families.base import Layers
from stt.engines.faults import release
from stt.engines.gpus import Gpus
from stt.engines.openvino_cache import Place, find_optimized
from stt.errors import ConfigurationError, ModelBroken
from stt.languages import ModelSource
from stt.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class OpenedEngine:
    """An engine that is ready to compute."""

    engine: Engine
    warning: str | None = None
    """Why it is slower than the requested engine, and what to do."""


def open_engine(
    source: ModelSource,
    folder: Path,
    settings: Settings,
    layers: Layers | None = None,
    gpus: Gpus | None = None,
) -> OpenedEngine:
    """Load a checkpoint into the backend that the settings choose.

    ``auto`` means OpenVINO on a CPU if `stt optimize` has converted the checkpoint, else torch. A
    backend that disagrees with fp32 on this processor is never used, even if the settings name it:
    correct text comes before fast text.

    Args:
        source: The configured model.
        folder: Its checkpoint, as `stt.models.source.find_model` returns it.
        settings: Backend, device, precision, threads.
        layers: Layers of loaded checkpoints, to share and to add to.
        gpus: The GPUs of this machine; None: those that torch finds.

    Raises:
        ModelBroken: naming what is missing or wrong, and what to do.
        ConfigurationError: the settings contradict each other or this machine.
    """
    device = choose_device(settings.device, gpus)
    warning = None
    if settings.backend != "torch" and device == "cpu":
        place = find_optimized(source, folder, settings.cache_dir, settings.precision)
        if place is not None:
            try:
                return OpenedEngine(_open_optimized(place, source, settings))
            except ModelBroken as error:
                if settings.backend == "openvino":
                    raise
                warning = error.message
            except Disagreement as disagreement:
                warning = str(disagreement)
            logger.error("%s", warning, extra={"model": source.name})
    if settings.backend == "openvino" and warning is None:
        raise ConfigurationError(
            f"STT_BACKEND=openvino, but {source.name} has not been optimised for it"
            + (f" in {settings.precision}" if settings.precision != "auto" else "")
            + (". " if device == "cpu" else f", and the device is {device}. ")
            + "Run `stt optimize`, or set STT_BACKEND=auto."
        )
    try:
        return _open_torch(source, folder, settings, device, warning, layers)
    except RuntimeError as error:
        if settings.device != "auto" or device == "cpu":
            raise
        reason = first_line(error)
        release(error)
    accelerator_of(device).free_memory()
    return _open_on_cpu(source, folder, settings, layers, f"{device} cannot take it ({reason})")


def _open_on_cpu(
    source: ModelSource, folder: Path, settings: Settings, layers: Layers | None, reason: str
) -> OpenedEngine:
    """After `auto` has chosen a GPU that then failed."""
    warning = (
        f"{source.name} is computed on the CPU, more slowly, since {reason}. Free memory on the "
        "GPU, or set STT_DEVICE."
    )
    logger.error("%s", warning, extra={"model": source.name})
    precision = "auto" if settings.precision == "fp16" else settings.precision
    on_cpu = settings.model_copy(update={"device": "cpu", "precision": precision})
    return OpenedEngine(open_engine(source, folder, on_cpu, layers).engine, warning)


class Disagreement(Exception):
    """An engine disagrees with fp32 on this processor."""


def _open_optimized(place: Place, source: ModelSource, settings: Settings) -> Engine:
    """
    Raises:
        Disagreement: it disagrees with fp32 on this processor.
        ModelBroken: a file cannot be read.
        ConfigurationError: openvino is not installed.
    """
    from stt.engines.openvino import load_openvino_engine

    engine = load_openvino_engine(
        place.folder,
        precision=place.precision,
        cpu_threads=forward_threads(settings.cpu_threads),
        calibration=source.calibration,
    )
    agreement = Reference.load(place.folder).compare(engine, max_seconds=MAX_CHECK_SECONDS)
    if not agreement.holds:
        raise Disagreement(
            f"OpenVINO's {place.precision} model of {source.name} disagrees with fp32 on this "
            f"processor ({agreement}), so torch serves it instead, more slowly. Run "
            "`stt optimize` on this machine, or set STT_BACKEND=torch."
        )
    logger.info("OpenVINO's %s model agrees with fp32 here: %s", place.precision, agreement)
    return engine


def _open_torch(
    source: ModelSource,
    folder: Path,
    settings: Settings,
    device: str,
    warning: str | None,
    layers: Layers | None,
) -> OpenedEngine:
    from stt.engines.precision import choose_precision
    from stt.engines.self_check import compare_precision, doubt_of
    from stt.engines.torch import load_torch_engine

    cpu_threads = forward_threads(settings.cpu_threads)
    # int8 was meant for OpenVINO; torch has none.
    wanted = "auto" if warning and settings.precision == "int8" else settings.precision
    precision = choose_precision(wanted, device)
    if precision != "fp32":
        doubt = doubt_of(precision, compare_precision(device, precision, cpu_threads))
        if doubt is not None:
            logger.error("%s", doubt, extra={"model": source.name})
            precision, warning = "fp32", doubt
    engine = load_torch_engine(
        folder,
        device=device,
        precision=precision,
        calibration=source.calibration,
        cpu_threads=cpu_threads,
        graph_seconds=settings.window_seconds if settings.cuda_graphs else None,
        language=source.adapter,
        layers=layers,
    )
    return OpenedEngine(engine, warning)
