"""Where the service keeps what is its own."""

import os
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


def state_folder(folder: Path | None) -> Path:
    """Where jobs are kept: ``state_dir`` of the settings, or where XDG's specification says."""
    if folder is not None:
        return folder
    home = os.environ.get("XDG_STATE_HOME", "")
    # The specification has relative paths ignored.
    base = Path(home) if Path(home).is_absolute() else Path("~/.local/state").expanduser()
    return base / "stt-ctc"
