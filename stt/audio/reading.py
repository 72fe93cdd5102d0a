"""An upload's bytes -> blocks of mono samples at 16 kHz, within caps.

Two decoders share the work. libsndfile (through librosa) reads WAV, FLAC, OGG and MP3; FFmpeg's
libraries (through PyAV) read what phones and browsers record: M4A, MP4, 3GP, WebM, AMR, AAC. Which
one gets a file is decided by its first bytes, never by its name, and each is told which formats it
may open: FFmpeg alone would follow playlists and session descriptions to other files and hosts.

Memory does not grow with the length of a recording: everything here is a generator of blocks.

Both decoders are native code that is given whatever a stranger sends. `stt.audio.pool` runs
`decode` in processes of its own, which may hang or crash.
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
    """A recording's blocks, one after the other."""

    def __iter__(self) -> Iterator[Waveform]: ...
    def __next__(self) -> Waveform: ...

    def close(self) -> None:
        """Read no further. From another thread while a block is awaited: either the wait ends
        soon, or this raises ValueError, as a generator does, and has to be called again."""
        ...


class ReadAudio(Protocol):
    """What `decode` is, here or in another process."""

    def __call__(self, source: BinaryIO, *, max_seconds: float) -> Blocks:
        """See `decode`."""
        ...


def read_audio(source: BinaryIO, *, max_seconds: float) -> Generator[Waveform]:
    """Decode a recording into blocks of about a second.

    A generator: nothing is read before the first block is asked for, so that opening a file is
    done where decoding is, off the event loop.

    Where librosa can read the file, the blocks together are within 1e-4 of
    ``librosa.load(source, sr=16000, mono=True)``, and of the same length.

    Args:
        source: Seekable; read from its start.
        max_seconds: Longest recording to accept, by its header's claim and by count. It may also
            have no more samples, over all channels, than so many seconds of stereo at 96 kHz.

    Yields:
        ``[n]`` float32 at 16 kHz, mono; finite.

    Raises:
        UnsupportedFormat: the first bytes are of none of `stt.audio.containers.CONTAINERS`.
        InvalidAudio: the rest cannot be decoded, or is out of bounds.
        AudioTooLong: more than ``max_seconds``.
    """
    source.seek(0)
    if not source.read(1):
        raise InvalidAudio("The file is empty (0 bytes); expected a recording.")
    container = sniff(source)
    if container is None:
        raise unsupported("The file is of no audio format that is accepted here.")
    track = open_track(source, container, max_seconds)
    yield from _resample(track.blocks, track.rate)


def warming_clip() -> BytesIO:
    """A second of faint noise at 44.1 kHz in stereo: wakes decoder, resampler and model."""
    noise = np.random.default_rng(0).normal(0, 30, (44_100, 2)).astype("<i2")
    clip = BytesIO()
    with wave.open(clip, "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(noise.tobytes())
    return clip


def _resample(blocks: Iterable[NDArray[np.float32]], rate: int) -> Iterator[Waveform]:
    """Bring blocks to 16 kHz; the total length is ``ceil(n * 16000 / rate)``, as librosa's is."""
    resampler = Resampler(rate)
    for block in blocks:
        resampled = resampler.feed(block)
        if len(resampled):
            yield resampled
    tail = resampler.finish()
    if len(tail):
        yield tail
