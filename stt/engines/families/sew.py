"""SEW and SEW-D (Wu et al., 2021, arXiv:2109.06870).

Their transformers work on pairs of frames, whose average the padding changes.
"""

from typing import Any

from stt.engines.families import convolutions
from stt.engines.families.base import Family


def _min_samples(config: Any) -> int:
    """transformers' classes fail on fewer frames than they squeeze into one."""
    return convolutions.grid(config, None).n_samples(config.squeeze_factor)


SEW, SEW_D = (
    Family(
        name=name,
        architecture=architecture,
        grid=convolutions.grid,
        is_padding_safe=convolutions.never,
        load=convolutions.load_transformers,
        min_samples=_min_samples,
    )
    for name, architecture in (("SEW", "SEWForCTC"), ("SEW-D", "SEWDForCTC"))
)
