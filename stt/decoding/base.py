"""The interface of a decoder: frames in, words out."""

from typing import Protocol, Self, TypeVar

from stt.frames import DecodableFrames
from stt.types import Word

D = TypeVar("D", bound=DecodableFrames, contravariant=True)


class Decoder(Protocol[D]):
    """Decodes one recording. Incremental: memory stays flat, and words leave early.

    Words are returned in order and never change.
    """

    def feed(self, frames: D) -> list[Word]:
        """Add the next frames, maybe none; return the words that no later frame can change."""
        ...

    def finish(self) -> list[Word]:
        """End the current word and return the words still open.

        May also be called in a pause: frames fed later start a new word, after a space in scripts
        that have spaces.
        """
        ...

    def copy(self) -> Self:
        """A decoder that continues from the same state, to preview unsettled words."""
        ...
