"""Recordings of jobs: stored completely, or not at all."""

import errno
import io
import os
import time
from pathlib import Path
from typing import BinaryIO

import pytest

from stt.errors import JobsUnavailable, OutOfStorage
from stt.jobs.uploads import ORPHAN_SECONDS, Uploads


def fail_after_some(number: int):  # type: ignore[no-untyped-def]
    def copy(source: BinaryIO, file: BinaryIO) -> None:
        file.write(source.read(2))
        raise OSError(number, "no")

    return copy


def test_a_recording_is_stored_as_it_is(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    assert uploads.store("a", io.BytesIO(b"abc")) == 3
    assert uploads.path("a").read_bytes() == b"abc"
    uploads.remove("a")
    uploads.remove("a")
    assert not uploads.path("a").exists()


@pytest.mark.parametrize(
    ("number", "error"),
    [(errno.ENOSPC, OutOfStorage), (errno.EDQUOT, OutOfStorage), (errno.EIO, JobsUnavailable)],
)
def test_a_full_disk_leaves_nothing_behind(
    tmp_path: Path, number: int, error: type[Exception]
) -> None:
    uploads = Uploads(tmp_path, fail_after_some(number))
    with pytest.raises(error):
        uploads.store("a", io.BytesIO(b"abc"))
    assert list((tmp_path / "uploads").iterdir()) == []


def test_what_a_crash_left_is_removed_after_a_while(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    for name in ("active", "orphan", "young"):
        uploads.store(name, io.BytesIO(b"abc"))
    (tmp_path / "uploads" / "broken.part").write_bytes(b"a")
    long_ago = time.time() - ORPHAN_SECONDS - 1
    for name in ("active", "orphan", "broken.part"):
        os.utime(tmp_path / "uploads" / name, (long_ago, long_ago))
    uploads.sweep(lambda ids: {"active"} & set(ids))
    assert {path.name for path in (tmp_path / "uploads").iterdir()} == {"active", "young"}
