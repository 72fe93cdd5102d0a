"""Where a checkpoint's files come from: a folder, the hub client's cache, or the hub.

Whatever the source, the end is a folder in transformers' layout for `stt.engines.load_engine`.

The cache comes first: a model that is there whole is used without asking the hub, so that a
restart neither waits for the hub nor changes the model under a running installation. To take a
newer version, name a revision in ``STT_MODELS`` or delete the model from the cache.
"""

import errno
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from stt.errors import ModelBroken, ModelUnreachable
from stt.languages import ModelSource

logger = logging.getLogger(__name__)

ReportProgress = Callable[[int, int], None]
"""Called with (bytes there, bytes in all), from the thread that downloads."""

DESCRIPTION_FILES = (
    "config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "vocab.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)
# Safetensors first: it is only data. A .bin is a pickle, and its loader allows nothing but tensors.
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
NEEDED_FILES = (
    ("config.json",),
    ("vocab.json",),
    ("preprocessor_config.json", "processor_config.json"),
)


def find_model(
    source: ModelSource,
    *,
    cache_dir: Path | None = None,
    endpoint: str | None = None,
    report: ReportProgress = lambda done, total: None,
) -> Path:
    """Return the folder of a checkpoint, downloading what is missing.

    Blocks for as long as that takes. A download that is cut is resumed by the hub client.

    Args:
        source: What to find.
        cache_dir: The hub cache; None is the hub client's own.
        endpoint: The hub's address; None is ``HF_ENDPOINT`` or the public hub.
        report: Hears how far the download is.

    Raises:
        ModelBroken: it is not there, or not whole, and will not be by trying again.
        ModelUnreachable: the hub did not answer as it should; trying again may help.
    """
    try:
        return find_locally(source, cache_dir) or _download(source, cache_dir, endpoint, report)
    except ModelBroken:
        raise
    except Exception as error:
        raise _translate(error, source) from error


def find_locally(source: ModelSource, cache_dir: Path | None = None) -> Path | None:
    """The folder of a checkpoint that is on this machine already; None: it has to be downloaded.

    Raises:
        ModelBroken: the model is a folder, and that is missing or not whole.
    """
    if source.folder is not None:
        _check_whole(source.folder, f"The folder of model {source.id!r}")
        return source.folder
    return _find_in_cache(source, cache_dir)


def _missing(names: Iterable[str]) -> str | None:
    """What is missing among the file names of a checkpoint, in words; None if it is whole."""
    there = set(names)
    for alternatives in NEEDED_FILES:
        if not there.intersection(alternatives):
            return alternatives[0]
    if not _weights_among(there):
        return " or ".join(WEIGHT_FILES)
    return None


def _weights_among(names: set[str]) -> list[str]:
    """The weight files to take, in the preferred format: one file, or an index and its shards."""
    for name in WEIGHT_FILES:
        if name in names:
            return [name]
        stem, suffix = name.rsplit(".", 1)
        if f"{name}.index.json" in names:
            shards = [
                each for each in names if each.startswith(f"{stem}-") and each.endswith(suffix)
            ]
            return [f"{name}.index.json", *sorted(shards)]
    return []


def _check_whole(folder: Path, what: str) -> None:
    if not folder.is_dir():
        raise ModelBroken(f"{what} does not exist. Check the path in STT_MODELS.")
    missing = _missing(entry.name for entry in folder.iterdir())
    if missing:
        raise ModelBroken(
            f"{what} has no {missing}. Expected a checkpoint in transformers' layout, as "
            "save_pretrained writes it for the model and its processor."
        )


def _find_in_cache(source: ModelSource, cache_dir: Path | None) -> Path | None:
    """The cached snapshot, if all of it is there. Weights are fetched last, so they tell."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(
        source.id, "config.json", cache_dir=cache_dir, revision=source.revision
    )
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    return None if _missing(entry.name for entry in folder.iterdir()) else folder


def _download(
    source: ModelSource, cache_dir: Path | None, endpoint: str | None, report: ReportProgress
) -> Path:
    from huggingface_hub import HfApi, hf_hub_download

    done = total = in_file = 0

    def on_bytes(count: int) -> None:
        nonlocal in_file
        in_file += count
        report(min(done + in_file, total), total)

    info = HfApi(endpoint=endpoint).model_info(
        source.id, revision=source.revision, files_metadata=True, timeout=10
    )
    sizes = {entry.rfilename: entry.size or 0 for entry in info.siblings or []}
    missing = _missing(sizes)
    if missing:
        raise ModelBroken(
            f"Model {source.id!r} has no {missing} on the hub. Choose a CTC checkpoint of the "
            "Wav2Vec2 family with STT_MODELS."
        )
    wanted = [name for name in DESCRIPTION_FILES if name in sizes]
    wanted += _weights_among(set(sizes))
    total = sum(sizes[name] for name in wanted)
    logger.info("fetching model", extra={"model": source.id, "megabytes": round(total / 1e6, 1)})
    folder = Path()
    for name in wanted:
        in_file = 0
        file = hf_hub_download(
            source.id,
            name,
            revision=source.revision,
            cache_dir=cache_dir,
            endpoint=endpoint,
            tqdm_class=_progress_bar(on_bytes),
        )
        folder = Path(file).parent
        done += sizes[name]
        report(done, total)
    _check_whole(folder, f"The download of model {source.id!r}")
    return folder


def _translate(error: Exception, source: ModelSource) -> ModelBroken | ModelUnreachable:
    """Tell what trying again may mend from what it cannot."""
    from huggingface_hub import errors

    name = f"Model {source.id!r}"
    if isinstance(error, errors.GatedRepoError):
        return ModelBroken(f"{name} is gated: accept its terms on the hub and set HF_TOKEN.")
    if isinstance(error, errors.RepositoryNotFoundError):
        return ModelBroken(
            f"{name} does not exist on the hub, or is private. Check STT_MODELS; for a private "
            "model set HF_TOKEN."
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return ModelBroken(f"{name} has no revision {source.revision!r}. Check STT_MODELS.")
    if isinstance(error, errors.OfflineModeIsEnabled):
        return ModelBroken(
            f"{name} is not in the cache and HF_HUB_OFFLINE forbids fetching it. Unset that, or "
            "fill the cache first."
        )
    if isinstance(error, errors.HFValidationError):
        return ModelBroken(f"{name} is no valid hub id. Expected owner/name; see STT_MODELS.")
    if isinstance(error, OSError) and error.errno in (
        errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS,
        errno.ENOTDIR,
    ):  # fmt: skip
        return ModelBroken(
            f"{name} cannot be stored ({errno.errorcode[error.errno]}): the cache must be "
            "writable and have room. Set STT_CACHE_DIR, or mount a volume there."
        )
    return ModelUnreachable(
        f"{name} cannot be fetched: the hub does not answer as it should "
        f"({type(error).__name__}). It is tried again; check the network, a proxy, HF_ENDPOINT."
    )


def _progress_bar(on_bytes: Callable[[int], None]) -> type[Any]:
    """The part of tqdm's interface that the hub client's downloader uses, without the bar."""

    class Bar:
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def update(self, n: float | None = 1) -> None:
            on_bytes(int(n or 0))

        def close(self) -> None:
            pass

        def __enter__(self) -> "Bar":
            return self

        def __exit__(self, *_: object) -> None:
            self.close()

    return Bar
