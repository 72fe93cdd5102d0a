"""Nothing that FFmpeg hears in a file is left out without a warning."""

import random
from collections.abc import Iterator
from io import BytesIO

import pytest

from stt.audio.reading import read_audio
from stt.errors import AudioError
from tests.hostile import originals

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
