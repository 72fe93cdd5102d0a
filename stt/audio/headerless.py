"""Gives samples without a header the header of a WAV file, so that the readers can open them."""

import shutil
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from stt.types import PCM_BYTES, SAMPLE_RATE

HEADERLESS_SUFFIX = ".pcm"
"""AI Hub's name for files of such samples."""
HEAD_BYTES = 12
MAGIC = (b"RIFF", b"RIFX", b"RF64", b"fLaC", b"OggS", b"ID3", b"\x1aE\xdf\xa3")
"""First bytes of files with a header; not of MP3 without a tag, since samples can begin like it."""
COPY_BYTES = 2**20
IN_MEMORY_BYTES = 1_000_000


def with_header(samples: BinaryIO) -> BinaryIO:
    """A copy of s16le samples (16 kHz, mono) as a WAV file; closing it closes only the copy.

    A file that has a header after all is copied as it is. Half a sample at the end is dropped: the
    files of KsponSpeech's test sets have such a byte.
    """
    head = samples.read(HEAD_BYTES)
    samples.seek(0)
    copy = SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115  # the caller closes it
    if head.startswith(MAGIC) or head[4:8] == b"ftyp":
        shutil.copyfileobj(samples, copy)
    else:
        with wave.open(copy, "wb") as recording:
            recording.setparams((1, PCM_BYTES, SAMPLE_RATE, 0, "NONE", ""))
            while piece := samples.read(COPY_BYTES):
                recording.writeframesraw(piece[: len(piece) // PCM_BYTES * PCM_BYTES])
    copy.seek(0)
    return cast(BinaryIO, copy)


@contextmanager
def open_recording(path: Path) -> Iterator[BinaryIO]:
    """Open a file of a recording; a ``.pcm`` gets the header that it lacks.

    Raises:
        OSError: the file is missing or not readable.
    """
    with path.open("rb") as file:
        if path.suffix.lower() != HEADERLESS_SUFFIX:
            yield file
            return
        with with_header(file) as recording:
            yield recording
