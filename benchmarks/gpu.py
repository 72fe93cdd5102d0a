"""Does the service keep a fast GPU busy, and does decoding limit a single file?

``uv run python -m benchmarks.gpu``

No GPU is needed: the device is simulated. It takes batches in the order in which they were launched
and computes ``--rtfx`` seconds of audio a second; launching a pass takes a thread ``--launch-ms``.
Decoding is simulated too, at ``--decode-rtfx`` for each recording. Everything between is the
service's own: windows, threads, queue, batches, best path. So the figures say what the service
leaves of a device's speed, and nothing about the speed of any device.
"""

import argparse
import asyncio
import io
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import numpy as np

from benchmarks.report import table
from benchmarks.setting import describe
from stt.audio.worker import SEND_BYTES
from stt.engines.base import Engine
from stt.engines.limits import GPU
from stt.engines.passes import PASS_SECONDS
from stt.engines.wants import BEST, F, Want
from stt.frames import Frames
from stt.inference.batcher import Batcher
from stt.notices import Report
from stt.recognition.pipeline import Transcriber
from stt.settings import load_settings
from stt.types import SAMPLE_RATE, Calibration, FrameGrid, Vocabulary, Waveform

BLOCK_SECONDS = SEND_BYTES / np.dtype(np.float32).itemsize / SAMPLE_RATE
"""Of audio from a decoder at a time."""
BUFFERED_BLOCKS = 2
"""Blocks that a decoder is ahead: as many as `stt.audio.processes` lets it have in its socket."""
NOISE = (
    np.random.default_rng(0).standard_normal(round(BLOCK_SECONDS * SAMPLE_RATE)).astype(np.float32)
)
NOISE /= 9


class SimulatedGpu:
    """An `Engine` whose device is a clock."""

    vocabulary = Vocabulary(symbols=("<pad>", "|", "a"), blank=0)
    grid = FrameGrid(stride_samples=320, receptive_samples=400)
    calibration = Calibration()
    device = "cuda:0"
    precision = "bf16"
    backend = "simulated"
    warning = None

    def __init__(self, rtfx: float, launch_seconds: float, batches_in_flight: int) -> None:
        self.limits = replace(GPU, batches_in_flight=batches_in_flight)
        self._rtfx, self._launch_seconds = rtfx, launch_seconds
        self._launching, self._free_at = threading.Lock(), 0.0
        self.rows: list[int] = []
        """Windows of each batch."""
        self.busy_seconds = 0.0

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        """Sleep for as long as the thread would launch and wait."""
        padded = max(map(len, waveforms)) * len(waveforms) / SAMPLE_RATE
        with self._launching:
            n_passes = -(-padded // PASS_SECONDS)
            for index in range(int(n_passes)):
                time.sleep(self._launch_seconds)
                if index == 0:  # the others are launched while the first is computed
                    self._free_at = max(self._free_at, time.perf_counter())
            self._free_at += padded / self._rtfx
            ends = self._free_at
            self.rows.append(len(waveforms))
            self.busy_seconds += padded / self._rtfx
        time.sleep(max(0.0, ends - time.perf_counter()))
        return [_silence(self.grid.n_frames(len(waveform))) for waveform in waveforms]


def _silence(n_frames: int) -> Any:
    zeros = np.zeros(n_frames, np.float32)
    return Frames(np.zeros(n_frames, np.int32), zeros, zeros)


class SimulatedBlocks:
    """The `stt.audio.reading.Blocks` of a recording, at a decoder's speed."""

    report = Report()

    def __init__(self, seconds: float, rtfx: float) -> None:
        self.expected_seconds = seconds
        self._blocks = self._decode(seconds, rtfx)

    def __iter__(self) -> Iterator[Waveform]:
        return self

    def __next__(self) -> Waveform:
        return next(self._blocks)

    def close(self) -> None:
        """Stop."""
        self._blocks.close()

    def _decode(self, seconds: float, rtfx: float) -> Any:
        done, ready_at = 0.0, time.perf_counter()
        taken_at = deque([ready_at] * BUFFERED_BLOCKS, BUFFERED_BLOCKS)
        while done < seconds:
            length = min(BLOCK_SECONDS, seconds - done)
            # It goes on while the buffer has room, whether or not somebody takes the blocks.
            ready_at = max(ready_at, taken_at[0]) + length / rtfx
            time.sleep(max(0.0, ready_at - time.perf_counter()))
            taken_at.append(time.perf_counter())
            yield NOISE[: round(length * SAMPLE_RATE)]
            done += length


@dataclass(frozen=True)
class Run:
    """What some clients got."""

    audio_seconds: float
    seen_seconds: float
    """In all windows; more, since windows overlap."""
    seconds: float
    mean_rows: float
    busy: float
    """Share of the time in which the device computed."""
    processor_seconds: float
    """Of this process."""


def simulate(
    options: argparse.Namespace,
    in_flight: int,
    work: Callable[[Transcriber, Engine], Any],
    audio_seconds: float,
) -> Run:
    """Run some clients against a device."""
    settings = load_settings(("--decode-threads", str(options.decoders)))
    device = SimulatedGpu(options.rtfx, options.launch_ms / 1000, in_flight)

    def read(
        source: BinaryIO, *, max_seconds: float, track: int | None = None, split: bool = False
    ) -> Any:
        return SimulatedBlocks(float(source.read()), options.decode_rtfx)

    async def main() -> tuple[float, float]:
        batcher = Batcher.of(settings)
        transcriber = Transcriber(batcher, settings, read_audio=read)
        started, spent = time.perf_counter(), time.process_time()
        await work(transcriber, device)
        seconds = time.perf_counter() - started, time.process_time() - spent
        transcriber.close()
        batcher.close()
        return seconds

    seconds, processor_seconds = asyncio.run(main())
    return Run(
        audio_seconds, device.busy_seconds * options.rtfx, seconds,
        sum(device.rows) / len(device.rows), device.busy_seconds / seconds, processor_seconds,
    )  # fmt: skip


async def send(transcriber: Transcriber, device: Engine, seconds: float) -> None:
    """Transcribe one recording."""
    await transcriber.transcribe(io.BytesIO(str(seconds).encode()), device)


def clients(n_clients: int, n_each: int, seconds: float) -> tuple[Any, float]:
    """Clients that send one clip after the other, and their audio."""

    async def work(transcriber: Transcriber, device: Engine) -> None:
        async def one() -> None:
            for _ in range(n_each):
                await send(transcriber, device, seconds)

        await asyncio.gather(*(one() for _ in range(n_clients)))

    return work, n_clients * n_each * seconds


def bare(n_clients: int, n_each: int, seconds: float) -> tuple[Any, float]:
    """The same without recordings: each client submits windows to the queue."""
    waveform = np.zeros(round(seconds * SAMPLE_RATE), np.float32)

    async def work(transcriber: Transcriber, device: Engine) -> None:
        async def one() -> None:
            for _ in range(n_each):
                await transcriber._scheduler.submit(device, waveform, BEST)

        await asyncio.gather(*(one() for _ in range(n_clients)))

    return work, n_clients * n_each * seconds


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--rtfx", type=float, default=5000.0, help="of the simulated device")
    parser.add_argument("--launch-ms", type=float, default=3.0, help="for each pass")
    parser.add_argument("--decode-rtfx", type=float, default=2000.0, help="of one decoder")
    parser.add_argument("--decoders", type=int, default=4, help="STT_DECODE_THREADS")
    parser.add_argument("--scale", type=float, default=1.0, help="lengthens all runs")
    options = parser.parse_args(arguments)
    scale = options.scale
    loads: dict[str, tuple[tuple[Any, float], float]] = {
        "64 clients submit windows of 5 s": (bare(64, round(60 * scale), 5.0), options.rtfx),
        "64 clients submit windows of 20 s": (bare(64, round(20 * scale), 20.0), options.rtfx),
        "64 clients, clips of 5 s": (
            clients(64, round(20 * scale), 5.0),
            min(options.rtfx, options.decoders * options.decode_rtfx),
        ),
        "one file of an hour": (
            clients(1, 1, 3600.0 * scale), min(options.rtfx, options.decode_rtfx),
        ),
    }  # fmt: skip
    rows = []
    for name, (load, most) in loads.items():
        for in_flight in (1, 2):
            run = simulate(options, in_flight, *load)
            rtfx = run.audio_seconds / run.seconds
            rows.append([
                name, str(in_flight), f"{run.mean_rows:.1f}", f"{rtfx:,.0f}",
                f"{run.busy:.0%}", f"{run.audio_seconds / run.processor_seconds:,.0f}",
                f"{rtfx / most:.0%} of {most:,.0f}",
            ])  # fmt: skip
    heads = [
        "Load", "Batches in flight", "Windows in a batch", "RTFx", "Device busy",
        "Audio per processor second", "Share of the maximum",
    ]  # fmt: skip
    print(describe(), table(heads, rows), sep="\n\n")


if __name__ == "__main__":
    main()
