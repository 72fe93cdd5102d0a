"""What ``stt doctor`` measures on a GPU: a row for the table of docs/benchmarks.md."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

import numpy as np

from stt.audio.reading import read_audio
from stt.decoding.greedy import GreedyDecoder
from stt.engines.accelerator import Accelerator
from stt.engines.base import Engine
from stt.engines.gpus import Gpu, Gpus
from stt.engines.wants import BEST
from stt.languages import BUNDLED_FOLDER, samples_folder
from stt.types import SAMPLE_RATE, Waveform, join_words

ROWS = (1, 8, 32, 64)
"""Windows in a forward."""
WINDOW_SECONDS, CLIP_SECONDS = 20.0, 10.0
N_TIMES = 5
"""Forwards of each size, after one that is not counted; the median counts."""
HEADS = (
    "GPU", "Driver, torch", "Model", *(f"RTFx, {rows} x {WINDOW_SECONDS:g} s" for rows in ROWS),
    f"A lone {CLIP_SECONDS:g} s clip", "GPU memory", "Texts like fp32's",
)  # fmt: skip
"""Of the table in docs/benchmarks.md."""


Load: TypeAlias = Callable[[Path, str], Engine]
"""Opens a checkpoint on ``cpu``, where it computes in fp32, or on the device."""


@dataclass(frozen=True)
class Speed:
    """How fast an engine is on its device."""

    rtfx: tuple[float, ...]
    """By the numbers of windows in `ROWS`."""
    clip_seconds: float


@dataclass(frozen=True)
class Texts:
    """Bundled recordings whose text equals that of fp32 on the CPU."""

    n_equal: int
    n_texts: int


def report(
    name: str, folder: Path, load: Load, device: str, accelerator: Accelerator, gpus: Gpus
) -> Iterator[str]:
    """Measure a checkpoint on a GPU; the lines to print.

    Args:
        name: Of the checkpoint.
        folder: Its files.
        load: Opens checkpoints.
        device: ``cuda:N``.
        accelerator: The same, to ask for its memory.
        gpus: All GPUs of this machine.
    """
    engine = load(folder, device)
    memory_bytes = accelerator.measure_memory()
    speed = measure(engine, np.concatenate(list(recordings("ko"))))
    used_bytes = memory_bytes()
    yield "A row for docs/benchmarks.md; please send it with a problem report, too:"
    yield f"| {' | '.join(HEADS)} |"
    yield table_row(
        gpus.look(int(device.partition(":")[2] or 0)), f"{driver_version()}, {version('torch')}",
        f"{name}, {engine.precision}", speed, used_bytes, compare_texts(load, device),
    )  # fmt: skip


def measure(
    engine: Engine, speech: Waveform, clock: Callable[[], float] = time.perf_counter
) -> Speed:
    """Time an engine.

    Args:
        engine: Its forwards return when the results are on the host.
        speech: Is repeated to the lengths that are timed.
        clock: Returns seconds; replaced in tests.
    """

    def timed(n_rows: int, seconds: float) -> float:
        waveforms = [
            np.resize(np.roll(speech, -row * 7919), round(seconds * SAMPLE_RATE))
            for row in range(n_rows)
        ]
        engine.forward(waveforms, BEST)
        times = []
        for _ in range(N_TIMES):
            started = clock()
            engine.forward(waveforms, BEST)
            times.append(clock() - started)
        return statistics.median(times)

    rtfx = tuple(rows * WINDOW_SECONDS / timed(rows, WINDOW_SECONDS) for rows in ROWS)
    return Speed(rtfx, timed(1, CLIP_SECONDS))


def compare_texts(load: Load, device: str) -> Texts:
    """Transcribe all bundled recordings with the bundled models, on the device and in fp32."""
    n_equal = n_texts = 0
    for code in ("ko", "en"):
        folder = BUNDLED_FOLDER / f"{code}-mini"
        clips = list(recordings(code))
        ours, exact = (texts(load(folder, where), clips) for where in (device, "cpu"))
        n_equal += sum(mine == right for mine, right in zip(ours, exact, strict=True))
        n_texts += len(exact)
    return Texts(n_equal, n_texts)


def recordings(code: str) -> Iterator[Waveform]:
    """The bundled recordings of a language."""
    for path in sorted(samples_folder().glob(f"{code}-*")):
        with path.open("rb") as file:
            yield np.concatenate(list(read_audio(file, max_seconds=60)))


def texts(engine: Engine, clips: Sequence[Waveform]) -> list[str]:
    """Their best-path texts, computed together as a GPU does."""
    found = []
    for frames in engine.forward(clips, BEST):
        decoder = GreedyDecoder(engine.vocabulary, engine.grid)
        found.append(join_words([*decoder.feed(frames), *decoder.finish()]))
    return found


def table_row(
    gpu: Gpu, versions: str, model: str, speed: Speed, memory_bytes: float, found: Texts
) -> str:
    """The Markdown row."""
    capability = ".".join(map(str, gpu.capability))
    cells = (
        f"{gpu.name}, {gpu.total_bytes / 1e9:.0f} GB, capability {capability}", versions, model,
        *(f"{rtfx:,.0f}" for rtfx in speed.rtfx), f"{speed.clip_seconds * 1000:.1f} ms",
        f"{memory_bytes / 1e6:,.0f} MB", f"{found.n_equal} of {found.n_texts}",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def driver_version(file: Path = Path("/proc/driver/nvidia/version")) -> str:
    """NVIDIA's driver, or ``unknown``."""
    try:
        words = file.read_text(encoding="utf-8").partition("\n")[0].split()
    except OSError:
        return "unknown"
    return next((word for word in words if word[:1].isdigit()), "unknown")
