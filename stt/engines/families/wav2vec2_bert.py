"""Wav2Vec2-BERT (Barrault et al., 2023, arXiv:2312.05187): log-mel features in, two a frame."""

from typing import Any

from stt.engines.families import convolutions
from stt.engines.families.base import Family, Input
from stt.types import FrameGrid

MEL_SAMPLES, MEL_STRIDE_SAMPLES = 400, 160
"""What transformers' SeamlessM4TFeatureExtractor fixes: 25 ms every 10 ms."""


def _grid(config: Any, feature_extractor: Any) -> FrameGrid:
    # An odd last mel frame gets a frame of its own, filled with zeros.
    frames = FrameGrid(MEL_STRIDE_SAMPLES * feature_extractor.stride, MEL_SAMPLES)
    if config.add_adapter:
        for _ in range(config.num_adapter_layers):
            frames = frames.subsampled(
                config.adapter_kernel_size, config.adapter_stride, config.adapter_stride // 2
            )
    return frames


FAMILY = Family(
    name="Wav2Vec2-BERT",
    architecture="Wav2Vec2BertForCTC",
    input=Input.LOG_MEL,
    grid=_grid,
    # The adapter's convolutions see the padding, which is not zero there.
    is_padding_safe=lambda config: not config.add_adapter,
    load=convolutions.load_transformers,
    # Rotary positions are cached for one length, which a trace would keep.
    can_optimize=lambda config: config.position_embeddings_type != "rotary",
    # The features' variance needs two mel frames.
    min_samples=lambda config: MEL_SAMPLES + MEL_STRIDE_SAMPLES,
)
