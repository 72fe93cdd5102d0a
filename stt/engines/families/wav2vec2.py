"""Wav2Vec2 (Baevski et al., 2020, arXiv:2006.11477), XLSR, XLS-R, MMS and Omnilingual ASR CTC."""

from stt.engines.families import convolutions
from stt.engines.families.base import Family

FAMILY = Family(
    name="Wav2Vec2",
    architecture="Wav2Vec2ForCTC",
    grid=convolutions.grid,
    is_padding_safe=convolutions.with_layer_norm,
    load=convolutions.load,
)
