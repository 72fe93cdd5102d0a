"""Reads recordings with libsndfile or FFmpeg, as blocks of mono samples at their own rate.

libsndfile is used through soundfile, FFmpeg's libraries through PyAV. The header is checked before
the first sample is read; samples are counted as well, since a header may lie and a few kilobytes
can hold hours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from stt.audio.containers import ACCEPTED, Container
from stt.errors import AudioTooLong, InvalidAudio, UnsupportedFormat

BLOCK_SECONDS = 1
MIN_RATE, MAX_RATE = 4_000, 384_000
"""Hz. Telephones use 8 kHz, the fastest converters 384 kHz; other rates mean a broken header."""
MAX_CHANNELS = 8
MAX_SAMPLES_PER_SECOND = 2 * 96_000
"""Limit over all channels, for each second of the maximum length."""
MAX_AMPLITUDE = 2.0**31
"""Full scale is 1, but some programs write floats on the scale of 32-bit integers. Far larger
samples would overflow in the sums of downmix, resampler and model."""

FFMPEG_DECODERS = (
    "aac,ac3,eac3,alac,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,flac,mp3,mp3float,opus,"
    "libopus,vorbis,pcm_alaw,pcm_mulaw,pcm_u8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,"
    "pcm_s32be,pcm_f32le,pcm_f32be"
)
"""What recorders put into these containers. FFmpeg has 200 more, and video, and would open any that
a file asks for."""


@dataclass(frozen=True)
class Track:
    """An opened recording."""

    rate: int
    """Hz."""
    blocks: Iterator[NDArray[np.float32]]
    """``[n]`` mono at that rate, finite, about a second each; AudioTooLong beyond the limit."""


def open_track(source: BinaryIO, container: Container, max_seconds: float) -> Track:
    """Open a recording with the library that reads its container.

    Raises:
        AudioError: as `stt.audio.reading.read_audio`.
    """
    source.seek(0)
    if container.demuxer is None:
        return _open_with_libsndfile(source, container, max_seconds)
    return _open_with_ffmpeg(source, container.demuxer, max_seconds)


def _open_with_libsndfile(source: BinaryIO, container: Container, max_seconds: float) -> Track:
    import soundfile

    try:
        file = soundfile.SoundFile(source)
    except soundfile.SoundFileError as error:
        raise InvalidAudio(
            f"The file starts like {container.name} audio but cannot be decoded; it may be damaged."
        ) from error
    if file.format not in container.libsndfile_formats:
        raise unsupported(f"The file starts like {container.name} but is {file.format}.")
    rate, claimed = file.samplerate, file.frames
    cap = _Cap(max_seconds)
    cap.check_header(rate, file.channels, claimed / max(1, rate))

    def blocks() -> Iterator[NDArray[np.float32]]:
        length = BLOCK_SECONDS * rate
        try:
            # Not librosa.stream: if the header claims too much, soundfile's block iterator
            # underneath it repeats samples of the previous block.
            while len(block := file.read(length, dtype="float32", always_2d=True)):
                cap.count(len(block), file.channels, rate)
                yield mono(block.T)
        except soundfile.SoundFileError as error:
            raise InvalidAudio(
                f"The {container.name} data is damaged: decoding stopped before the end."
            ) from error
        finally:
            file.close()
        if container.is_exact and cap.counted < claimed:
            raise InvalidAudio(
                f"The {container.name} data is cut off: there is less than its header says."
            )

    return Track(rate, blocks())


def _open_with_ffmpeg(source: BinaryIO, demuxer: str, max_seconds: float) -> Track:
    import av

    try:
        file: Any = av.open(
            source,
            mode="r",
            format=demuxer,
            metadata_errors="ignore",
            options={"protocol_whitelist": "none", "codec_whitelist": FFMPEG_DECODERS},
        )
        audio = file.streams.audio
        if not audio:
            file.close()
            raise InvalidAudio("The file has no audio track.")
        stream = audio[0]
        codec = stream.codec_context
        if codec is None:  # unknown to FFmpeg, too
            file.close()
            raise InvalidAudio("The codec of the audio track is unknown; the file may be damaged.")
        if codec.name not in FFMPEG_DECODERS.split(","):
            file.close()
            raise unsupported("The codec of the audio track is not accepted.")
        rate, channels = int(stream.rate or 0), int(stream.channels or 0)
        claimed = max(
            float(file.duration or 0) / av.time_base,
            float((stream.duration or 0) * (stream.time_base or 0)),
        )
        cap = _Cap(max_seconds)
        cap.check_header(rate, channels, claimed)
    except (av.FFmpegError, ValueError, OverflowError) as error:
        raise InvalidAudio(
            "The file starts like recorded audio but cannot be decoded; it may be damaged."
        ) from error

    def blocks() -> Iterator[NDArray[np.float32]]:
        parts: list[NDArray[np.float32]] = []
        try:
            for part in _frames(file, stream, rate, cap):
                # One frame is about 20 ms, too little to downmix and resample efficiently. A broken
                # stream may change its number of channels between frames.
                held = sum(map(len, parts))
                if parts and (held >= BLOCK_SECONDS * rate or part.shape[1] != parts[0].shape[1]):
                    yield mono(np.concatenate(parts).T)
                    parts = []
                parts.append(part)
        finally:
            file.close()
        if parts:
            yield mono(np.concatenate(parts).T)
        elif claimed > 0:
            raise InvalidAudio("The audio track cannot be decoded.")

    return Track(rate, blocks())


def _frames(file: Any, stream: Any, rate: int, cap: "_Cap") -> Iterator[NDArray[np.float32]]:
    """The track's frames, ``[n, n_channels]``, without damaged ones."""
    import av

    resampler, shape, found_any = None, None, False
    damage: Exception | None = None
    packets = file.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError as error:
            packet, damage = None, error  # cut off: keep what came before
        if packet is None:
            break
        try:
            for frame in packet.decode():
                if not rate <= 4 * frame.sample_rate <= 16 * rate:  # twice is usual with HE-AAC
                    raise InvalidAudio(
                        f"The sample rate is {rate} Hz in the header, but {frame.sample_rate} Hz "
                        "in the data."
                    )
                cap.count(frame.samples, frame.layout.nb_channels, frame.sample_rate)
                # A stream may change its format midway.
                found = (frame.format.name, frame.layout.name, frame.sample_rate)
                if resampler is None or found != shape:
                    # Packed: PyAV 18.1 reads past its list of planes if there are eight.
                    resampler, shape = av.AudioResampler(format="flt", rate=rate), found
                for part in resampler.resample(frame):
                    flat = part.to_ndarray().astype(np.float32, copy=False)
                    samples = flat.reshape(-1, part.layout.nb_channels)
                    for begin in range(0, len(samples), BLOCK_SECONDS * rate):  # usually once
                        found_any = True
                        yield samples[begin : begin + BLOCK_SECONDS * rate]
        except (av.FFmpegError, ValueError) as error:
            damage = error  # a damaged packet is a gap of about 20 ms, not the end
    if damage and not found_any:
        raise InvalidAudio("The audio track cannot be decoded.") from damage


def mono(channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """``[n_channels, n]`` -> ``[n]``, the mean; FFmpeg's downmix is up to 1.4 times as loud.

    Raises:
        InvalidAudio: a sample is not finite, or above `MAX_AMPLITUDE`.
    """
    import librosa

    if not np.abs(channels).max(initial=0) <= MAX_AMPLITUDE:  # false for NaN
        raise InvalidAudio("The samples contain NaN or infinite values, or impossibly large ones.")
    mixed: NDArray[np.float32] = librosa.to_mono(channels)
    return mixed


def unsupported(what: str) -> UnsupportedFormat:
    """The error for content that is not accepted."""
    return UnsupportedFormat(f"{what} Send one of {ACCEPTED}.")


class _Cap:
    """Limits the decoded audio, in seconds and in samples over all channels.

    By seconds alone, 8 channels at 384 kHz would cost 32 times as much as stereo at 48 kHz.
    """

    def __init__(self, max_seconds: float) -> None:
        self._max_seconds = max_seconds
        self._max_samples = max_seconds * MAX_SAMPLES_PER_SECOND
        self._seconds = 0.0
        self._samples = 0
        self.counted = 0
        """Samples of one channel so far."""

    def check_header(self, rate: int, channels: int, claimed_seconds: float) -> None:
        """Check the header, before anything is decoded."""
        if not MIN_RATE <= rate <= MAX_RATE:
            raise InvalidAudio(
                f"The sample rate is {rate} Hz; expected {MIN_RATE} to {MAX_RATE} Hz."
            )
        if not 1 <= channels <= MAX_CHANNELS:
            raise InvalidAudio(f"The file has {channels} channels; expected 1 to {MAX_CHANNELS}.")
        self._check(claimed_seconds, claimed_seconds * rate * channels)

    def count(self, n_samples: int, channels: int, rate: int) -> None:
        """Add ``n_samples`` of each channel, at ``rate`` Hz."""
        self.counted += n_samples
        self._seconds += n_samples / rate
        self._samples += n_samples * channels
        self._check(self._seconds, self._samples)

    def _check(self, seconds: float, samples: float) -> None:
        if seconds > self._max_seconds + 1e-6:  # sums of many quotients are inexact
            raise AudioTooLong(
                f"The recording is longer than {self._max_seconds:g} s, which is the limit; send "
                "it in parts."
            )
        if samples > self._max_samples + 1:
            raise AudioTooLong(
                f"The recording has more than {self._max_samples:g} samples over all channels, "
                "which is the limit; send it in parts, in mono, or at a lower sample rate."
            )
