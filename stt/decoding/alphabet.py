"""The letters that a vocabulary writes with; texts as those letters.

A *letter* is what hotwords and language models are matched by: a jamo, a syllable or a Latin
letter, whatever the symbols are made of. So it does not matter how a checkpoint cuts words into
pieces.
"""

import unicodedata
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stt.decoding import hangul
from stt.decoding.scripts import has_unspaced
from stt.decoding.spelling import SPACE, speller_of
from stt.normalisation import compose
from stt.types import Vocabulary

_APOSTROPHES = str.maketrans("’‘ʼ＇`", "'''''")


class Writing(NamedTuple):
    """What each column writes, for compiled code."""

    firsts: NDArray[np.int32]
    """``[n_vocab + 1]``: where the letters of each column begin in ``letters``."""
    letters: NDArray[np.int32]
    """Letters of all columns, in order."""
    ends_before: NDArray[np.bool_]
    """``[n_vocab]``: whether a word ends before what the column writes."""
    ends_after: NDArray[np.bool_]
    """``[n_vocab]``: whether one ends after it."""
    stands_alone: NDArray[np.bool_]
    """``[n_letters]``: whether a letter is a word of its own, as in scripts without spaces."""


@dataclass(frozen=True, eq=False)
class Alphabet:
    """The letters of one vocabulary, by number."""

    numbers: dict[str, int]
    writing: Writing
    forms: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """The letters of characters that were found before. Others are not kept: requests may have any
    of Unicode's million."""

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> "Alphabet":
        """Number the letters of a vocabulary."""
        speller = speller_of(vocabulary)
        pieces = [speller.pieces(column) for column in range(len(vocabulary.symbols))]
        texts = ["".join(piece for piece in each if piece != SPACE) for each in pieces]
        numbers: dict[str, int] = {}
        for text in texts:
            for letter in text:
                numbers.setdefault(letter, len(numbers))
        lengths = [len(text) for text in texts]
        writing = Writing(
            firsts=np.cumsum([0, *lengths]).astype(np.int32),
            letters=np.array([numbers[letter] for letter in "".join(texts)], np.int32),
            ends_before=np.array([each[:1] == (SPACE,) for each in pieces]),
            ends_after=np.array([each[-1:] == (SPACE,) for each in pieces]),
            stands_alone=np.array(
                [not speller.has_spaces or has_unspaced(letter) for letter in numbers], np.bool_
            ),
        )
        return cls(numbers, writing)

    @property
    def is_ambiguous(self) -> bool:
        """Whether letters do not tell where a syllable ends: 한 and ㅏ are 하나."""
        return any(map(hangul.is_vowel, self.numbers)) and not any(
            map(hangul.has_syllables, self.numbers)
        )

    def spell(self, word: str) -> tuple[list[int], str]:
        """The letters of a word, and those of its characters that the vocabulary cannot write.

        Case, width, apostrophes and marks are taken as the vocabulary has them. White space and
        punctuation are skipped.
        """
        letters: list[int] = []
        missing = ""
        for character in compose(word):
            found = self.forms.get(character)
            if found is None and (form := form_in(self.numbers, character)) is not None:
                found = self.forms[character] = tuple(self.numbers[letter] for letter in form)
            if found is not None:
                letters += found
            elif character.isalnum():
                missing += character
        return letters, missing


def form_in(letters: Container[str], character: str) -> str | None:
    """A character as these letters write it: in its own case if they can, as a syllable or as jamo.

    None if they cannot.
    """
    for form in (character, *_forms(character)):
        written = "".join(each if each in letters else hangul.take_apart(each) for each in form)
        if written and all(map(letters.__contains__, written)):
            return written
    return None


def _forms(character: str) -> Iterator[str]:
    """A character as vocabularies may have it, best first."""
    plain = character.translate(_APOSTROPHES)
    compatible = unicodedata.normalize("NFKC", plain)
    for form in (plain, compatible):
        yield from (form, form.lower(), form.upper())
    jamo = unicodedata.normalize("NFD", compatible)
    yield jamo
    if hangul.is_hangul(character):
        yield hangul.as_typed(jamo)
    else:
        bare = "".join(mark for mark in jamo if not unicodedata.combining(mark))
        yield from (bare, bare.lower(), bare.upper())
