"""A checkpoint in ONNX Runtime, in fp32 or dynamic int8: the usual way to serve one on a CPU.

torch's own exporter makes the ONNX file. ``int8`` is ONNX Runtime's dynamic quantisation of the
matrix products, with a scale for each column. Convolutions stay in fp32: in int8 they are slower
and the text gets worse, so this is the better one of optimum's presets.
"""

import shutil
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shapes import SHAPES_FOLDER, run_in_process
from stt.engines.wants import Want
from stt.types import SAMPLE_RATE, Waveform

MODEL_FILE = "model.onnx"
OPSET = 20


class OnnxRuntime:
    """A model in ONNX Runtime."""

    def __init__(self, folder: Path, precision: str, threads: int) -> None:
        import onnxruntime

        self.precision = precision
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            onnx_model(folder, precision), options, providers=["CPUExecutionProvider"]
        )

    def forward(self, waveforms: Sequence[Waveform], _: Want[Any]) -> None:
        """Compute waveforms of one length."""
        self._session.run(None, {"waveforms": np.stack(waveforms)})


def onnx_model(folder: Path, precision: str) -> Path:
    """The ONNX file of a checkpoint, made once for each version of the exporter."""
    name = f"{folder.name}-{precision}-{OPSET}-{version('torch')}-{version('onnxruntime')}"
    target = SHAPES_FOLDER / "onnx" / name
    if not (target / MODEL_FILE).is_file():
        part = target.with_name(target.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        source = folder if precision == "fp32" else onnx_model(folder, "fp32")
        run_in_process(__name__, "export" if precision == "fp32" else "quantize", source, part)
        part.rename(target)
    return target / MODEL_FILE


def export(folder: str, target: str) -> None:
    """Export a checkpoint in fp32, for any number and length of waveforms."""
    import torch
    from transformers import AutoModelForCTC

    model = AutoModelForCTC.from_pretrained(folder, dtype=torch.float32).eval()
    torch.onnx.export(
        model,
        (torch.randn(2, 3 * SAMPLE_RATE),),
        Path(target) / MODEL_FILE,
        input_names=["waveforms"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("n"), 1: torch.export.Dim("n_samples")},),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )


def quantize(model: str, target: str) -> None:
    """Quantise the matrix products of an ONNX model."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        model,
        Path(target) / MODEL_FILE,
        op_types_to_quantize=["MatMul", "Gemm"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        use_external_data_format=True,
    )


if __name__ == "__main__":
    print(onnx_model(Path(sys.argv[1]), sys.argv[2]))
