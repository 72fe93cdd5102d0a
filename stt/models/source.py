"""Finds a checkpoint: in a folder, in the hub client's cache, or on the hub.

The result is a folder in transformers' layout for `stt.engines.selection.open_engine`.

A complete model in the cache is used without asking the hub, so a restart neither waits for the hub
nor changes the model. For a newer version, name a revision in ``STT_MODELS`` or delete the model
from the cache.
"""

from pathlib import Path

from stt.errors import ModelBroken
from stt.language_model.source import language_model_of
from stt.languages import ModelSource
from stt.models.files import check_complete, missing_file
from stt.models.hub import ReportProgress, download, translate_error


def find_model(
    source: ModelSource,
    *,
    cache_dir: Path | None = None,
    endpoint: str | None = None,
    report: ReportProgress = lambda done, total: None,
) -> Path:
    """Return the folder of a checkpoint, downloading what is missing.

    Blocks until the download is done. Interrupted downloads resume.

    Args:
        source: The model to find.
        cache_dir: The hub cache; None means the hub client's default.
        endpoint: The hub's address; None means ``HF_ENDPOINT`` or the public hub.
        report: Receives the progress of the download.

    Raises:
        ModelBroken: the model is missing or incomplete, and a retry cannot help.
        ModelUnreachable: the hub did not answer properly; a retry may help.
    """
    try:
        return find_locally(source, cache_dir) or download(source, cache_dir, endpoint, report)
    except ModelBroken:
        raise
    except Exception as error:
        raise translate_error(error, source) from error


def find_language_model(source: ModelSource, cache_dir: Path | None = None) -> Path | None:
    """The folder of the language model that a checkpoint comes with, or None.

    It is downloaded with the checkpoint. The hub is not asked: a process that sends its windows to
    other machines has no checkpoint, and must not wait for the hub.
    """
    try:
        folder = find_locally(source, cache_dir)
    except ModelBroken:
        return None
    return language_model_of(folder) if folder is not None else None


def find_locally(source: ModelSource, cache_dir: Path | None = None) -> Path | None:
    """The folder of a checkpoint on this machine, or None if it has to be downloaded.

    Raises:
        ModelBroken: the model is a folder that is missing or incomplete.
    """
    if source.folder is not None:
        check_complete(source.folder, f"The folder of model {source.name!r}", source.adapter)
        return source.folder
    return _find_in_cache(source, cache_dir)


def _find_in_cache(source: ModelSource, cache_dir: Path | None) -> Path | None:
    """The cached snapshot, if it is complete."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(
        source.id, "config.json", cache_dir=cache_dir, revision=source.revision
    )
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    names = [entry.name for entry in folder.iterdir()]
    return None if missing_file(names, source.adapter) else folder
