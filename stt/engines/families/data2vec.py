"""Data2Vec-audio (Baevski et al., 2022, arXiv:2202.03555).

Its positions come from five convolutions, and only the first one's padding is masked.
"""

from stt.engines.families import convolutions
from stt.engines.families.base import Family

FAMILY = Family(
    name="Data2Vec-audio",
    architecture="Data2VecAudioForCTC",
    grid=convolutions.grid,
    is_padding_safe=convolutions.never,
    load=convolutions.load_transformers,
)
