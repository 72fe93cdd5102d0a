"""The backends that compute an acoustic model; each is an `stt.engine.Engine`."""

from pathlib import Path

from stt.engine import Engine, available_cores, choose_device
from stt.engines.optimized import find_optimized
from stt.errors import ConfigurationError
from stt.languages import ModelSource
from stt.settings import Settings


def open_engine(source: ModelSource, folder: Path, settings: Settings) -> Engine:
    """Read a checkpoint into the backend that the settings ask for.

    ``auto`` is OpenVINO where `stt optimize` has made a model of this checkpoint and the device is
    a CPU, else torch.

    Args:
        source: The model as it is configured.
        folder: Its checkpoint, as `stt.models.find_model` returns it.
        settings: Backend, device, precision, threads.

    Raises:
        ModelBroken: naming what is missing or wrong, and what to do.
        ConfigurationError: the settings cannot work together, or not here.
    """
    device = choose_device(settings.device)
    cpu_threads = settings.cpu_threads or available_cores()
    if settings.backend != "torch" and device == "cpu":
        place = find_optimized(source, folder, settings.cache_dir, settings.precision)
        if place is not None:
            from stt.engines.openvino import load_openvino_engine

            return load_openvino_engine(
                place.folder,
                precision=place.precision,
                cpu_threads=cpu_threads,
                calibration=source.calibration,
            )
    if settings.backend == "openvino":
        raise ConfigurationError(
            f"STT_BACKEND=openvino, but {source.id} has not been optimised for it"
            + (f" in {settings.precision}" if settings.precision != "auto" else "")
            + (". " if device == "cpu" else f", and the device is {device}. ")
            + "Run `stt optimize`, or set STT_BACKEND=auto."
        )
    from stt.engines.torch import load_torch_engine

    return load_torch_engine(
        folder,
        device=device,
        precision=settings.precision,
        calibration=source.calibration,
        cpu_threads=cpu_threads,
    )
