"""The same checkpoints computed by OpenVINO, which has int8 for CPUs; see `stt.engines.convert`."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stt.engines.optimized import GRAPH, Description
from stt.errors import ConfigurationError, ModelBroken
from stt.transcript import SAMPLE_RATE, Calibration, Frames, LogProbs, Waveform

logger = logging.getLogger(__name__)

MISSING = (
    "STT_BACKEND=openvino needs the package openvino: install stt-ctc[openvino], or set "
    "STT_BACKEND=torch."
)


class OpenVinoEngine:
    """See `stt.engine.Engine`; `load_openvino_engine` makes one.

    Recordings are computed one by one: that is as fast on a CPU, and each comes out the same
    whatever it is batched with. One compiled model serves every length.
    """

    backend = "openvino"
    device = "cpu"

    def __init__(
        self, description: Description, compiled: Any, *, precision: str, calibration: Calibration
    ) -> None:
        self._normalises = description.normalises
        self._request = compiled.create_infer_request()
        self.precision = precision
        self.calibration = calibration
        self.vocabulary = description.vocabulary
        self.grid = description.grid

    def forward(self, waveforms: Sequence[Waveform]) -> list[Frames]:
        """See `stt.engine.Engine.forward`."""
        temperature = self.calibration.temperature
        reduced = [Frames.of(rows, temperature) for rows in self.log_probs(waveforms)]
        if not all(np.isfinite(frames.log_probs).all() for frames in reduced):
            raise FloatingPointError(f"the model's output is not finite in {self.precision}")
        return reduced

    def log_probs(self, waveforms: Sequence[Waveform]) -> list[LogProbs]:
        """All of each waveform's log-probs, for measurements; `forward` is what a service needs."""
        results = []
        for waveform in waveforms:
            if self._normalises:
                waveform = normalised(waveform)
            logits = self._request.infer({0: waveform[None]})[0][0]
            # A new array: the output is memory that the next inference writes to.
            rows = logits - logits.max(axis=1, keepdims=True)
            rows -= np.log(np.exp(rows).sum(axis=1, keepdims=True))
            results.append(rows)
        return results


def normalised(waveform: Waveform) -> Waveform:
    """Zero mean and unit variance, as transformers' feature extractor makes it."""
    centred = waveform - waveform.mean()
    scaled: Waveform = centred / np.sqrt(np.float32(waveform.var() + 1e-7))
    return scaled


def load_openvino_engine(
    folder: Path,
    *,
    precision: str,
    cpu_threads: int,
    calibration: Calibration | None = None,
) -> OpenVinoEngine:
    """Compile an optimised model for this machine's processor.

    Neither torch nor transformers is imported: what is needed of the checkpoint lies beside the
    graph.

    Args:
        folder: What `stt.engines.convert.convert` has written.
        precision: ``bf16`` or ``int8``, as it was made for.
        cpu_threads: Threads of one forward.
        calibration: Of the checkpoint; None is none.

    Raises:
        ConfigurationError: openvino is not installed.
        ModelBroken: a file cannot be read.
    """
    try:
        import openvino
    except ImportError:
        raise ConfigurationError(MISSING) from None
    core = openvino.Core()
    options = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": cpu_threads,
        # What is not int8 is bf16 where the processor has it, else fp32.
        "INFERENCE_PRECISION_HINT": "bf16" if _has_bf16(core) else "f32",
    }
    try:
        description = Description.load(folder)
        compiled = core.compile_model(core.read_model(folder / GRAPH), "CPU", options)
    except (RuntimeError, OSError, ValueError, KeyError) as error:
        raise ModelBroken(
            "The optimised model cannot be read. Make it again with `stt optimize`, or set "
            "STT_BACKEND=torch."
        ) from error
    engine = OpenVinoEngine(
        description, compiled, precision=precision, calibration=calibration or Calibration()
    )
    # Where the first inference ever is a single frame, OpenVINO 2026.4 computes every longer one
    # wrongly from then on; after a longer one, single frames do no harm.
    engine.log_probs([np.zeros(SAMPLE_RATE, np.float32)])
    logger.info("model read", extra={"backend": "openvino", "precision": precision})
    return engine


def _has_bf16(core: Any) -> bool:
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
