"""What decoding in a process of its own costs, against decoding in this one.

``uv run python -m benchmarks.decoding --rounds 200``

Short clips are decoded in both ways by turns, and the medians compared: a target of 5 ms more. Long
recordings show the throughput. Then what the processes weigh, and how soon one that was killed is
replaced.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import psutil

from benchmarks.setting import describe
from stt.audio.pool import ReaderPool
from stt.audio.reading import read_audio
from stt.settings import load_settings
from stt.types import Waveform
from tests.audio_files import tones, with_ffmpeg, with_libsndfile

Way = Callable[..., Iterator[Waveform]]
CLIPS = {
    "WAV, 2 s, 16 kHz": lambda: with_libsndfile(tones(2, 16_000), 16_000, "WAV"),
    "WAV, 2 s, 44.1 kHz stereo": lambda: with_libsndfile(tones(2, 44_100, 2), 44_100, "WAV"),
    "MP3, 10 s, 44.1 kHz": lambda: with_libsndfile(tones(10, 44_100), 44_100, "MP3"),
    "M4A, 10 s, 44.1 kHz stereo": lambda: with_ffmpeg(tones(10, 44_100, 2), 44_100, "mp4", "aac"),
}
RECORDINGS = {
    "WAV, 1 h, 16 kHz": lambda: with_libsndfile(tones(3600, 16_000), 16_000, "WAV"),
    "FLAC, 10 min, 44.1 kHz stereo": lambda: with_libsndfile(tones(600, 44_100, 2), 44_100, "FLAC"),
}


def seconds(way: Way, source: BinaryIO) -> float:
    """How long it takes to get all blocks."""
    started = time.perf_counter()
    for _ in way(source, max_seconds=14_400):
        pass
    return time.perf_counter() - started


def compare(pool: ReaderPool, source: BinaryIO, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds in this process and in another, by turns."""
    here, there = [], []
    for _ in range(rounds):
        here.append(seconds(read_audio, source))
        there.append(seconds(pool.read, source))
    return here, there


def replace_killed(pool: ReaderPool, rounds: int) -> list[float]:
    """Seconds of a short clip right after its worker was given up."""
    clip = BytesIO(CLIPS["WAV, 2 s, 16 kHz"]())
    times = []
    for _ in range(rounds):
        blocks = pool.read(clip, max_seconds=100)
        next(blocks)
        blocks.close()
        times.append(seconds(pool.read, clip))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    pool = ReaderPool(load_settings())
    started = time.perf_counter()
    pool.start()
    seconds(pool.read, BytesIO(CLIPS["WAV, 2 s, 16 kHz"]()))
    start_seconds = time.perf_counter() - started
    print(describe())
    print("\n| clip | here, median | in a worker | more |")
    print("|---|---|---|---|")
    for name, make in CLIPS.items():
        source = BytesIO(make())
        compare(pool, source, 5)
        here, there = (
            statistics.median(each) * 1e3 for each in compare(pool, source, options.rounds)
        )
        print(f"| {name} | {here:.1f} ms | {there:.1f} ms | {there - here:+.1f} ms |")
    print("\n| recording | here, median of 3 | in a worker | ratio |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, make in RECORDINGS.items():
            path = Path(folder) / "recording"
            path.write_bytes(make())
            with path.open("rb") as file:
                compare(pool, file, 1)
                here, there = map(statistics.median, compare(pool, file, 3))
            print(f"| {name} | {here:.2f} s | {there:.2f} s | {there / here:.2f} |")
    replaced = statistics.median(replace_killed(pool, 20)) * 1e3
    (template,) = psutil.Process().children()
    (worker, *_) = template.children()
    print(
        f"\nFirst clip after {start_seconds:.1f} s, imports included; {replaced:.0f} ms where the "
        f"worker has to be forked. Template {template.memory_info().rss / 1e6:.0f} MB resident, a "
        f"worker {worker.memory_full_info().uss / 1e6:.1f} MB of its own."
    )
    pool.close()


if __name__ == "__main__":
    main()
