"""Converts a checkpoint to OpenVINO's graphs, in fp32 or int8.

`stt.engines.wav2vec2` is traced to two graphs: the feature encoder, which computes two seconds at a
time, and the rest. Both accept any length. With transformers' layout a graph for any length took
1.2 times as long as one for a fixed length; here it does not, as convolutions are matrix products
on a time-major signal and need no transposing.

Forwards of transformers' classes are traced as they are, to one graph.
"""

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stt.engines import wav2vec2
from stt.engines.families.base import Checkpoint, Input
from stt.engines.front_end import front_end_of
from stt.engines.openvino_cache import CONTEXT, ENCODER, ExportManifest
from stt.engines.torch import load_model
from stt.engines.transfer import Transfer
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
            ``int8`` (weights and activations; of attention, queries and keys).
        calibration: Speech to derive int8's ranges from (Jacob et al., 2018).

    Raises:
        ConfigurationError: openvino or nncf is not installed, or the architecture is not
            supported.
        ModelBroken: the checkpoint's weights cannot be read.
    """
    try:
        import nncf
        import openvino  # noqa: F401
    except ImportError:
        raise ConfigurationError(
            "stt optimize needs openvino and nncf: install stt-ctc[openvino]."
        ) from None
    nncf.set_log_level(logging.WARNING)  # it logs each node that it leaves as it is

    if not checkpoint.family.can_optimize(checkpoint.config):
        raise ConfigurationError(
            f"This {checkpoint.family.name} checkpoint cannot be optimised; torch serves it. "
            "docs/models.md says which families can."
        )
    model = load_model(checkpoint, "fp32")
    _spell_out_group_norms(model)
    front_end = front_end_of(checkpoint, Transfer("cpu"))
    speech = [front_end([waveform]) for waveform in calibration] if precision == "int8" else []
    if isinstance(model, wav2vec2.Wav2Vec2):
        _convert_own(model, target, [waveform for waveform, _ in speech])
    else:
        example = front_end([np.zeros(3 * SAMPLE_RATE, np.float32)])
        _convert_whole(model, target, _without_none(example), list(map(_without_none, speech)))
    if checkpoint.family.input is Input.LOG_MEL:
        checkpoint.feature_extractor.save_pretrained(target)
    _describe(checkpoint, model).save(target)


def _convert_own(model: wav2vec2.Wav2Vec2, target: Path, speech: Sequence[Any]) -> None:
    """``speech``: normalised waveforms ``[1, n_samples]`` for int8; empty for fp32."""
    import openvino
    import torch

    example = torch.randn(1, 3 * SAMPLE_RATE)
    encoder = _trace(model.encoder, example)
    context = _trace(model.context, *_all_real(model.encoder(example)))
    if speech:
        features = [_all_real(model.encoder(waveform)) for waveform in speech]
        if model.encoder.is_local:
            encoder = _in_int8(encoder, [(each,) for each in speech], exact=_FIRST_CONVOLUTION)
        context = _in_int8(context, features)
    openvino.save_model(encoder, target / ENCODER, compress_to_fp16=False)
    openvino.save_model(context, target / CONTEXT, compress_to_fp16=False)


def _convert_whole(
    model: Any, target: Path, example: tuple[Any, ...], speech: Sequence[tuple[Any, ...]]
) -> None:
    """``example`` and ``speech``: inputs of the model; the latter for int8, empty for fp32."""
    import openvino

    graph = _trace(model, *example)
    if speech:
        graph = _in_int8(graph, speech)
    openvino.save_model(graph, target / CONTEXT, compress_to_fp16=False)


def _without_none(inputs: tuple[Any, Any | None]) -> tuple[Any, ...]:
    """A front end's inputs; of waveforms alone there is no padding to describe."""
    return tuple(each for each in inputs if each is not None)


def _describe(checkpoint: Checkpoint, model: Any) -> ExportManifest:
    is_own = isinstance(model, wav2vec2.Wav2Vec2)
    return ExportManifest(
        checkpoint.vocabulary,
        checkpoint.grid,
        checkpoint.normalises,
        wav2vec2.PIECE_FRAMES if is_own and model.encoder.is_local else None,
        is_split=is_own,
        takes_log_mel=checkpoint.family.input is Input.LOG_MEL,
        min_samples=checkpoint.family.min_samples(checkpoint.config),
    )


_FIRST_CONVOLUTION = r".*convolutions\.0\..*"
"""Pattern of the encoder nodes that int8 leaves in fp32.

The first convolution reads the waveform, which needs more than 8 bits, and is a thousandth of the
work. Encoders with group norm stay in fp32 as a whole: their signals have no common scale, and int8
added 0.5 % (absolute) of character errors on the bundled English model, for an eighth of the work.
"""


def _spell_out_group_norms(model: Any) -> None:
    """Replace group norms over time by their arithmetic.

    In OpenVINO 2026.4 this is three times as fast as the built-in group norm, which needs two
    transposes on a time-major signal and crashes under ONEDNN_MAX_CPU_ISA=AVX2 on a processor with
    AVX-512.
    """
    import torch

    class SpelledOutNorm(torch.nn.Module):
        def __init__(self, norm: Any, *, time_major: bool) -> None:
            super().__init__()
            self.norm, self.time_major = norm, time_major

        def forward(self, signal: Any) -> Any:
            time, weight, bias = 1, self.norm.weight, self.norm.bias
            if not self.time_major:
                time, weight, bias = 2, weight[:, None], bias[:, None]
            variance, mean = torch.var_mean(signal, dim=time, correction=0, keepdim=True)
            return (signal - mean) * (torch.rsqrt(variance + self.norm.eps) * weight) + bias

    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if isinstance(child, wav2vec2.ChannelNorm):
                setattr(parent, name, SpelledOutNorm(child.norm, time_major=True))
            elif isinstance(child, torch.nn.GroupNorm) and child.num_groups == child.num_channels:
                setattr(parent, name, SpelledOutNorm(child, time_major=False))


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
        # Symmetric, so without zero points. OpenVINO compiles those behind an activation function
        # into kernels, and each layer then needs its own for every length: half a second of work
        # for XLSR-large on AMX (docs/library-faults.md).
        preset=nncf.QuantizationPreset.PERFORMANCE,
        subset_size=len(inputs),
        ignored_scope=nncf.IgnoredScope(patterns=[exact] if exact else []),
    )


def _trace(module: Any, *examples: Any) -> Any:
    """Trace a module to an OpenVINO graph with a dynamic second dimension."""
    import openvino
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about dynamic sizes, which a test covers
        # By default a module is traced twice and the two compared; `stt optimize` compares texts.
        traced = TorchScriptPythonDecoder(
            module, example_input=examples, trace_kwargs={"check_trace": False}
        )
        graph = openvino.convert_model(traced)
    shapes = [[1, -1, *example.shape[2:]] for example in examples]
    graph.reshape(dict(zip(graph.inputs, shapes, strict=True)))
    return graph
