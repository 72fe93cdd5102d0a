"""Every family that the service can compute."""

from collections.abc import Mapping
from typing import Any

from stt.engines.families import (
    conformer,
    data2vec,
    hubert,
    parakeet,
    sew,
    unispeech,
    wav2vec2,
    wav2vec2_bert,
    wavlm,
)
from stt.engines.families.base import Family
from stt.errors import ModelBroken

FAMILIES: tuple[Family, ...] = (
    wav2vec2.FAMILY,
    hubert.FAMILY,
    wavlm.FAMILY,
    data2vec.FAMILY,
    unispeech.UNISPEECH,
    unispeech.UNISPEECH_SAT,
    sew.SEW,
    sew.SEW_D,
    conformer.FAMILY,
    wav2vec2_bert.FAMILY,
    parakeet.FAMILY,
)


def family_of(config: Mapping[str, Any]) -> Family:
    """The family of a checkpoint, by its config.json.

    Raises:
        ModelBroken: it is of another kind.
    """
    architectures = config.get("architectures") or []
    for family in FAMILIES:
        if family.architecture in architectures:
            return family
    named = ", ".join(map(str, architectures)) or "not named in config.json"
    expected = ", ".join(family.architecture for family in FAMILIES)
    raise ModelBroken(
        f"The checkpoint's architecture is {named}; expected a CTC model: {expected}. Choose "
        "another with STT_MODELS; docs/models.md lists some."
    )
