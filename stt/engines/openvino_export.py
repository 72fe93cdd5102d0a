"""Converts a checkpoint to OpenVINO's graphs, in fp32 or int8.

`stt.engines.wav2vec2` is traced to two graphs: the feature encoder, which computes two seconds at a
time, and the rest. Both accept any length. With transformers' layout a graph for any length took
1.2 times as long as one for a fixed length; here it does not, as convolutions are matrix products
on a time-major signal and need no transposing.
"""

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stt.engines import wav2vec2
from stt.engines.checkpoint import Checkpoint
from stt.engines.openvino_cache import CONTEXT, ENCODER, ExportManifest
from stt.engines.torch import load_model
from stt.errors import ConfigurationError
from stt.types import SAMPLE_RATE, Waveform

logger = logging.getLogger(__name__)


def convert(
    checkpoint: Checkpoint, target: Path, precision: str, calibration: Sequence[Waveform] = ()
) -> None:
    """Write the graphs, their weights and the manifest into a folder.

    Args:
        checkpoint: The checkpoint to convert.
        target: An existing folder.
        precision: ``bf16`` (fp32 as stored; computed in bf16 where the processor has it) or
            ``int8`` (weights and activations, except attention).
        calibration: Speech to derive int8's ranges from (Jacob et al., 2018).

    Raises:
        ConfigurationError: openvino or nncf is not installed, or the architecture is not
            supported.
        ModelBroken: the checkpoint's weights cannot be read.
    """
    try:
        import nncf  # noqa: F401
        import openvino
    except ImportError:
        raise ConfigurationError(
            "stt optimize needs openvino and nncf: install stt-ctc[openvino]."
        ) from None
    import torch

    if not wav2vec2.supports(checkpoint.config):
        raise ConfigurationError(
            f"A {checkpoint.config.model_type} checkpoint cannot be optimised, only wav2vec2. Set "
            "STT_BACKEND=torch."
        )
    model = load_model(checkpoint, "fp32")
    _spell_out_channel_norm(model.encoder)
    example = torch.randn(1, 3 * SAMPLE_RATE)
    encoder = _trace(model.encoder, example)
    context = _trace(model.context, *_all_real(model.encoder(example)))
    if precision == "int8":
        waveforms = [
            torch.from_numpy(checkpoint.inputs([waveform], framework="np")["input_values"])
            for waveform in calibration
        ]
        features = [_all_real(model.encoder(waveform)) for waveform in waveforms]
        if model.encoder.is_local:
            encoder = _in_int8(encoder, [(each,) for each in waveforms], exact=_FIRST_CONVOLUTION)
        context = _in_int8(context, features)
    openvino.save_model(encoder, target / ENCODER, compress_to_fp16=False)
    openvino.save_model(context, target / CONTEXT, compress_to_fp16=False)
    ExportManifest(
        checkpoint.vocabulary,
        checkpoint.grid,
        bool(checkpoint.feature_extractor.do_normalize),
        wav2vec2.PIECE_FRAMES if model.encoder.is_local else None,
    ).save(target)


_FIRST_CONVOLUTION = r".*convolutions\.0/.*"
"""Pattern of the encoder nodes that int8 leaves in fp32.

The first convolution reads the waveform, which needs more than 8 bits, and is a thousandth of the
work. Encoders with group norm stay in fp32 as a whole: their signals have no common scale, and int8
added 0.5 % (absolute) of character errors on the bundled English model, for an eighth of the work.
"""


def _spell_out_channel_norm(encoder: Any) -> None:
    """Replace group norm by its arithmetic on the time-major signal.

    In OpenVINO 2026.4 this is three times as fast as the built-in group norm, which needs two
    transposes and crashes under ONEDNN_MAX_CPU_ISA=AVX2 on a processor with AVX-512.
    """
    import torch

    class SpelledOutNorm(torch.nn.Module):
        def __init__(self, norm: Any) -> None:
            super().__init__()
            self.norm = norm

        def forward(self, signal: Any) -> Any:
            variance, mean = torch.var_mean(signal, dim=1, correction=0, keepdim=True)
            gain = torch.rsqrt(variance + self.norm.eps) * self.norm.weight
            return (signal - mean) * gain + self.norm.bias

    for index, norm in enumerate(encoder.norms):
        if isinstance(norm, wav2vec2.ChannelNorm):
            encoder.norms[index] = SpelledOutNorm(norm.norm)


def _all_real(features: Any) -> tuple[Any, Any]:
    """The context's inputs when no frame is padding."""
    import torch

    return features, torch.ones(features.shape[:2])


def _in_int8(graph: Any, inputs: Sequence[tuple[Any, ...]], exact: str | None = None) -> Any:
    """Quantise a graph's weights and activations to 8 bits (Jacob et al., 2018).

    Args:
        graph: OpenVINO's graph in fp32.
        inputs: Tensors for each of its inputs, to derive the activations' ranges from.
        exact: A pattern of node names to leave in fp32.
    """
    import nncf

    return nncf.quantize(
        graph,
        nncf.Dataset([{index: each.numpy() for index, each in enumerate(row)} for row in inputs]),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(inputs),
        ignored_scope=nncf.IgnoredScope(patterns=[exact] if exact else []),
    )


def _trace(module: Any, *examples: Any) -> Any:
    """Trace a module to an OpenVINO graph with a dynamic second dimension."""
    import openvino

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about dynamic sizes, which a test covers
        graph = openvino.convert_model(module, example_input=examples)
    shapes = [[1, -1, *example.shape[2:]] for example in examples]
    graph.reshape(dict(zip(graph.inputs, shapes, strict=True)))
    return graph
