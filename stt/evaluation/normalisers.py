"""What is done to references and hypotheses before they are compared."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from stt.evaluation.nearest import Nearest, nearest
from stt.evaluation.readers import Reader
from stt.evaluation.spellings import spoken, spoken_reference
from stt.evaluation.transcriptions import Reference
from stt.normalisation import normalise_basic

Normaliser = Callable[[Reader, Reference, str], Nearest]
"""A reference and a hypothesis -> the texts to compare."""


def none(_: Reader, reference: Reference, hypothesis: str) -> Nearest:
    """Texts as they are."""
    return Nearest(reference.text, hypothesis, reference.text)


def basic(_: Reader, reference: Reference, hypothesis: str) -> Nearest:
    """NFC, lower case, no punctuation, single spaces."""
    text = normalise_basic(reference.text)
    return Nearest(text, normalise_basic(hypothesis), text)


def reading(reader: Reader, reference: Reference, hypothesis: str) -> Nearest:
    """How both are said; where there are several ways, those that are nearest to each other."""
    return nearest(spoken_reference(reader, reference), spoken(reader, hypothesis))


DEFAULT_NORMALISER = "basic"
READING = "reading"
NORMALISERS: Mapping[str, Normaliser] = MappingProxyType(
    {DEFAULT_NORMALISER: basic, "none": none, READING: reading}
)
"""By name."""
