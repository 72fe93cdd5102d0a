"""FILES of a command line -> the recordings that are meant, each with a name of its own."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from stt.audio.containers import AUDIO_SUFFIXES
from stt.errors import ConfigurationError

STDIN = "-"


@dataclass(frozen=True)
class Recording:
    """One recording that was asked for."""

    path: Path | None
    """None is standard input."""
    relative: Path
    """Where it lies in the folder that was named; the name alone where the file was."""

    @property
    def name(self) -> str:
        """The path as a person or a program can find it again; printable."""
        if self.path is None:
            return STDIN
        # A file name is bytes; those that are no UTF-8 must not break a line of output.
        return os.fsencode(self.path).decode("utf-8", "replace")

    @property
    def size(self) -> int:
        """Bytes; 0 where it cannot be told."""
        try:
            return 0 if self.path is None else self.path.stat().st_size
        except OSError:
            return 0

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The bytes, seekable.

        Raises:
            OSError: it is not there, or not readable.
        """
        if self.path is not None:
            with self.path.open("rb") as file:
                yield file
            return
        with tempfile.TemporaryFile() as copy:  # decoders seek, a pipe cannot
            shutil.copyfileobj(sys.stdin.buffer, copy)
            copy.seek(0)
            yield cast(BinaryIO, copy)


def find_recordings(arguments: Iterable[str]) -> list[Recording]:
    """All recordings in the order of the arguments; a folder's are sorted, and none comes twice.

    Raises:
        ConfigurationError: there is nothing to do.
    """
    arguments = list(arguments)
    found: dict[Path | None, Recording] = {}
    for argument in arguments:
        for recording in _expand(argument):
            key = recording.path and recording.path.absolute()
            found.setdefault(key, recording)
    if not found:
        raise ConfigurationError(
            f"There is no audio file in {', '.join(arguments)}. Looked for names that end in "
            f"{' '.join(sorted(AUDIO_SUFFIXES))}."
        )
    return list(found.values())


def _expand(argument: str) -> Iterator[Recording]:
    if argument == STDIN:
        yield Recording(None, Path("stdin"))
        return
    path = Path(argument)
    if not path.is_dir():
        yield Recording(path, Path(path.name))
        return
    for file in sorted(path.rglob("*")):
        # macOS puts a hidden `._a.wav`, which is no audio, beside `a.wav` on foreign disks.
        if file.suffix.lower() in AUDIO_SUFFIXES and file.name[0] != "." and file.is_file():
            yield Recording(file, file.relative_to(path))
