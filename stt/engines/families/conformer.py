"""Wav2Vec2-Conformer (from fairseq S2T, Wang et al., 2020, arXiv:2010.05171).

Its layers convolve over time, which transformers' class does not mask.
"""

from stt.engines.families import convolutions
from stt.engines.families.base import Family

FAMILY = Family(
    name="Wav2Vec2-Conformer",
    architecture="Wav2Vec2ConformerForCTC",
    grid=convolutions.grid,
    is_padding_safe=convolutions.never,
    load=convolutions.load_transformers,
    # Rotary positions are cached for one length, which a trace would keep.
    can_optimize=lambda config: config.position_embeddings_type != "rotary",
)
