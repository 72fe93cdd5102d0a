"""A checkpoint -> OpenVINO's graphs, as it is or in int8.

They are traced from `stt.engines.wav2vec2`: one of the feature encoder, which computes two seconds
at a time, and one of the rest. Convolutions are matrix products on a time-major signal, so a graph
of any length needs no transposing: with transformers' own layout, a graph for every length took 1.2
times as long as one for a single length, and each length of its own would have needed a copy of
the weights.
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
    """Write the graph, its weights, and what is needed of the checkpoint, into a folder.

    Args:
        checkpoint: What to convert.
        target: An existing folder.
        precision: ``bf16`` (fp32 as stored; computed in bf16 where the processor has it) or
            ``int8`` (weights and activations, but attention).
        calibration: Speech from which int8's ranges are taken (Jacob et al., 2018).

    Raises:
        ConfigurationError: openvino or nncf is not installed, or the architecture is none that
            can be converted.
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
            "STT_BACKEND=torch for it."
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
"""Names of the traced encoder's nodes that int8 leaves alone.

The first convolution hears the waveform itself, which 8 bits would coarsen; it is a thousandth of
the work. Behind group norm, which follows the first alone, no convolution is in int8: their signals
have no common scale, and on the bundled English model they cost 0.5 % (absolute) of character
errors, for an eighth of the work.
"""


def _spell_out_channel_norm(encoder: Any) -> None:
    """Replace group norm by its arithmetic on the time-major signal.

    OpenVINO 2026.4 computes that three times as fast as its own group norm, which needs two
    transposes, and crashes under ONEDNN_MAX_CPU_ISA=AVX2 on a processor with AVX-512.
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
    """The context's inputs where no frame is padding."""
    import torch

    return features, torch.ones(features.shape[:2])


def _in_int8(graph: Any, inputs: Sequence[tuple[Any, ...]], exact: str | None = None) -> Any:
    """The graph with weights and activations in 8 bits (Jacob et al., 2018).

    Args:
        graph: OpenVINO's, in fp32.
        inputs: Tensors for each of its inputs, from which the activations' ranges are taken.
        exact: A pattern of names of nodes to leave as they are.
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
    """OpenVINO's graph of a module, for any second dimension of its inputs."""
    import openvino

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's doubts about sizes, which a test dispels
        graph = openvino.convert_model(module, example_input=examples)
    shapes = [[1, -1, *example.shape[2:]] for example in examples]
    graph.reshape(dict(zip(graph.inputs, shapes, strict=True)))
    return graph
