"""Symbols -> characters: what a vocabulary's symbols write, and which of them belong together."""

import re
from collections.abc import Sequence
from functools import lru_cache

from stt.decoding import hangul, scripts
from stt.normalisation import compose
from stt.types import Vocabulary

SPACE = " "
"""The piece that ends a word."""
ATTACHED = (".", "?", "!", ",", "n't", "'m", "'s", "'ve", "'re")
"""Words that begin so lose the space before them if the vocabulary cleans up, as in transformers'
``clean_up_tokenization``."""


class Speller:
    """Spells with one vocabulary; never changes, so decoders share it.

    A *character* is the smallest thing that has a time: a symbol of the model, or several that are
    one character together, as jamo or a letter and its mark are.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._lower_case = vocabulary.lower_case
        self._attached = ATTACHED if vocabulary.cleans_up else ()
        written = [vocabulary.written(column) for column in range(len(vocabulary.symbols))]
        self.has_spaces = vocabulary.symbols_are_words or any(SPACE in text for text in written)
        """Whether the vocabulary writes anything between words."""
        self._has_runs = any(map(_has_characters_as_words, written))
        # Beside whole syllables, a ㅋ is a letter of its own.
        composes_letters = not any(map(hangul.has_syllables, written))
        self._composer = hangul.Composer(written) if composes_letters else None
        self._pieces = [self._cut(text, vocabulary.symbols_are_words) for text in written]

    def pieces(self, column: int) -> tuple[str, ...]:
        """What a column writes: parts of words, and `SPACE` between and around them."""
        return self._pieces[column]

    def join(self, before: str, piece: str) -> str | None:
        """A character and a piece as one character; None if the piece begins another."""
        if self._composer and hangul.is_letter(before[0]) and hangul.is_letter(piece):
            return None if self._composer.compose(before + piece) is None else before + piece
        if hangul.takes_final_alone(before, piece):
            return before + piece
        if hangul.absorbs(before, piece):
            return before
        joined = compose(before + piece)
        leans = scripts.leans_back(piece[0]) or scripts.leans_forward(before[-1])
        return joined if leans or len(joined) < len(before) + len(piece) else None

    def divides(self, before: str, character: str, *, is_unspaced: bool) -> bool:
        """Whether a word ends between two characters, though the model emits nothing there.

        Args:
            before: The last character of the word.
            character: The one after it.
            is_unspaced: Whether the word has characters of a script without spaces.
        """
        if scripts.closes(character[0]) or scripts.opens(before[-1]):
            return False
        if is_unspaced or scripts.has_unspaced(character):
            return True
        # Beside Hangul, Latin letters and digits form words even if nothing separates them.
        is_run = self._has_runs and _continues_run(before[-1]) and _continues_run(character[0])
        return not (self.has_spaces or is_run)

    def takes_final(self, before: str, piece: str) -> bool:
        """Whether the last letter of a syllable begins the next one: ``한`` and ``ㅏ`` are 하나."""
        if self._composer is None or not hangul.is_vowel(piece) or len(before) < 2:
            return False
        return hangul.is_letter(before[-1]) and not hangul.is_vowel(before[-1])

    def close(self, before: str, initial: str) -> str | None:
        """A character and the next one, an initial that no vowel follows, as one; else None."""
        return hangul.closed(before, initial)

    def is_stray(self, character: str) -> bool:
        """Whether nobody would write this character: a consonant that belongs to no syllable."""
        return hangul.is_lone(character)

    def keeps_space(self, word: str) -> bool:
        """Whether a word keeps the space that was written before it."""
        return not word.startswith(self._attached)

    def spell(self, characters: Sequence[str]) -> list[str]:
        """The text of each character of a word, in NFC."""
        shown = [self._shown(character) for character in characters]
        if not self._lower_case:
            return shown
        # The case of a letter can depend on its neighbours (Σ), the number of letters does not.
        whole, texts = "".join(shown).lower(), []
        for text in shown:
            n = len(text.lower())
            texts.append(compose(whole[:n]))
            whole = whole[n:]
        return texts

    def _shown(self, character: str) -> str:
        if self._composer and hangul.is_letter(character[0]):
            return self._composer.compose(character) or character
        return hangul.with_initial(character)

    def _cut(self, text: str, is_word: bool) -> tuple[str, ...]:
        pieces: list[str] = []
        for part in re.findall(r"\s+|\S+", text):
            if part.isspace():
                pieces.append(SPACE)
            elif self._composer and all(map(hangul.is_letter, part)):
                pieces += part
            else:
                pieces.append(part)
        return (SPACE, *pieces, SPACE) if is_word and pieces else tuple(pieces)


@lru_cache(maxsize=64)
def speller_of(vocabulary: Vocabulary) -> Speller:
    """The speller of a vocabulary; making one takes 4 ms for Korean syllables."""
    return Speller(vocabulary)


def _has_characters_as_words(text: str) -> bool:
    return scripts.has_unspaced(text) or any(map(hangul.is_hangul, text))


def _continues_run(character: str) -> bool:
    return character.isalnum() and not _has_characters_as_words(character)
