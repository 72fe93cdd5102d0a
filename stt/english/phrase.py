"""The next words, the context before them, and what is found in them."""

from dataclasses import dataclass

from stt.english.lexicon import LINKS
from stt.english.numbers import Number

MOST_BEFORE = 3
"""Words before a number that can decide on it."""
_FAR = 9


@dataclass(frozen=True)
class Context:
    """What stands before a word."""

    words: tuple[str, ...] = ()
    """The last `MOST_BEFORE`, spoken, in lower case."""
    since_number: int = _FAR
    """How many words follow the last cardinal number that stays as it was spoken."""

    @property
    def last(self) -> str:
        """The word before; "" at the start."""
        return self.words[-1] if self.words else ""

    @property
    def is_joined(self) -> bool:
        """Whether a number that stays is directly before."""
        return self.since_number == 0

    @property
    def is_linked(self) -> bool:
        """Whether a number that stays is linked to what follows, as in five to ten."""
        n_words = self.since_number
        is_out_of = n_words == 2 and self.words[-2:] == ("out", "of")
        return self.is_joined or is_out_of or (n_words == 1 and self.last in LINKS)

    def after(self, words: tuple[str, ...], *, is_left: bool) -> "Context":
        """What stands behind these words. ``is_left``: they are a cardinal number that stays."""
        since = 0 if is_left else min(_FAR, self.since_number + len(words))
        return Context((self.words + words)[-MOST_BEFORE:], since)


@dataclass(frozen=True)
class Phrase:
    """The next words, from one that may be a number."""

    spoken: tuple[str, ...]
    words: tuple[str, ...]
    """The same in lower case, without punctuation."""
    numbers: tuple[Number, ...]
    context: Context

    def word(self, n: int) -> str:
        """A word; "" behind the last."""
        return self.words[n] if n < len(self.words) else ""

    def number_at(self, n: int) -> Number | None:
        """The number that begins with a word."""
        return next((each for each in self.numbers if each.first == n), None)


@dataclass(frozen=True)
class Found:
    """The first words of a phrase, as they are written."""

    n_words: int
    text: str
