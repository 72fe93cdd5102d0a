"""An upload's bytes -> blocks of mono samples at 16 kHz, within caps.

Two decoders share the work. libsndfile (through librosa) reads WAV, FLAC, OGG and MP3; FFmpeg's
libraries (through PyAV) read what phones and browsers record: M4A, MP4, 3GP, WebM, AMR, AAC. Which
one gets a file is decided by its first bytes, never by its name, and each is told which formats it
may open: FFmpeg alone would follow playlists and session descriptions to other files and hosts.

Memory does not grow with the length of a recording: everything here is a generator of blocks.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from stt.errors import AudioTooLong, InvalidAudio, UnsupportedFormat
from stt.transcript import SAMPLE_RATE, Waveform

BLOCK_SECONDS = 1
MIN_RATE, MAX_RATE = 4_000, 384_000
"""Hz. Telephones have 8 kHz, the fastest converters 384 kHz; anything else is a broken header."""
MAX_CHANNELS = 8
RESAMPLE_QUALITY = "HQ"
"""What ``librosa.load`` takes too, so that both give the same samples."""

ACCEPTED = "WAV, FLAC, OGG (Vorbis, Opus), MP3, M4A/AAC, MP4, 3GP, WebM and AMR"


@dataclass(frozen=True)
class _Track:
    """An opened recording: its rate in Hz and its blocks, mono float32 at that rate."""

    rate: int
    blocks: Iterator[NDArray[np.float32]]


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


def decode(source: BinaryIO, *, max_seconds: float) -> Iterator[Waveform]:
    """Decode a recording into blocks of about a second.

    A generator: nothing is read before the first block is asked for, so that opening a file is
    done where decoding is, off the event loop.

    Where librosa can read the file, the blocks together are within 1e-4 of
    ``librosa.load(source, sr=16000, mono=True)``, and of the same length.

    Args:
        source: Seekable; read from its start.
        max_seconds: Longest recording to accept, by its header's claim and by count.

    Yields:
        ``[n]`` float32 at 16 kHz, mono; finite.

    Raises:
        UnsupportedFormat: the first bytes are of no format in `ACCEPTED`.
        InvalidAudio: the rest cannot be decoded, or is out of bounds.
        AudioTooLong: more than ``max_seconds``.
    """
    source.seek(0)
    head = source.read(32)
    source.seek(0)
    if not head:
        raise InvalidAudio("The file is empty (0 bytes); expected a recording.")
    container = sniff(head)
    if container is None:
        raise UnsupportedFormat(
            f"The file is of no audio format that is accepted here. Send one of {ACCEPTED}."
        )
    opener = _open_with_libsndfile if container.isupper() else _open_with_ffmpeg
    track = opener(source, container, max_seconds)
    yield from _resample(_within(track, max_seconds), track.rate)


def _check_header(rate: int, channels: int, claimed_seconds: float, max_seconds: float) -> None:
    if not MIN_RATE <= rate <= MAX_RATE:
        raise InvalidAudio(f"The sample rate is {rate} Hz; expected {MIN_RATE} to {MAX_RATE} Hz.")
    if not 1 <= channels <= MAX_CHANNELS:
        raise InvalidAudio(f"The file has {channels} channels; expected 1 to {MAX_CHANNELS}.")
    if claimed_seconds > max_seconds:
        raise _too_long(max_seconds)


def _too_long(max_seconds: float) -> AudioTooLong:
    return AudioTooLong(
        f"The recording is longer than {max_seconds:g} s, the limit here; send it in parts."
    )


def _within(track: _Track, max_seconds: float) -> Iterator[NDArray[np.float32]]:
    """Pass blocks on while they are, together, short enough."""
    limit = int(max_seconds * track.rate)
    count = 0
    for block in track.blocks:
        count += len(block)
        if count > limit:
            raise _too_long(max_seconds)
        yield block


def _mono(channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """``[n_channels, n]`` -> ``[n]``, the mean; FFmpeg's own downmix is louder by up to 1.4."""
    import librosa

    if not np.isfinite(channels).all():
        raise InvalidAudio("The samples contain NaN or infinite values.")
    mono: NDArray[np.float32] = librosa.to_mono(channels)
    return mono


def _resample(blocks: Iterable[NDArray[np.float32]], rate: int) -> Iterator[Waveform]:
    """Bring blocks to 16 kHz; the total length is ``ceil(n * 16000 / rate)``, as librosa's is."""
    if rate == SAMPLE_RATE:
        yield from blocks
        return
    import soxr

    stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality=RESAMPLE_QUALITY)
    n_in = n_out = 0
    for block in blocks:
        n_in += len(block)
        resampled = stream.resample_chunk(block)
        n_out += len(resampled)
        if len(resampled):
            yield resampled
    tail = stream.resample_chunk(np.zeros(0, np.float32), last=True)
    missing = max(0, -(-n_in * SAMPLE_RATE // rate) - n_out)
    tail = np.pad(tail[:missing], (0, missing - len(tail[:missing])))
    if len(tail):
        yield tail


def _open_with_libsndfile(source: BinaryIO, container: str, max_seconds: float) -> _Track:
    import soundfile

    try:
        file = soundfile.SoundFile(source)
    except soundfile.SoundFileError as error:
        raise InvalidAudio(
            f"The file starts like {container} audio but cannot be decoded; it may be damaged."
        ) from error
    if file.format not in ("WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3"):
        raise UnsupportedFormat(f"{file.format} is not accepted here. Send one of {ACCEPTED}.")
    claimed_seconds = file.frames / file.samplerate if file.samplerate > 0 else 0.0
    _check_header(file.samplerate, file.channels, claimed_seconds, max_seconds)

    def blocks() -> Iterator[NDArray[np.float32]]:
        length = BLOCK_SECONDS * file.samplerate
        try:
            # Not librosa.stream: where the header claims more than there is, soundfile's block
            # iterator under it yields the previous block's samples again.
            while len(block := file.read(length, dtype="float32", always_2d=True)):
                yield _mono(block.T)
        except soundfile.SoundFileError as error:
            raise InvalidAudio(
                f"The {container} data is damaged: decoding stopped before the end."
            ) from error
        finally:
            file.close()

    return _Track(file.samplerate, blocks())


def _open_with_ffmpeg(source: BinaryIO, container: str, max_seconds: float) -> _Track:
    import av

    try:
        file: Any = av.open(
            source,
            mode="r",
            format=container,
            metadata_errors="ignore",
            options={"protocol_whitelist": "none"},
        )
        audio = file.streams.audio
        if not audio:
            file.close()
            raise InvalidAudio("The file has no audio track.")
        stream = audio[0]
        rate, channels = int(stream.rate or 0), int(stream.channels or 0)
        claimed = max(
            float(file.duration or 0) / av.time_base,
            float((stream.duration or 0) * (stream.time_base or 0)),
        )
        _check_header(rate, channels, claimed, max_seconds)
    except (av.FFmpegError, ValueError, OverflowError) as error:
        raise InvalidAudio(
            "The file starts like recorded audio but cannot be decoded; it may be damaged."
        ) from error

    def blocks() -> Iterator[NDArray[np.float32]]:
        planar = av.AudioResampler(format="fltp", layout=stream.layout, rate=rate)
        decoded = False
        try:
            for packet in file.demux(stream):
                try:
                    frames = packet.decode()
                except av.FFmpegError:
                    continue  # one damaged packet is a gap of some 20 ms, not the end
                for frame in frames:
                    for part in planar.resample(frame):
                        decoded = True
                        yield _mono(part.to_ndarray().astype(np.float32, copy=False))
        except av.FFmpegError as error:
            if not decoded:
                raise InvalidAudio("The audio track cannot be decoded.") from error
        finally:
            file.close()
        if not decoded and claimed > 0:
            raise InvalidAudio("The audio track cannot be decoded.")

    return _Track(rate, blocks())
