"""The recordings of the jobs, as files of the state folder."""

import os
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from stt.errors import JobsUnavailable, OutOfStorage
from stt.jobs.database import FULL, RETRY_SECONDS, is_full

FOLDER = "uploads"
PART = ".part"
"""Ends the names of files that are not complete."""
ORPHAN_SECONDS = 3600.0
"""A file that belongs to no active job is removed once it is as old as this: its job may just be
being accepted."""


class Uploads:
    """A file for each active job. Every method blocks: call it in a thread."""

    def __init__(
        self, folder: Path, copy: Callable[[BinaryIO, BinaryIO], object] = shutil.copyfileobj
    ) -> None:
        """
        Args:
            folder: The state folder.
            copy: Copies one file to another; replaced in tests.

        Raises:
            OSError: it cannot be written.
        """
        self._folder = folder / FOLDER
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._copy = copy
        probe = self._folder / f"{os.getpid()}{PART}"
        probe.write_bytes(b"")
        probe.unlink()

    def path(self, job_id: str) -> Path:
        """Where the recording of a job is."""
        return self._folder / job_id

    def store(self, job_id: str, source: BinaryIO) -> int:
        """Store a recording so that it survives a loss of power; returns its size in bytes.

        Raises:
            OutOfStorage: the disk is full; nothing is left behind.
            JobsUnavailable: the folder failed.
        """
        path = self.path(job_id)
        part = path.with_name(path.name + PART)
        try:
            with part.open("wb") as file:
                self._copy(source, file)
                file.flush()
                os.fsync(file.fileno())
                size = file.tell()
            part.replace(path)
            sync_folder(self._folder)
        except OSError as error:
            part.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            raise _translate(error) from error
        return size

    def remove(self, job_id: str) -> None:
        """Remove a recording, if there is one."""
        self.path(job_id).unlink(missing_ok=True)

    def sweep(self, active_among: Callable[[Sequence[str]], set[str]]) -> None:
        """Remove the files that a crash has left behind.

        Args:
            active_among: Of some ids, those of jobs that need their recording.
        """
        limit = time.time() - ORPHAN_SECONDS
        old = [path for path in self._files() if _age(path) < limit]
        active = active_among([path.name.removesuffix(PART) for path in old]) if old else set()
        for path in old:
            if path.name not in active:
                path.unlink(missing_ok=True)

    def _files(self) -> Iterable[Path]:
        return list(self._folder.iterdir())


def _age(path: Path) -> float:
    """When it was written, in seconds since 1970; now if it has gone."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()


def sync_folder(folder: Path) -> None:
    """Put the names of a folder's files on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _translate(error: OSError) -> OutOfStorage | JobsUnavailable:
    if is_full(error):
        return OutOfStorage(FULL)
    return JobsUnavailable(
        "The service cannot store the job: its state folder failed. Try again later; the log has "
        "the cause.",
        RETRY_SECONDS,
    )
