"""What is done to references and hypotheses before they are compared."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from stt.normalisation import normalise_basic

DEFAULT_NORMALISER = "basic"
NORMALISERS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {DEFAULT_NORMALISER: normalise_basic, "none": lambda text: text}
)
"""By name."""
