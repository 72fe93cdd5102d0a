"""Where a checkpoint's files come from: a folder, the hub client's cache, or the hub.

Whatever the source, the result is a folder in transformers' layout for
`stt.engines.selection.open_engine`.

The cache comes first: a model that is there whole is used without asking the hub, so that a
restart neither waits for the hub nor changes the model under a running installation. To take a
newer version, name a revision in ``STT_MODELS`` or delete the model from the cache.
"""

from pathlib import Path

from stt.errors import ModelBroken
from stt.languages import ModelSource
from stt.models.files import check_whole, missing_file
from stt.models.hub import ReportProgress, download, translate_error


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
        return find_locally(source, cache_dir) or download(source, cache_dir, endpoint, report)
    except ModelBroken:
        raise
    except Exception as error:
        raise translate_error(error, source) from error


def find_locally(source: ModelSource, cache_dir: Path | None = None) -> Path | None:
    """The folder of a checkpoint that is on this machine already; None: it has to be downloaded.

    Raises:
        ModelBroken: the model is a folder, and that is missing or not whole.
    """
    if source.folder is not None:
        check_whole(source.folder, f"The folder of model {source.id!r}")
        return source.folder
    return _find_in_cache(source, cache_dir)


def _find_in_cache(source: ModelSource, cache_dir: Path | None) -> Path | None:
    """The cached snapshot, if all of it is there. Weights are fetched last, so they tell."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(
        source.id, "config.json", cache_dir=cache_dir, revision=source.revision
    )
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    return None if missing_file(entry.name for entry in folder.iterdir()) else folder
