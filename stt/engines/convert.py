"""A checkpoint -> OpenVINO's graph, as it is or in int8.

The graph is traced from `stt.engines.wav2vec2`. Its convolutions are matrix products on a
time-major signal, so a graph of any length needs no transposing: with transformers' own layout,
a graph for every length took 1.2 times as long as one for a single length, and each length of its
own would have needed a copy of the weights.
"""

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stt.engines import wav2vec2
from stt.engines.checkpoint import Checkpoint
from stt.engines.optimized import GRAPH, Description
from stt.engines.torch import load_model
from stt.errors import ConfigurationError
from stt.transcript import SAMPLE_RATE, Waveform

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
        import nncf
        import openvino
    except ImportError:
        raise ConfigurationError(
            "stt optimize needs openvino and nncf: install stt-ctc[openvino]."
        ) from None
    if not wav2vec2.supports(checkpoint.config):
        raise ConfigurationError(
            f"A {checkpoint.config.model_type} checkpoint cannot be optimised, only wav2vec2. Set "
            "STT_BACKEND=torch for it."
        )
    graph = _trace(checkpoint)
    if precision == "int8":
        inputs = [
            checkpoint.inputs([waveform], framework="np")["input_values"]
            for waveform in calibration
        ]
        graph = nncf.quantize(
            graph,
            nncf.Dataset(inputs),
            model_type=nncf.ModelType.TRANSFORMER,
            subset_size=len(inputs),
            ignored_scope=nncf.IgnoredScope(patterns=[_kept_exact(checkpoint)]),
        )
    openvino.save_model(graph, target / GRAPH, compress_to_fp16=False)
    Description(
        checkpoint.vocabulary, checkpoint.grid, bool(checkpoint.feature_extractor.do_normalize)
    ).save(target)


def _kept_exact(checkpoint: Checkpoint) -> str:
    """Names of the traced graph's nodes that int8 leaves alone, as a pattern.

    The first convolution hears the waveform itself, which 8 bits would coarsen; it is a thousandth
    of the work. Behind group norm, which follows the first alone, the other convolutions' signals
    have no common scale either: on the bundled English model they cost 0.5 % (absolute) of
    character errors, an eighth of the work.
    """
    if checkpoint.config.feat_extract_norm == "group":
        return r".*convolutions\..*"
    return r".*convolutions\.0/.*"


def _trace(checkpoint: Checkpoint) -> Any:
    """OpenVINO's graph from ``[1, any] float32`` to logits."""
    import openvino
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's doubts about sizes, which a test dispels
        graph = openvino.convert_model(
            load_model(checkpoint, "fp32"), example_input=torch.randn(1, 3 * SAMPLE_RATE)
        )
    graph.reshape([1, -1])
    return graph
