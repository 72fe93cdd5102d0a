"""What runs in a benchmark worker: one engine, or the search for the fastest matrix product.

Nothing heavy is imported at the top, so that the memory and load time of a worker are those of its
engine.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.setting import ROOT
from benchmarks.workers import Memory, memory_of, use_threads
from stt.engines.agreement import Agreement, Reference
from stt.engines.device import prepare_process, switch_off_telemetry
from stt.engines.wants import BEST, Want
from stt.errors import ConfigurationError
from stt.languages import BUNDLED_FOLDER
from stt.types import SAMPLE_RATE, Waveform

NAIVE = {"naive": "eager", "naive-sdpa": "sdpa"}
"""The baselines and their attention implementations."""
PEERS = ("onnxruntime-fp32", "onnxruntime-int8")
"""What people often pick instead; see `benchmarks.onnx_models`."""


@dataclass(frozen=True)
class Loading:
    """Time and memory until an engine is ready, imports included."""

    seconds: float
    memory: Memory
    precision: str
    """Arithmetic of most of the work: fp32, bf16, fp16 or int8."""


@dataclass(frozen=True)
class WindowedRun:
    """A recording run through the service's windows, without decoding."""

    seconds: float
    audio_seconds: float
    seen_seconds: float
    """Audio in all windows; more than ``audio_seconds``, since windows overlap."""


class TimedEngine:
    """Times one engine."""

    def __init__(self, name: str, folder: Path, device: str, threads: int) -> None:
        """
        Args:
            name: One of `NAIVE` or `PEERS`, or a backend and a precision: ``torch-bf16``.
            folder: The checkpoint.
            device: ``cpu`` or ``cuda:N``.
            threads: The number of cores it may use.
        """
        use_threads(threads)
        self._name, self._device, self._threads = name, device, threads
        started = time.perf_counter()
        if name in NAIVE:
            self._engine: Any = Naive(folder, device, NAIVE[name])
        elif name in PEERS:
            from benchmarks.onnx_models import OnnxRuntime

            self._engine = OnnxRuntime(folder, name.partition("-")[2], threads)
        else:
            self._engine = load_named(name, folder, device, threads)
        seconds = time.perf_counter() - started
        precision = "fp32" if name in NAIVE else self._engine.precision
        self._loading = Loading(seconds, memory_of(), precision)
        if "torch" in sys.modules:
            import torch

            torch.set_num_threads(threads)

    def loading(self) -> Loading:
        """Time and memory of loading."""
        return self._loading

    def memory(self) -> Memory:
        """Current memory."""
        return memory_of()

    def gpu_memory(self) -> float:
        """Peak GPU memory reserved by torch, in MB; 0 on a CPU."""
        if self._device == "cpu":
            return 0.0
        import torch

        return float(torch.cuda.max_memory_reserved(self._device)) / 1e6

    def forward(self, n_samples: int, rows: int = 1) -> float:
        """Seconds of one forward."""
        waveforms = [recording(n_samples, offset=row * 7919) for row in range(rows)]
        started = time.perf_counter()
        self._engine.forward(waveforms, BEST)
        return time.perf_counter() - started

    def agreement(self) -> Agreement | None:
        """Compare this engine with fp32 on this machine and the bundled Korean model."""
        if self._name in (*NAIVE, *PEERS):
            return None
        folder = BUNDLED_FOLDER / "ko-mini"
        exact = load_named("torch-fp32", folder, "cpu", self._threads)
        reference = Reference.of(exact, [recording(20 * SAMPLE_RATE)])
        return reference.compare(load_named(self._name, folder, self._device, self._threads))

    def windows(self, audio_seconds: float, rows: int = 1) -> WindowedRun:
        """Run a long recording through windows cut by the service's settings."""
        from stt.recognition.channels import ChannelCutters
        from stt.recognition.chunking import WindowCutter
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
        cutters = ChannelCutters(lambda: cutter, self._engine.grid, audio_seconds)
        windows = chain(chain.from_iterable(map(cutters.feed, blocks)), cutters.finish())
        started = time.perf_counter()
        while batch := [window.waveform for window in islice(windows, rows)]:
            self._engine.forward(batch, BEST)
            seen += sum(map(len, batch))
        seconds = time.perf_counter() - started
        return WindowedRun(seconds, audio_seconds, seen / SAMPLE_RATE)


class Naive:
    """transformers' pipeline with its defaults, as a user would write it."""

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

    def forward(self, waveforms: Sequence[Waveform], _: Want[Any]) -> None:
        self._pipeline(list(waveforms), batch_size=len(waveforms))


def load_named(name: str, folder: Path, device: str, threads: int) -> Any:
    """Load the service's engine of this name.

    Raises:
        SttError: It is not available; the message says what to do.
    """
    prepare_process(threads)
    backend, _, precision = name.partition("-")
    if backend == "torch":
        from stt.engines.torch import load_torch_engine

        return load_torch_engine(folder, device=device, precision=precision or "auto")
    if backend == "openvino" and precision in ("bf16", "int8"):
        from benchmarks.shapes import optimized_model
        from stt.engines.openvino import load_openvino_engine

        model = optimized_model(folder, precision)
        return load_openvino_engine(model, precision=precision, cpu_threads=threads)
    raise ConfigurationError(f"unknown engine {name!r}")


def recording(n_samples: int, offset: int = 0) -> Waveform:
    """Repeated sample speech, starting at ``offset``."""
    speech = _speech()
    repeats = -(-(n_samples + offset % len(speech)) // len(speech))
    begin = offset % len(speech)
    return np.tile(speech, max(1, repeats))[begin : begin + n_samples]


@cache
def _speech() -> Waveform:
    """Some sample recordings, joined, at 16 kHz."""
    import soundfile
    import soxr

    pieces = []
    for name in ("ko-hello.wav", "ko-airport.mp3", "ko-weather.flac", "ko-coffee.ogg"):
        samples, rate = soundfile.read(ROOT / "samples" / name, dtype="float32")
        pieces.append(soxr.resample(samples, rate, SAMPLE_RATE))
    return np.concatenate(pieces).astype(np.float32)


SIZES = ((512, 1024, 4096), (1024, 4096, 1024), (2048, 2048, 2048))
"""Rows, inner size and columns, with the proportions of the model."""
GPU_SIZES = ((8192, 1024, 4096), (8192, 4096, 1024), (8192, 8192, 8192))
PAIRS = 2
"""Pairs of layers in the OpenVINO model, enough to make input and output negligible."""

Multiply = Callable[[], None]


class TimedGemm:
    """Finds the fastest matrix product of torch and OpenVINO: the floor for every engine."""

    def __init__(self, device: str, threads: int) -> None:
        use_threads(threads)
        import torch

        torch.set_num_threads(threads)
        self._tries: list[tuple[str, float, Multiply]] = []
        """Precision, operations, and the function that performs them."""
        on_gpu = device != "cpu"
        for rows, inner, columns in GPU_SIZES if on_gpu else SIZES:
            operations = 2.0 * rows * inner * columns
            for precision, multiply in torch_products(rows, inner, columns, device).items():
                self._tries.append((precision, operations, multiply))
        if not on_gpu and find_spec("openvino"):
            for precision in ("fp32", "bf16", "int8"):
                multiply = openvino_product(*SIZES[0], precision)
                operations = 2 * PAIRS * 2.0 * np.prod(SIZES[0])
                self._tries.append((precision, operations, multiply))
        for _, _, multiply in self._tries:
            multiply()  # the first call is slower

    def best_rate(self, precision: str) -> float:
        """Best operations per second, over one run of each product."""
        best = 0.0
        for found, operations, multiply in self._tries:
            if found == precision:
                started = time.perf_counter()
                multiply()
                best = max(best, operations / (time.perf_counter() - started))
        return best


def torch_products(rows: int, inner: int, columns: int, device: str) -> dict[str, Multiply]:
    """A product in each precision that torch supports on the device."""
    import torch

    random = torch.Generator().manual_seed(0)
    on_gpu = device != "cpu"

    def timed(multiply: Callable[[], Any]) -> Multiply:
        def run() -> None:
            with torch.inference_mode():
                multiply()
            if on_gpu:
                torch.cuda.synchronize()

        return run

    products: dict[str, Multiply] = {}
    kinds = {"fp32": torch.float32, "bf16": torch.bfloat16}
    if on_gpu:
        kinds["fp16"] = torch.float16
    for precision, dtype in kinds.items():
        left = torch.randn(rows, inner, generator=random).to(device, dtype)
        right = torch.randn(columns, inner, generator=random).to(device, dtype)
        products[precision] = timed(lambda a=left, b=right: torch.nn.functional.linear(a, b))
    left = torch.randint(-127, 128, (rows, inner), generator=random, dtype=torch.int8).to(device)
    right = torch.randint(-127, 128, (columns, inner), generator=random, dtype=torch.int8)
    right = right.to(device)
    int8 = timed(lambda: torch._int_mm(left, right.T))
    try:
        int8()
    except RuntimeError:  # some devices have no int8 product
        return products
    return {**products, "int8": int8}


def openvino_product(rows: int, inner: int, columns: int, precision: str) -> Multiply:
    """`PAIRS` feed-forward layer pairs, compiled by OpenVINO for the CPU."""
    switch_off_telemetry()
    import openvino
    from openvino import opset13

    random = np.random.default_rng(0)
    source = node = opset13.parameter([rows, inner], np.float32)
    for size in ((columns, inner), (inner, columns)) * PAIRS:
        if precision == "int8":
            limits = np.float32(-1), np.float32(127 / 128)
            node = opset13.fake_quantize(node, *limits, *limits, 256)
            whole = opset13.constant(random.integers(-127, 128, size, dtype=np.int8))
            scale = np.float32(1e-3)
            weights = opset13.multiply(opset13.convert(whole, "f32"), scale)
        else:
            weights = opset13.constant(random.standard_normal(size, dtype=np.float32) / 32)
        node = opset13.matmul(node, weights, False, True)
    compiled = openvino.Core().compile_model(
        openvino.Model([node], [source]),
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
            "PERFORMANCE_HINT": "LATENCY",
        },
    )
    request = compiled.create_infer_request()
    request.set_input_tensor(openvino.Tensor(random.random((rows, inner), dtype=np.float32)))
    return lambda: request.infer()
