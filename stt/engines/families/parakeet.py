"""Parakeet CTC (NVIDIA): Fast Conformer (Rekesh et al., 2023, arXiv:2305.05084).

Log-mel features in, one frame every 80 ms.
"""

from typing import Any

from stt.engines.families import convolutions
from stt.engines.families.base import Family, Input
from stt.types import FrameGrid

MEL_STRIDE_SAMPLES = 160
"""10 ms; transformers' ParakeetFeatureExtractor calls it ``hop_length``."""


def _grid(config: Any, feature_extractor: Any) -> FrameGrid:
    hop = feature_extractor.hop_length
    frames = FrameGrid(hop, hop)  # transformers counts whole hops
    encoder = config.encoder_config
    kernel, stride = encoder.subsampling_conv_kernel_size, encoder.subsampling_conv_stride
    for _ in range(encoder.subsampling_factor.bit_length() - 1):
        frames = frames.subsampled(kernel, stride, padding=(kernel - 1) // 2)
    return frames


FAMILY = Family(
    name="Parakeet CTC",
    architecture="ParakeetForCTC",
    input=Input.LOG_MEL,
    grid=_grid,
    is_padding_safe=lambda config: True,  # every layer masks it
    load=convolutions.load_transformers,
    # The features' variance needs two mel frames.
    min_samples=lambda config: 2 * MEL_STRIDE_SAMPLES,
)
