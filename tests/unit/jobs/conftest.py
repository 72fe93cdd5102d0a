"""A PostgreSQL server, if its programs are installed (Debian's package ``postgresql``)."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def programs() -> Path | None:
    """The folder of ``initdb`` and ``pg_ctl``; None if there is none."""
    found = shutil.which("pg_ctl")
    if found:
        return Path(found).parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of an empty database, reached through a Unix socket only."""
    folder = programs()
    if folder is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    # It refuses to run as root.
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="stt-pg-") as name:
        if as_user:
            shutil.chown(name, "postgres")
        data = f"{name}/data"

        def call(program: str, *arguments: str) -> None:
            subprocess.run(
                [*as_user, folder / program, *arguments],
                check=True, cwd=name, stdout=subprocess.DEVNULL,
            )  # fmt: skip

        call("initdb", "-D", data, "-U", "stt", "--auth=trust", "--no-sync", "-E", "UTF8")
        options = f"-c listen_addresses='' -k {name}"
        call("pg_ctl", "-D", data, "-l", f"{name}/log", "-w", "-o", options, "start")
        try:
            yield f"postgresql://stt@/postgres?host={name}"
        finally:
            call("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
