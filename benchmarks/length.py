"""Memory and speed by length of a recording, and how long a short clip waits beside a long one.

``uv run python -m benchmarks.length --seconds 180 10800 --beside 3600``

Each length goes through the service's path from file to words, on a bundled model, in a process of
its own; peak memory should not grow with length. Then a two-second clip is sent repeatedly, alone
and beside a long recording; it should wait for about two windows.
"""

import argparse
import asyncio
import tempfile
import time
import wave
from contextlib import closing
from pathlib import Path

import numpy as np

from benchmarks.report import Percentiles, seconds, table
from benchmarks.setting import describe
from benchmarks.timed_engine import recording
from benchmarks.workers import Memory, Worker, memory_of
from stt.engines.wants import BEST
from stt.types import SAMPLE_RATE

CLIP_SECONDS = 2.0
BLOCK_SAMPLES = 600 * SAMPLE_RATE


def write_recording(path: Path, length: float) -> None:
    """Write speech from ``samples/``, repeated, without holding all of it in memory."""
    n_samples = round(length * SAMPLE_RATE)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        for begin in range(0, n_samples, BLOCK_SAMPLES):
            block = recording(min(BLOCK_SAMPLES, n_samples - begin), offset=begin)
            file.writeframesraw((block * 32767).astype("<i2").tobytes())


class FileTranscriber:
    """The service's transcriber on ``ko-mini``, for a worker."""

    def __init__(self) -> None:
        from stt.engines.device import prepare_process

        prepare_process()
        from stt.audio.reading import warming_clip
        from stt.engines.torch import load_torch_engine
        from stt.inference.batcher import Batcher
        from stt.languages import BUNDLED_FOLDER
        from stt.recognition.pipeline import Transcriber
        from stt.settings import load_settings

        self._settings = load_settings()
        self._engine = load_torch_engine(BUNDLED_FOLDER / "ko-mini", device="cpu")
        self._batcher = Batcher()
        self._transcriber = Transcriber(self._batcher, self._settings)
        self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(self._transcriber.transcribe(warming_clip(), self._engine))

    async def _transcribe(self, path: Path) -> tuple[float, int]:
        started = time.perf_counter()
        with path.open("rb") as file:
            transcript = await self._transcriber.transcribe(file, self._engine)
        return time.perf_counter() - started, len(transcript.words)

    def transcribe(self, path: Path) -> tuple[float, int, Memory, Memory]:
        """Seconds, words, and memory before and after."""
        before = memory_of()
        return *self._loop.run_until_complete(self._transcribe(path)), before, memory_of()

    def window_seconds(self) -> float:
        """Median time of one forward over a full window."""
        window = np.zeros(round(self._settings.window_seconds * SAMPLE_RATE), np.float32)
        times = []
        for _ in range(5):
            started = time.perf_counter()
            self._loop.run_until_complete(self._batcher.submit(self._engine, window, BEST))
            times.append(time.perf_counter() - started)
        return float(np.median(times))

    def latencies(self, clip: Path, count: int, beside: Path | None = None) -> list[float]:
        """Seconds of each of ``count`` requests, while ``beside`` is transcribed if given."""
        return self._loop.run_until_complete(self._latencies(clip, count, beside))

    def close(self) -> None:
        """Stop the transcriber and its batcher."""
        self._transcriber.close()
        self._batcher.close()
        self._loop.run_until_complete(asyncio.sleep(0.1))

    async def _latencies(self, clip: Path, count: int, beside: Path | None) -> list[float]:
        running = asyncio.create_task(self._transcribe(beside)) if beside else None
        await asyncio.sleep(1)
        times = []
        for _ in range(count):
            if running and running.done():
                raise RuntimeError("the long recording ended too soon: raise --beside")
            times.append((await self._transcribe(clip))[0])
        if running:
            running.cancel()
            await asyncio.wait([running])
        return times


def length_table(lengths: list[float], folder: Path) -> str:
    """Speed and memory of each length."""
    rows = []
    for length in lengths:
        path = folder / "recording.wav"
        write_recording(path, length)
        with closing(Worker(FileTranscriber)) as worker:
            taken, n_words, before, after = worker.ask("transcribe", path)
            worker.ask("close")
        rows.append(
            [f"{length:,.0f} s", f"{n_words:,}", f"{length / taken:.0f}",
             f"{before.resident:.0f} MB", f"{after.peak:.0f} MB"]
        )  # fmt: skip
    return table(["audio", "words", "RTFx", "resident when warm", "peak"], rows)


def waiting_table(beside: float, count: int, folder: Path) -> str:
    """Latency of a short clip, alone and beside a long recording."""
    clip, long = folder / "clip.wav", folder / "long.wav"
    write_recording(clip, CLIP_SECONDS)
    write_recording(long, beside)
    with closing(Worker(FileTranscriber)) as worker:
        window = worker.ask("window_seconds")
        found = {
            "alone": worker.ask("latencies", clip, count),
            f"beside {beside:g} s": worker.ask("latencies", clip, count, long),
        }
        worker.ask("close")
    rows = []
    for name, times in found.items():
        late = Percentiles.of(times)
        rows.append([name, seconds(late.p50), seconds(late.p95), seconds(max(times))])
    medians = [Percentiles.of(times).p50 for times in found.values()]
    return (
        table([f"{CLIP_SECONDS:g} s clip", "median", "p95", "most"], rows)
        + f"\n\nOne window takes {seconds(window)}; the median wait is "
        + f"{(medians[1] - medians[0]) / window:.1f} windows."
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, nargs="+", default=[180, 10_800])
    parser.add_argument("--beside", type=float, default=3600, help="length of the long recording")
    parser.add_argument("--count", type=int, default=40, help="short clips")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        print(describe() + "\n")
        print(length_table(options.seconds, Path(name)) + "\n")
        print(waiting_table(options.beside, options.count, Path(name)))


if __name__ == "__main__":
    main()
