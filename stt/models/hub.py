"""Downloads from the hub: progress, and translation of the hub client's errors."""

import errno
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stt.errors import ModelBroken, ModelUnreachable
from stt.languages import ModelSource
from stt.models.files import (
    CONFIG,
    DESCRIPTION_FILES,
    adapter_among,
    check_complete,
    check_kind,
    language_model_among,
    missing_file,
    weights_among,
)

logger = logging.getLogger(__name__)

ReportProgress = Callable[[int, int], None]
"""Called with (bytes done, bytes in total), from the downloading thread."""


def download(
    source: ModelSource, cache_dir: Path | None, endpoint: str | None, report: ReportProgress
) -> Path:
    """Download a checkpoint into the cache and return its folder."""
    from huggingface_hub import HfApi, hf_hub_download

    done = total = in_file = 0

    def on_bytes(count: int) -> None:
        nonlocal in_file
        in_file += count
        report(min(done + in_file, total), total)

    def fetch(name: str) -> Path:
        return Path(
            hf_hub_download(
                source.id,
                name,
                revision=source.revision,
                cache_dir=cache_dir,
                endpoint=endpoint,
                tqdm_class=_progress_bar(on_bytes),
            )
        )

    info = HfApi(endpoint=endpoint).model_info(
        source.id, revision=source.revision, files_metadata=True, timeout=10
    )
    sizes = {entry.rfilename: entry.size or 0 for entry in info.siblings or []}
    if CONFIG in sizes:
        check_kind(fetch(CONFIG))  # before gigabytes of another kind of model
        in_file = 0
    missing = missing_file(sizes, source.adapter)
    if missing:
        raise ModelBroken(
            f"Model {source.name!r} has no {missing} on the hub. Choose a CTC checkpoint in "
            "transformers' layout with STT_MODELS; docs/models.md lists some."
        )
    wanted = [name for name in DESCRIPTION_FILES if name in sizes]
    if source.adapter is not None:
        wanted += adapter_among(set(sizes), source.adapter)
    wanted += language_model_among(set(sizes))
    wanted += weights_among(set(sizes))
    total = sum(sizes[name] for name in wanted)
    logger.info(
        "downloading model", extra={"model": source.name, "megabytes": round(total / 1e6, 1)}
    )
    folder = Path()
    for name in wanted:
        in_file = 0
        folder = fetch(name).parent
        done += sizes[name]
        report(done, total)
    check_complete(folder, f"The download of model {source.name!r}", source.adapter)
    return folder


def translate_error(error: Exception, source: ModelSource) -> ModelBroken | ModelUnreachable:
    """Translate an error of the hub client: `ModelUnreachable` if a retry may help."""
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
            f"{name} is not in the cache, and HF_HUB_OFFLINE forbids downloading it. Unset "
            "HF_HUB_OFFLINE, or fill the cache first."
        )
    if isinstance(error, errors.HFValidationError):
        return ModelBroken(f"{name} is not a valid hub id. Expected owner/name; check STT_MODELS.")
    if isinstance(error, OSError) and error.errno in (
        errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS,
        errno.ENOTDIR,
    ):  # fmt: skip
        return ModelBroken(
            f"{name} cannot be stored ({errno.errorcode[error.errno]}): the cache must be "
            "writable and have free space. Set STT_CACHE_DIR, or mount a volume there."
        )
    return ModelUnreachable(
        f"{name} cannot be downloaded: the hub does not answer properly "
        f"({type(error).__name__}). The service retries; check the network, proxy and HF_ENDPOINT."
    )


def _progress_bar(on_bytes: Callable[[int], None]) -> type[Any]:
    """A class with the part of tqdm's interface that the hub client uses."""

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
