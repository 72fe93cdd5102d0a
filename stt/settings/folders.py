"""Where the service keeps what it makes of models: beside the hub's cache, which is not ours."""

from pathlib import Path


def beside_cache(cache: Path | None, name: str) -> Path:
    """A folder of ours beside the hub's cache.

    Args:
        cache: ``cache_dir`` of the settings; None means the hub client's default.
        name: Of the folder.
    """
    if cache is not None:
        return cache / name
    from huggingface_hub.constants import HF_HOME

    return Path(HF_HOME) / name
