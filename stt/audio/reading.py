"""Upload -> blocks of mono samples at 16 kHz, within limits.

The first bytes of a file choose the library and the format it may open (`containers`): FFmpeg on
its own would follow playlists and session descriptions to other files and hosts. Everything is a
generator of blocks, so memory does not grow with the length of a recording.

Both libraries are native code that gets whatever a stranger sends, so the service runs
`read_audio` in the processes of `stt.audio.pool`.
"""

import wave
from collections.abc import Generator, Iterable, Iterator
from io import BytesIO
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from stt.audio.containers import sniff
from stt.audio.readers import open_track, unsupported
from stt.audio.resampler import Resampler
from stt.errors import InvalidAudio
from stt.types import Waveform


class Blocks(Protocol):
    """Iterates over the blocks of a recording."""

    def __iter__(self) -> Iterator[Waveform]: ...
    def __next__(self) -> Waveform: ...

    def close(self) -> None:
        """Stop reading.

        While another thread waits for a block, this either ends that wait or raises ValueError, as
        a generator does; then call it again later.
        """
        ...


class ReadAudio(Protocol):
    """`read_audio`, in this or another process."""

    def __call__(self, source: BinaryIO, *, max_seconds: float) -> Blocks:
        """See `read_audio`."""
        ...


def read_audio(source: BinaryIO, *, max_seconds: float) -> Generator[Waveform]:
    """Read a recording as blocks of about a second.

    A generator: the first `next` opens the file, so that this too happens off the event loop.

    For files that librosa can read, the joined blocks are within 1e-4 of
    ``librosa.load(source, sr=16000, mono=True)`` and have its length.

    Args:
        source: Seekable; read from its start.
        max_seconds: Maximum length, by the header and by count. The samples of all channels are
            limited to those of ``max_seconds`` of stereo at 96 kHz.

    Yields:
        ``[n]`` float32 at 16 kHz, mono; finite.

    Raises:
        UnsupportedFormat: the file is in none of `stt.audio.containers.CONTAINERS`.
        InvalidAudio: the content cannot be decoded, or is out of bounds.
        AudioTooLong: more than ``max_seconds``.
    """
    source.seek(0)
    if not source.read(1):
        raise InvalidAudio("The file is empty (0 bytes); expected a recording.")
    container = sniff(source)
    if container is None:
        raise unsupported("The file is in no accepted audio format.")
    track = open_track(source, container, max_seconds)
    yield from _resample(track.blocks, track.rate)


def warming_clip() -> BytesIO:
    """A second of faint stereo noise at 44.1 kHz, to warm up reader, resampler and model."""
    noise = np.random.default_rng(0).normal(0, 30, (44_100, 2)).astype("<i2")
    clip = BytesIO()
    with wave.open(clip, "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(noise.tobytes())
    return clip


def _resample(blocks: Iterable[NDArray[np.float32]], rate: int) -> Iterator[Waveform]:
    """Resample blocks to 16 kHz; the total length is ``ceil(n * 16000 / rate)``, as librosa's."""
    resampler = Resampler(rate)
    for block in blocks:
        resampled = resampler.feed(block)
        if len(resampled):
            yield resampled
    tail = resampler.finish()
    if len(tail):
        yield tail
