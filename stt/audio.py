"""An upload's bytes -> blocks of mono samples at 16 kHz, within caps.

Two decoders share the work. libsndfile (through librosa) reads WAV, FLAC, OGG and MP3; FFmpeg's
libraries (through PyAV) read what phones and browsers record: M4A, MP4, 3GP, WebM, AMR, AAC. Which
one gets a file is decided by its first bytes, never by its name, and each is told which formats it
may open: FFmpeg alone would follow playlists and session descriptions to other files and hosts.

Memory does not grow with the length of a recording: everything here is a generator of blocks.

Both decoders are native code that is given whatever a stranger sends. `stt.decoding` runs `decode`
in processes of its own, which may hang or crash.
"""

import wave
from collections.abc import Generator, Iterable, Iterator
from io import BytesIO
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from stt.errors import InvalidAudio
from stt.readers import open_with_ffmpeg, open_with_libsndfile, unsupported
from stt.resampler import Resampler
from stt.transcript import Waveform


class Blocks(Protocol):
    """A recording's blocks, one after the other."""

    def __iter__(self) -> Iterator[Waveform]: ...
    def __next__(self) -> Waveform: ...

    def close(self) -> None:
        """Read no further. From another thread while a block is awaited: either the wait ends
        soon, or this raises ValueError, as a generator does, and has to be called again."""
        ...


class Decode(Protocol):
    """What `decode` is, here or in another process."""

    def __call__(self, source: BinaryIO, *, max_seconds: float) -> Blocks:
        """See `decode`."""
        ...


def sniff(head: bytes) -> str | None:
    """Name the container that starts with these bytes (32 are enough), or None.

    The names are libsndfile's where it decodes the format (upper case) and FFmpeg's demuxers'
    where FFmpeg does (lower case).
    """
    if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:12] == b"WAVE":
        return "WAV"
    if head[:4] == b"fLaC":
        return "FLAC"
    if head[:4] == b"OggS":
        return "OGG"
    if head[4:8] == b"ftyp":
        return "mp4"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    if head[:6] == b"#!AMR\n" or head[:9] == b"#!AMR-WB\n":
        return "amr"
    if head[:3] == b"ID3":
        return "MP3"
    if len(head) >= 4 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        # An MPEG audio frame: layer 0 is AAC's ADTS header, the other layers MP1 to MP3.
        layer, bitrate, rate = head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
        if layer == 0:
            return "aac" if head[1] & 0xF0 == 0xF0 else None
        return "MP3" if bitrate != 15 and rate != 3 else None
    return None


def decode(source: BinaryIO, *, max_seconds: float) -> Generator[Waveform]:
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
        UnsupportedFormat: the first bytes are of no format in `stt.readers.ACCEPTED`.
        InvalidAudio: the rest cannot be decoded, or is out of bounds.
        AudioTooLong: more than ``max_seconds``.
    """
    source.seek(0)
    head = source.read(32)
    if not head:
        raise InvalidAudio("The file is empty (0 bytes); expected a recording.")
    container = sniff(head)
    if container is None:
        raise unsupported("The file is of no audio format that is accepted here.")
    if container == "MP3" and head[:3] == b"ID3":
        container = _sniff_behind_id3(source, head)
    elif container == "FLAC" and _lacks_length(head):
        # As FLAC from a pipe does; soundfile cannot read it, FFmpeg can.
        container = "flac"
    source.seek(0)
    open_track = open_with_libsndfile if container.isupper() else open_with_ffmpeg
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


def _sniff_behind_id3(source: BinaryIO, head: bytes) -> str:
    """FLAC and AAC may begin with an ID3 tag too; it says where it ends (ID3v2.4, 3.1)."""
    size = 0
    for seven_bits in head[6:10]:
        size = size << 7 | seven_bits & 0x7F
    source.seek(10 + size)
    behind = sniff(source.read(32))
    return behind if behind in ("FLAC", "aac") else "MP3"


def _lacks_length(head: bytes) -> bool:
    """Whether a FLAC header gives 0, for unknown, as the number of samples (RFC 9639, 8.2)."""
    return len(head) >= 26 and int.from_bytes(head[18:26]) & (2**36 - 1) == 0


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
