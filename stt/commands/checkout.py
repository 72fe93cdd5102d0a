"""The commit of this service that runs, for figures."""

import subprocess
from pathlib import Path

from stt import __version__

ROOT = Path(__file__).parents[2]


def commit(*folders: str) -> str:
    """The checked-out commit, with a + if some of these folders differ from it.

    Without a repository (in a container, or installed from a package) the version.
    """
    if not (ROOT / ".git").exists():
        return __version__

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", *folders)
        return git("rev-parse", "--short=10", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return __version__
