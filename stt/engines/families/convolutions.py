"""What the families share whose encoder is Wav2Vec2's stack of convolutions over the waveform."""

from typing import Any

from stt.engines.families.base import Checkpoint, Layers
from stt.types import FrameGrid

OWN_FORWARD = frozenset({"wav2vec2", "hubert", "unispeech", "unispeech-sat"})
"""Model types with the arithmetic of `stt.engines.wav2vec2`."""


def grid(config: Any, feature_extractor: Any) -> FrameGrid:
    """The frames of the convolutions, and of the adapter that some checkpoints have behind them."""
    frames = FrameGrid.of_convolutions(config.conv_kernel, config.conv_stride)
    if getattr(config, "add_adapter", False):
        for _ in range(config.num_adapter_layers):
            frames = frames.subsampled(config.adapter_kernel_size, config.adapter_stride, padding=1)
    return frames


def never(config: Any) -> bool:
    """Padding is never harmless."""
    return False


def with_layer_norm(config: Any) -> bool:
    """Padding is harmless if no layer mixes frames but those that take a mask.

    Group norm, as in wav2vec2-base-960h, is over time; a subsampling adapter and HuBERT's batch
    norm of positions turn masked zeros into something else.
    """
    return (
        config.feat_extract_norm == "layer"
        and not getattr(config, "add_adapter", False)
        and not getattr(config, "conv_pos_batch_norm", False)
    )


def has_own_forward(config: Any) -> bool:
    """Whether `stt.engines.wav2vec2` computes the checkpoint."""
    return (
        config.model_type in OWN_FORWARD
        and config.hidden_act == config.feat_extract_activation == "gelu"
        and not getattr(config, "add_adapter", False)
        and not getattr(config, "conv_pos_batch_norm", False)
        and getattr(config, "feat_proj_layer_norm", True)
    )


def load(checkpoint: Checkpoint, dtype: Any, layers: Layers) -> Any:
    """Load our own forward where it applies, else transformers' class."""
    if not has_own_forward(checkpoint.config):
        return load_transformers(checkpoint, dtype, layers)
    from stt.engines import wav2vec2
    from stt.engines.weights import Weights, adapter_weights

    read = Weights(checkpoint.folder, dtype)
    is_one_of_many = checkpoint.language is not None
    read_head = adapter_weights(checkpoint, dtype) if is_one_of_many else read
    head = wav2vec2.Head(checkpoint.config, read_head)
    _check_width(head, checkpoint)
    key = (checkpoint.folder, str(dtype))
    shared = layers.get(key)
    if shared is None:
        shared = layers[key] = wav2vec2.SharedLayers(checkpoint.config, read)
    return wav2vec2.Wav2Vec2(checkpoint.grid, shared, head)


def _check_width(head: Any, checkpoint: Checkpoint) -> None:
    """
    Raises:
        ModelBroken: the output layer has other columns than the vocabulary.
    """
    from stt.engines.transformers import mismatch

    found = tuple(head.output.weight.shape)
    expected = (len(checkpoint.vocabulary.symbols), found[1])
    if found != expected:
        raise mismatch("lm_head.weight", found, expected)


def load_transformers(checkpoint: Checkpoint, dtype: Any, layers: Layers) -> Any:
    """Load transformers' class."""
    from stt.engines.transformers import load_transformers_model

    return load_transformers_model(checkpoint, dtype)
