"""How words are said, by language."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Protocol

from stt.korean import latin
from stt.korean.readings import needs_reading, readings
from stt.normalisation import normalise_basic

Spelling = tuple[str, ...]
"""Ways to spell a word or a few, the usual one first; words with single spaces, or empty."""

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}


class Reader(Protocol):
    """Knows how words are said."""

    def read(self, text: str) -> Sequence[Spelling]:
        """The spellings of each word, normalised as `normalise_basic` does."""
        ...


class Unread:
    """Reads nothing: words are spelled one way, without case and punctuation."""

    def read(self, text: str) -> Sequence[Spelling]:
        """See `Reader.read`."""
        return [(normalise_basic(word),) for word in text.split()]


class KoreanReader:
    """Reads numbers, units, signs and Latin letters as Korean."""

    def __init__(self, abbreviations: Mapping[str, str] = latin.ABBREVIATIONS) -> None:
        """Take the written forms of abbreviations by spoken ones."""
        self._abbreviations = abbreviations
        # A recording's texts are read for several rates.
        self.read = lru_cache(maxsize=1024)(self._read)

    def _read(self, text: str) -> Sequence[Spelling]:
        words = [word if word.isascii() else _visible(word) for word in text.split()]
        text = " ".join(words)
        if not needs_reading(text):
            return [(normalise_basic(word),) for word in words]
        return [
            tuple(dict.fromkeys(map(normalise_basic, reading.spoken)))
            for reading in readings(text, self._abbreviations)
        ]


READERS: Mapping[str, Callable[[Mapping[str, str]], Reader]] = MappingProxyType(
    {"ko": KoreanReader}
)
"""By ISO 639-1 code; they take abbreviations, as `KoreanReader` does."""


def _visible(word: str) -> str:
    """Without characters of no width, and with ASCII for its wide forms."""
    wide = word.translate(_FULL_WIDTH)
    return "".join(each for each in wide if unicodedata.category(each) != "Cf") or word
