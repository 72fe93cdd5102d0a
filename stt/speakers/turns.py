"""The turns of speakers, and the seam to whatever finds them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias


@dataclass(frozen=True)
class SpeakerTurn:
    """Somebody speaks without a longer pause; others may speak at the same time."""

    start: float
    """Seconds from the start of the recording."""
    end: float
    speaker: int
    """A number that means the same speaker everywhere in the recording."""


FindSpeakers: TypeAlias = Callable[[BinaryIO], Awaitable[tuple[SpeakerTurn, ...]]]
"""Finds who speaks when, in order of the starts. Takes a file of 16-bit samples at 16 kHz, mono."""
