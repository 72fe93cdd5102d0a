"""Nothing that FFmpeg hears in a file is left out without a warning."""

import random
from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
import soundfile

from stt.audio.reading import read_audio
from stt.errors import AudioError
from tests.audio_files import tones, with_libsndfile
from tests.hostile import originals, patched

MAX_SECONDS = 100.0
TOLERANCE_SECONDS = 0.1
"""Padding that encoders add and gapless players remove."""


def heard_by_ffmpeg(data: bytes) -> float:
    """Seconds that FFmpeg decodes with the format that it guesses; 0 if it cannot."""
    import av

    seconds = 0.0
    try:
        with av.open(BytesIO(data), options={"protocol_whitelist": "none"}) as file:
            for packet in file.demux(file.streams.audio[:1]):
                try:
                    frames = packet.decode()
                except (av.FFmpegError, AttributeError):  # the latter for data
                    continue
                seconds += sum(frame.samples / frame.sample_rate for frame in frames)
    except (av.FFmpegError, ValueError):
        pass
    return seconds


def changed_files(count: int, seed: int) -> Iterator[tuple[str, list[bytes]]]:
    """Recordings, cut at the end or at the start, or behind zeros, to be joined."""
    rng = random.Random(seed)
    whole = list(originals().items())
    for index in range(count):
        parts = rng.choices(whole, k=rng.choice((1, 2, 2, 2, 3)))
        if rng.random() < 0.5:
            parts = [parts[0]] * len(parts)
        names, joined = [], []
        for name, part in parts:
            match rng.randrange(6):
                case 0:
                    part, name = part[: rng.randrange(len(part))], f"{name} cut"
                case 1:
                    part, name = part[rng.randrange(len(part)) :], f"{name} from its middle"
                case 2:
                    part, name = bytes(rng.randrange(4000)) + part, f"zeros, {name}"
            names.append(name)
            joined.append(part)
        yield f"{index}: {' + '.join(names)}", joined


@pytest.mark.parametrize("bit_rate", [0.1, 0.5, 0.9])
def test_long_recordings_do_not_seem_to_hold_others(bit_rate: float) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (60 * 44_100, 1)).astype(np.float32)
    file = BytesIO()
    soundfile.write(file, noise, 44_100, format="MP3", compression_level=bit_rate)
    for data in (file.getvalue(), with_libsndfile(noise, 44_100, "FLAC")):
        blocks = read_audio(BytesIO(data), max_seconds=MAX_SECONDS)
        assert sum(map(len, blocks)) == 60 * 16_000
        assert blocks.report.warnings == ()


def test_a_false_frame_in_front_of_real_ones_is_no_other_recording() -> None:
    mp3 = with_libsndfile(tones(10.0, 44_100), 44_100, "MP3")
    frames = [at for at in range(len(mp3) - 1) if mp3[at : at + 2] == b"\xff\xfb"]
    for frame in frames[100:110]:
        length = 30
        false = b"\xff\xf1\x50\x40" + (length << 5).to_bytes(3)[1:] + b"\xfc"
        data = patched(mp3, frame - length, false)
        blocks = read_audio(BytesIO(data), max_seconds=MAX_SECONDS)
        assert sum(map(len, blocks)) == 10 * 16_000
        assert blocks.report.warnings == ()


@pytest.mark.parametrize("seed", range(4))
def test_joined_cut_and_moved_files_lose_nothing_in_silence(seed: int) -> None:
    lost = []
    for name, parts in changed_files(60, seed):
        data = b"".join(parts)
        blocks = read_audio(BytesIO(data), max_seconds=MAX_SECONDS)
        try:
            seconds = sum(map(len, blocks)) / 16_000
        except AudioError:
            continue  # which is no silence
        # In the rest of a file without structure, FFmpeg hears any bytes as samples.
        heard = min(heard_by_ffmpeg(data), sum(map(heard_by_ffmpeg, parts)))
        if seconds < heard - TOLERANCE_SECONDS and not blocks.report.warnings:
            lost.append((name, round(seconds, 2), round(heard, 2)))
    assert lost == []
