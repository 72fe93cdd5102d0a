"""Synthetic recordings for tests, in any accepted container."""

from fractions import Fraction
from io import BytesIO

import numpy as np
import soundfile
from numpy.typing import NDArray


def tones(seconds: float, rate: int, channels: int = 1, seed: int = 0) -> NDArray[np.float32]:
    """Sines below 3 kHz and noise, ``[n, channels]``, different in each channel."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    columns = []
    for _ in range(channels):
        pitches = random.uniform(80, 3000, 5)
        wave = sum(np.sin(2 * np.pi * pitch * time) for pitch in pitches) / 10
        columns.append(wave + random.normal(0, 0.01, len(time)))
    return np.stack(columns, axis=1).astype(np.float32)


def with_libsndfile(
    samples: NDArray[np.float32], rate: int, format: str, subtype: str | None = None
) -> bytes:
    """Encode as WAV, FLAC, OGG or MP3."""
    file = BytesIO()
    soundfile.write(file, samples, rate, format=format, subtype=subtype)
    return file.getvalue()


BIT_RATES = {"wmav2": 64_000, "g723_1": 6_300}
"""Of encoders that refuse the default."""


def with_tracks(
    tracks: list[list[tuple[float, NDArray[np.float32]]]],
    container: str = "matroska",
    codec: str = "aac",
    default: int | None = None,
    picture: bool = False,
) -> bytes:
    """Tracks at 16 kHz, each of pieces ``[n, 1]`` that begin at a time in seconds.

    Args:
        tracks: The pieces of each.
        container: An FFmpeg muxer with timestamps.
        codec: Of all tracks.
        default: Index of the track that is flagged as default.
        picture: Add a video track that begins at 0.
    """
    import av

    file = BytesIO()
    with av.open(file, "w", format=container, options={"fflags": "+bitexact"}) as output:
        if picture:
            video = output.add_stream("mpeg4", rate=5)
            video.width = video.height = 32
            video.pix_fmt = "yuv420p"
        streams = [output.add_stream(codec, rate=16_000, layout="mono") for _ in tracks]
        for index, stream in enumerate(streams):
            if default is not None:
                stream.disposition = int(index == default)
        if picture:
            for index in range(5):
                image = av.VideoFrame(32, 32, "yuv420p")
                image.pts, image.time_base = index, Fraction(1, 5)
                output.mux(video.encode(image))
            output.mux(video.encode(None))
        for stream, pieces in zip(streams, tracks, strict=True):
            for start, samples in pieces:
                size = stream.codec_context.frame_size or 1024
                for begin in range(0, len(samples), size):
                    part = np.ascontiguousarray(samples[begin : begin + size].T)
                    frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
                    frame.sample_rate, frame.time_base = 16_000, Fraction(1, 16_000)
                    frame.pts = round(start * 16_000) + begin
                    output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
    return file.getvalue()


def with_ffmpeg(samples: NDArray[np.float32], rate: int, container: str, codec: str) -> bytes:
    """Encode with an FFmpeg muxer: mp4 (also for m4a), 3gp, webm, matroska, adts or ogg."""
    import av

    file = BytesIO()
    # Without timestamps and random ids.
    with av.open(file, "w", format=container, options={"fflags": "+bitexact"}) as output:
        stream = output.add_stream(codec, rate=rate)
        stream.layout = "mono" if samples.shape[1] == 1 else "stereo"
        if codec in BIT_RATES:
            stream.bit_rate = BIT_RATES[codec]
        planar = np.ascontiguousarray(samples.T)
        frame = av.AudioFrame.from_ndarray(planar, format="fltp", layout=stream.layout.name)
        frame.sample_rate = rate
        frame.time_base = Fraction(1, rate)
        frame.pts = 0
        resampler = av.AudioResampler(
            format=stream.format.name,
            layout=stream.layout.name,
            rate=rate,
            frame_size=stream.codec_context.frame_size or 0,
        )
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return file.getvalue()
