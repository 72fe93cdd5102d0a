"""UniSpeech (Wang et al., 2021, arXiv:2101.07597) and UniSpeech-SAT (Chen et al., 2021,
arXiv:2110.05752)."""

from stt.engines.families import convolutions
from stt.engines.families.base import Family

UNISPEECH, UNISPEECH_SAT = (
    Family(
        name=name,
        architecture=architecture,
        grid=convolutions.grid,
        is_padding_safe=convolutions.with_layer_norm,
        load=convolutions.load,
    )
    for name, architecture in (
        ("UniSpeech", "UniSpeechForCTC"),
        ("UniSpeech-SAT", "UniSpeechSatForCTC"),
    )
)
