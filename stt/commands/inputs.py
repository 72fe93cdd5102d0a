"""Find the recordings that command-line arguments name, each with a unique name."""

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
from stt.audio.headerless import open_recording
from stt.errors import ConfigurationError
from stt.normalisation import compose, find_path

STDIN = "-"


@dataclass(frozen=True)
class Recording:
    """One recording to transcribe."""

    path: Path | None
    """None for standard input."""
    relative: Path
    """Path relative to the folder argument; only the name if the file itself was the argument.
    In NFC, as results are named."""

    @property
    def name(self) -> str:
        """The path in printable form, in NFC."""
        if self.path is None:
            return STDIN
        # File names are bytes; any that are not valid UTF-8 must not break the output.
        return compose(os.fsencode(self.path).decode("utf-8", "replace"))

    @property
    def size(self) -> int:
        """Size in bytes; 0 if unknown."""
        try:
            return 0 if self.path is None else self.path.stat().st_size
        except OSError:
            return 0

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the recording as a seekable file; a ``.pcm`` gets the header that it lacks.

        Raises:
            OSError: the file is missing or not readable.
        """
        if self.path is not None:
            with open_recording(self.path) as file:
                yield file
            return
        with tempfile.TemporaryFile() as copy:  # decoders seek, a pipe cannot
            shutil.copyfileobj(sys.stdin.buffer, copy)
            copy.seek(0)
            yield cast(BinaryIO, copy)


def find_recordings(arguments: Iterable[str]) -> list[Recording]:
    """Find all recordings, in the order of the arguments, without duplicates; folders are sorted.

    Raises:
        ConfigurationError: no recording was found.
    """
    arguments = list(arguments)
    found: dict[Path | None, Recording] = {}
    for argument in arguments:
        for recording in _expand(argument):
            key = recording.path and recording.path.absolute()
            found.setdefault(key, recording)
    if not found:
        raise ConfigurationError(
            f"Found no audio file in {', '.join(arguments)}. Looked for names ending in "
            f"{' '.join(sorted(AUDIO_SUFFIXES))}."
        )
    return list(found.values())


def _expand(argument: str) -> Iterator[Recording]:
    if argument == STDIN:
        yield Recording(None, Path("stdin"))
        return
    path = find_path(Path(argument))
    if not path.is_dir():
        yield Recording(path, Path(compose(path.name)))
        return
    for file in sorted(path.rglob("*"), key=lambda file: compose(str(file))):
        # macOS puts a hidden `._a.wav`, which is not audio, beside `a.wav` on other file systems.
        if file.suffix.lower() in AUDIO_SUFFIXES and file.name[0] != "." and file.is_file():
            yield Recording(file, Path(compose(str(file.relative_to(path)))))
