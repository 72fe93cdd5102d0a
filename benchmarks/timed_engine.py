"""What runs in the workers: one engine, or the search for the machine's best rate.

Nothing heavy is imported at the top: a worker's memory and load time are what its engine needs.
"""

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.setting import ROOT
from benchmarks.workers import Memory, memory_of, use_threads
from stt.engines.agreement import Agreement, Reference
from stt.engines.device import prepare_process
from stt.errors import ConfigurationError
from stt.languages import BUNDLED_FOLDER
from stt.types import SAMPLE_RATE, Waveform

NAIVE = {"naive": "eager", "naive-sdpa": "sdpa"}
"""Names of the baseline, and their kinds of attention."""


@dataclass(frozen=True)
class Loading:
    """What it took until an engine could be used, imports and all."""

    seconds: float
    memory: Memory
    precision: str
    """Arithmetic of most of the work: fp32, bf16, fp16 or int8."""


@dataclass(frozen=True)
class WindowedRun:
    """A recording through the windows of the service, without its decoding."""

    seconds: float
    audio_seconds: float
    seen_seconds: float
    """Audio that the model saw; more than there is, as windows overlap."""


class TimedEngine:
    """One engine, timed."""

    def __init__(self, name: str, folder: Path, device: str, threads: int) -> None:
        """
        Args:
            name: ``naive``, ``naive-sdpa``, or a backend and a precision: ``torch-bf16``.
            folder: The checkpoint.
            device: ``cpu`` or ``cuda:N``.
            threads: Cores that it may keep busy.
        """
        use_threads(threads)
        self._name, self._device, self._threads = name, device, threads
        started = time.perf_counter()
        if name in NAIVE:
            self._engine: Any = Naive(folder, device, NAIVE[name])
        else:
            self._engine = load_named(name, folder, device, threads)
        seconds = time.perf_counter() - started
        precision = "fp32" if name in NAIVE else self._engine.precision
        self._loading = Loading(seconds, memory_of(), precision)
        if "torch" in sys.modules:
            import torch

            torch.set_num_threads(threads)

    def loading(self) -> Loading:
        """What loading took."""
        return self._loading

    def memory(self) -> Memory:
        """Memory now."""
        return memory_of()

    def gpu_memory(self) -> float:
        """The most that torch ever held of the GPU's memory, in MB; 0 on a CPU."""
        if self._device == "cpu":
            return 0.0
        import torch

        return float(torch.cuda.max_memory_reserved(self._device)) / 1e6

    def forward(self, n_samples: int, rows: int = 1) -> float:
        """Seconds that one forward takes."""
        waveforms = [recording(n_samples, offset=row * 7919) for row in range(rows)]
        started = time.perf_counter()
        self._engine.forward(waveforms)
        return time.perf_counter() - started

    def agreement(self) -> Agreement | None:
        """Of this kind of engine with fp32, on this machine and the bundled Korean model."""
        if self._name in NAIVE:
            return None
        folder = BUNDLED_FOLDER / "ko-mini"
        exact = load_named("torch-fp32", folder, "cpu", self._threads)
        reference = Reference.of(exact, [recording(20 * SAMPLE_RATE)])
        return reference.compare(load_named(self._name, folder, self._device, self._threads))

    def windows(self, audio_seconds: float, rows: int = 1) -> WindowedRun:
        """A long recording, through the windows that the service's settings make."""
        from stt.recognition.chunking import WindowCutter
        from stt.recognition.pipeline import cut_windows
        from stt.settings import load_settings

        settings = load_settings()
        cutter = WindowCutter(
            self._engine.grid,
            window_seconds=settings.window_seconds,
            context_seconds=settings.context_seconds,
            cut_search_seconds=settings.cut_search_seconds,
        )
        n_samples, seen = round(audio_seconds * SAMPLE_RATE), 0
        blocks = (
            recording(min(SAMPLE_RATE, n_samples - begin), offset=begin)
            for begin in range(0, n_samples, SAMPLE_RATE)
        )
        windows = cut_windows(blocks, cutter)
        started = time.perf_counter()
        while batch := [window.waveform for window in islice(windows, rows)]:
            self._engine.forward(batch)
            seen += sum(map(len, batch))
        seconds = time.perf_counter() - started
        return WindowedRun(seconds, audio_seconds, seen / SAMPLE_RATE)


class Naive:
    """What a user would write: transformers' pipeline, as it is."""

    def __init__(self, folder: Path, device: str, attention: str) -> None:
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
        import torch
        from transformers import pipeline

        self._pipeline = pipeline(
            "automatic-speech-recognition",
            model=str(folder),
            device=device,
            dtype=torch.float32,
            model_kwargs={"attn_implementation": attention},
        )

    def forward(self, waveforms: Sequence[Waveform]) -> None:
        self._pipeline(list(waveforms), batch_size=len(waveforms))


def load_named(name: str, folder: Path, device: str, threads: int) -> Any:
    """The service's engine of that name.

    Raises:
        SttError: there is none here; the message says what to do.
    """
    prepare_process(threads)
    backend, _, precision = name.partition("-")
    if backend == "torch":
        from stt.engines.torch import load_torch_engine

        return load_torch_engine(folder, device=device, precision=precision or "auto")
    if backend == "openvino" and precision in ("bf16", "int8"):
        from benchmarks.optimized import optimized_model
        from stt.engines.openvino import load_openvino_engine

        model = optimized_model(folder, precision)
        return load_openvino_engine(model, precision=precision, cpu_threads=threads)
    raise ConfigurationError(f"there is no engine {name!r}")


def recording(n_samples: int, offset: int = 0) -> Waveform:
    """Speech, again and again, from an offset on."""
    speech = _speech()
    repeats = -(-(n_samples + offset % len(speech)) // len(speech))
    begin = offset % len(speech)
    return np.tile(speech, max(1, repeats))[begin : begin + n_samples]


@cache
def _speech() -> Waveform:
    """Some sample recordings, one after the other, at 16 kHz."""
    import soundfile
    import soxr

    pieces = []
    for name in ("ko-hello.wav", "ko-airport.mp3", "ko-weather.flac", "ko-coffee.ogg"):
        samples, rate = soundfile.read(ROOT / "samples" / name, dtype="float32")
        pieces.append(soxr.resample(samples, rate, SAMPLE_RATE))
    return np.concatenate(pieces).astype(np.float32)
