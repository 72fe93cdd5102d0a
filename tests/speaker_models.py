"""Two tiny models with the inputs and outputs of real ones, which hear tones instead of voices.

Low tones are one speaker, high ones another, quiet nobody. The metadata are those that sherpa-onnx
reads: its scripts/pyannote and scripts/3dspeaker write them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stt.types import SAMPLE_RATE, Waveform

FIELD, SHIFT = 991, 270
"""Samples behind a frame, and between two, as in pyannote's segmentation 3.0."""


def tone(hertz: float, seconds: float) -> Waveform:
    """A speaker to these models."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.3 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def save_speaker_models(folder: Path) -> tuple[Path, Path]:
    """Save the two models; returns the files of segmentation and embedding."""
    from onnx import TensorProto, helper

    files = folder / "segmentation.onnx", folder / "embedding.onnx"
    single = TensorProto.FLOAT
    # The energies of sums and of differences of neighbours, averaged over each frame.
    classes, bias = np.zeros((7, 2, 1), np.float32), np.full(7, -50, np.float32)
    classes[1, 0] = classes[2, 1] = 1
    bias[:3] = 1e-3, 0, 0
    weights = {
        "pairs": np.array([[[0.5, 0.5]], [[0.5, -0.5]]], np.float32),
        "mean": np.full((2, 1, FIELD - 1), 1 / (FIELD - 1), np.float32),
        "classes": classes,
        "bias": bias,
    }
    nodes = [
        helper.make_node("Conv", ["x", "pairs"], ["filtered"]),
        helper.make_node("Mul", ["filtered", "filtered"], ["energy"]),
        helper.make_node("Conv", ["energy", "mean"], ["frames"], strides=[SHIFT], group=2),
        helper.make_node("Conv", ["frames", "classes", "bias"], ["columns"]),
        helper.make_node("Transpose", ["columns"], ["y"], perm=[0, 2, 1]),
    ]
    _save(
        files[0],
        nodes,
        helper.make_tensor_value_info("x", single, ["N", 1, "T"]),
        helper.make_tensor_value_info("y", single, ["N", "F", 7]),
        weights,
        model_type="pyannote-segmentation-3.0", sample_rate=SAMPLE_RATE, window_size=160_000,
        receptive_field_size=FIELD, receptive_field_shift=SHIFT, num_speakers=3,
        powerset_max_classes=2, num_classes=7, version=1,
    )  # fmt: skip
    _save(
        files[1],
        [  # the shape of the spectrum, without its level
            helper.make_node("ReduceMean", ["x"], ["spectrum"], axes=[1], keepdims=0),
            helper.make_node("ReduceMean", ["spectrum"], ["level"], axes=[1], keepdims=1),
            helper.make_node("Sub", ["spectrum", "level"], ["embedding"]),
        ],
        helper.make_tensor_value_info("x", single, ["N", "T", 80]),
        helper.make_tensor_value_info("embedding", single, ["N", 80]),
        {},
        framework="3d-speaker", language="en", output_dim=80, sample_rate=SAMPLE_RATE,
        normalize_samples=1, feature_normalize_type="", feature_dim=80,
    )  # fmt: skip
    return files


def _save(
    file: Path,
    nodes: Sequence[Any],
    taken: Any,
    given: Any,
    weights: dict[str, NDArray[np.float32]],
    **metadata: object,
) -> None:
    import onnx
    from onnx import helper, numpy_helper

    graph = helper.make_graph(
        nodes,
        file.stem,
        [taken],
        [given],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    helper.set_model_props(model, {name: str(value) for name, value in metadata.items()})
    onnx.checker.check_model(model)
    onnx.save(model, str(file))
