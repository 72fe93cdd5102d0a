"""The OpenVINO engine for CPUs, which has int8; `stt.engines.openvino_export` converts models."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stt.engines.device import may_use_bf16
from stt.engines.lengths import CONTEXT_FRAMES, ENCODER_FRAMES, round_up
from stt.engines.limits import CPU
from stt.engines.memory import release_mapped_pages
from stt.engines.openvino_cache import CONTEXT, ENCODER, ExportManifest
from stt.engines.wants import F, Want
from stt.errors import ConfigurationError, ModelBroken
from stt.types import SAMPLE_RATE, Calibration, LogProbs, Waveform

logger = logging.getLogger(__name__)

MISSING = (
    "STT_BACKEND=openvino needs the package openvino: install stt-ctc[openvino], or set "
    "STT_BACKEND=torch."
)


class Graphs(Protocol):
    """A checkpoint's compiled graphs."""

    def __call__(self, waveform: Waveform, n_frames: int) -> NDArray[np.float32]:
        """Logits, ``[n_frames or more, n_vocab]``; the next call may overwrite them."""
        ...


class SplitGraphs:
    """Our own forward: the feature encoder in pieces, and the context network."""

    def __init__(self, manifest: ExportManifest, encoder: Any, context: Any) -> None:
        """
        Args:
            manifest: The description in the model's folder.
            encoder: Compiled graph from ``[1, n_samples]`` to features ``[1, n_frames, width]``.
            context: Compiled graph from features to logits.
        """
        self._normalises = manifest.normalises
        self._piece_frames = manifest.piece_frames
        self._grid = manifest.grid
        self._encoder = encoder.create_infer_request()
        self._context = context.create_infer_request()

    def __call__(self, waveform: Waveform, n_frames: int) -> NDArray[np.float32]:
        """See `Graphs`."""
        features = self._features(normalised(waveform) if self._normalises else waveform, n_frames)
        logits: NDArray[np.float32] = self._context.infer(_padded(features))[0][0]
        return logits

    def _features(self, waveform: Waveform, n_frames: int) -> NDArray[np.float32]:
        """``[1, n_frames, width] float32``, computed in pieces that fit the processor's cache."""
        if self._piece_frames is None:
            return self._encoder.infer({0: waveform[None]})[0]  # type: ignore[no-any-return]
        n_samples = self._grid.n_samples(round_up(n_frames, ENCODER_FRAMES))
        waveform = np.pad(waveform, (0, max(0, n_samples - len(waveform))))
        pieces = self._grid.pieces(n_samples, self._piece_frames)
        computed = [self._encoder.infer({0: waveform[None, piece]})[0] for piece in pieces]
        return np.concatenate(computed, axis=1)[:, :n_frames]


class WholeGraph:
    """A forward of transformers, traced as it is."""

    def __init__(self, manifest: ExportManifest, graph: Any, feature_extractor: Any | None) -> None:
        """
        Args:
            manifest: The description in the model's folder.
            graph: Compiled graph from the model's inputs to logits.
            feature_extractor: transformers', if the inputs are log-mel features.
        """
        self._normalises = manifest.normalises
        self._min_samples = manifest.min_samples
        self._graph = graph.create_infer_request()
        self._extract = feature_extractor

    def __call__(self, waveform: Waveform, n_frames: int) -> NDArray[np.float32]:
        """See `Graphs`."""
        waveform = np.pad(waveform, (0, max(0, self._min_samples - len(waveform))))
        logits: NDArray[np.float32] = self._graph.infer(self._inputs(waveform))[0][0]
        return logits

    def _inputs(self, waveform: Waveform) -> tuple[NDArray[Any], ...]:
        if self._extract is None:
            return ((normalised(waveform) if self._normalises else waveform)[None],)
        features = self._extract(waveform, sampling_rate=SAMPLE_RATE, return_tensors="np")
        inputs = (features["input_features"], features["attention_mask"])
        return tuple(np.asarray(each) for each in inputs)


class OpenVinoEngine:
    """See `stt.engines.base.Engine`; `load_openvino_engine` creates one.

    Waveforms are computed one by one, which is as fast on a CPU and keeps results independent of
    the batch. One compiled model serves every length.
    """

    backend = "openvino"
    warning = None
    device = "cpu"
    limits = CPU

    def __init__(
        self,
        manifest: ExportManifest,
        graphs: Graphs,
        *,
        precision: str,
        calibration: Calibration,
    ) -> None:
        """
        Args:
            manifest: The description in the model's folder.
            graphs: Waveforms to logits.
            precision: ``bf16`` or ``int8``.
            calibration: Its temperature is applied to the frames.
        """
        self._graphs = graphs
        self.precision = precision
        self.calibration = calibration
        self.vocabulary = manifest.vocabulary
        self.grid = manifest.grid

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        """See `stt.engines.base.Engine.forward`."""
        temperature = self.calibration.temperature
        reduced = [want.reduce(rows, temperature) for rows in self.log_probs(waveforms)]
        if not all(np.isfinite(frames.log_probs).all() for frames in reduced):
            raise FloatingPointError(f"the model's output is not finite in {self.precision}")
        return reduced

    def log_probs(self, waveforms: Sequence[Waveform]) -> list[LogProbs]:
        """``[n_frames, n_vocab] float32``, natural log. For measurements; see also `forward`."""
        results = []
        for waveform in waveforms:
            n_frames = self.grid.n_frames(len(waveform))
            logits = self._graphs(waveform, n_frames)[:n_frames]
            # A new array, because the next inference overwrites the output.
            rows = logits - logits.max(axis=1, keepdims=True)
            rows -= np.log(np.exp(rows).sum(axis=1, keepdims=True))
            results.append(rows)
        return results


def _padded(features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Features padded with zeros, ``[1, n, width]``, and their mask, ``[1, n]``: 1 for real."""
    n_frames = features.shape[1]
    n_more = round_up(n_frames, CONTEXT_FRAMES) - n_frames
    real = np.ones((1, n_frames), np.float32)
    return np.pad(features, ((0, 0), (0, n_more), (0, 0))), np.pad(real, ((0, 0), (0, n_more)))


def normalised(waveform: Waveform) -> Waveform:
    """Scale to zero mean and unit variance, like transformers' feature extractor."""
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
    """Compile an optimised model for this processor.

    Only models that take log-mel features import transformers, for its feature extractor.

    Args:
        folder: The output of `stt.engines.openvino_export.convert`.
        precision: ``bf16`` or ``int8``, as converted.
        cpu_threads: Threads of one forward.
        calibration: The checkpoint's; None means no correction.

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
        # For everything that is not int8.
        "INFERENCE_PRECISION_HINT": "bf16" if _has_bf16(core) else "f32",
    }

    def compiled(name: str) -> Any:
        return core.compile_model(core.read_model(folder / name), "CPU", options)

    graphs: Graphs
    try:
        manifest = ExportManifest.load(folder)
        if manifest.is_split:
            graphs = SplitGraphs(manifest, compiled(ENCODER), compiled(CONTEXT))
        else:
            extractor = _feature_extractor(folder) if manifest.takes_log_mel else None
            graphs = WholeGraph(manifest, compiled(CONTEXT), extractor)
    except (RuntimeError, OSError, ValueError, TypeError, KeyError) as error:
        raise ModelBroken(
            "The optimised model cannot be read. Convert it again with `stt optimize`, or set "
            "STT_BACKEND=torch."
        ) from error
    engine = OpenVinoEngine(
        manifest,
        graphs,
        precision=precision,
        calibration=calibration or Calibration(),
    )
    # Attention without a mask stays wrong if the first inference has one frame
    # (docs/library-faults.md). Ours has a mask, but a longer first inference costs little.
    engine.log_probs([np.zeros(SAMPLE_RATE, np.float32)])
    release_mapped_pages(folder)
    logger.info("model read", extra={"backend": "openvino", "precision": precision})
    return engine


def _feature_extractor(folder: Path) -> Any:
    from transformers import AutoFeatureExtractor

    return AutoFeatureExtractor.from_pretrained(  # type: ignore[no-untyped-call]
        folder, local_files_only=True
    )


def _has_bf16(core: Any) -> bool:
    return may_use_bf16() and "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
