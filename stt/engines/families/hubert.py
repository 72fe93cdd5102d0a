"""HuBERT (Hsu et al., 2021, arXiv:2106.07447)."""

from stt.engines.families import convolutions
from stt.engines.families.base import Family

FAMILY = Family(
    name="HuBERT",
    architecture="HubertForCTC",
    grid=convolutions.grid,
    is_padding_safe=convolutions.with_layer_norm,
    load=convolutions.load,
)
