"""WavLM (Chen et al., 2021, arXiv:2110.13900), which adds gated relative positions."""

from stt.engines.families import convolutions
from stt.engines.families.base import Family

FAMILY = Family(
    name="WavLM",
    architecture="WavLMForCTC",
    grid=convolutions.grid,
    is_padding_safe=convolutions.with_layer_norm,
    load=convolutions.load_transformers,
)
