"""Finds numbers in spoken words, with text2num."""

from collections.abc import Sequence
from dataclasses import dataclass

from text_to_num import find_numbers

from stt.english import lexicon

_LINKS = frozenset({"a", "an", "point"})
"""Words within numbers."""


@dataclass(frozen=True)
class Number:
    """A number among words, as digits."""

    first: int
    end: int
    """The word after it."""
    text: str
    """Digits without commas: 2500, 3.14, 21st."""
    is_ordinal: bool
    words: tuple[str, ...]

    @property
    def value(self) -> int | None:
        """Of a cardinal without decimals."""
        return int(self.text) if self.text.isdecimal() else None

    @property
    def rank(self) -> int:
        """Of an ordinal, 21 of 21st; 0 if it is none or a fraction (thirds)."""
        digits = self.text.rstrip("dhnrst")
        is_one = self.is_ordinal and not self.words[-1].endswith("s")
        return int(digits) if is_one and digits.isdecimal() else 0

    @property
    def is_scale(self) -> bool:
        """Whether it is only a scale, as in a hundred, a few thousand."""
        return all(word in lexicon.SCALES for word in self.words)

    def is_between(self, least: int, most: int) -> bool:
        """Whether it is a whole cardinal of this size, both bounds included."""
        return self.value is not None and least <= self.value <= most


def find(words: Sequence[str]) -> list[Number]:
    """The numbers in words of lower case, in order."""
    tokens = [_Word(word, words[n - 1] if n else "") for n, word in enumerate(words)]
    return [
        Number(
            each.start, each.end, each.text, each.is_ordinal, tuple(words[each.start : each.end])
        )
        for each in find_numbers(tokens, "en", 0.0)
    ]


@dataclass(frozen=True)
class _Word:
    """A word as text2num takes it: see its protocol `Token`."""

    word: str
    previous: str

    def text(self) -> str:
        return "zero" if self.word in lexicon.ZERO_LETTERS else self.word

    def nt_separated(self, previous: "_Word") -> bool:
        return False

    def not_a_number_part(self) -> bool:
        """Leave out what text2num reads too freely.

        What the lexicon has not, such as plurals (hundreds, twenty fives), the letter o but for
        decimals (three point oh five), and "and" where no scale is before it: it would join twenty
        and five.
        """
        if self.word == "and":
            return self.previous not in lexicon.SCALES
        if self.word in lexicon.ZERO_LETTERS:
            return self.previous not in lexicon.ZERO_LETTERS | {"point"}
        return not (lexicon.is_number(self.word) or self._is_fraction() or self.word in _LINKS)

    def _is_fraction(self) -> bool:
        return self.word.endswith("s") and lexicon.is_ordinal(self.word[:-1])
