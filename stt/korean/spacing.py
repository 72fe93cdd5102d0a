"""Where a long Korean word should have spaces: 내일강남역앞에서만나요 is 내일 강남역 앞에서 만나요.

Breaks follow from the morphemes: the orthography separates words, but not particles, endings and
suffixes. The rules are cautious, because an analyser takes what a model misheard for several short
words: they only split, never join, and only words that are longer than most.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from stt.korean import numerals

MIN_SYLLABLES = 6
"""Shorter words are left alone: 97 in 100 words of everyday Korean have up to five syllables."""
MIN_SYLLABLES_OF_COMPOUNDS = 8
"""Nouns may be written together (서비스센터), so compounds are split only in even longer words."""
PIECE_CHARACTERS, LOOKAHEAD_CHARACTERS = 200, 40
"""Longer words are analysed in pieces, so that time is proportional to length. Breaks in the last
characters of a piece are left to the next piece, which also sees what follows them."""

_BEGIN_A_WORD = ("N", "M", "IC", "VV", "VA", "VX", "VCN", "XR", "XPN")
"""First letters of the tags of morphemes that can begin a word."""
_NO_SPACE_AFTER = ("XPN", "S", "W", "U")
"""First letters of the tags that no space follows: prefixes, signs, and what is no word."""
_JOINED_AUXILIARIES = ("하", "지")
"""Auxiliary verbs that are always joined: 좋아하다, 예뻐지다. All others may stand apart."""
_NUMERALS = frozenset(
    numerals.SINO_DIGITS + "공륙십백천만억조하나둘셋넷" + "".join(numerals.NATIVE_VALUES)
)
"""The syllables of numbers."""


@dataclass(frozen=True)
class Morpheme:
    """A part of a word."""

    form: str
    """As in a dictionary."""
    tag: str
    """Its part of speech, in Kiwi's extension of the Sejong tag set."""
    start: int
    """Index of its first character."""
    end: int
    """Index after its last one. Where letters are contracted, morphemes overlap."""


Analyse: TypeAlias = Callable[[str], Sequence[Morpheme]]
"""The morphemes of a text, in order."""


def open_analyser() -> Analyse:
    """Load the morphological analyser, which takes seconds and some 320 MB of memory.

    The function that it returns can be called from several threads.

    Raises:
        ImportError: the extra ``spacing`` is not installed.
    """
    from kiwipiepy import Kiwi

    # Dictionaries of phrases and of misspellings take 190 MB more and do not change the spaces.
    kiwi = Kiwi(num_workers=1, load_multi_dict=False, load_typo_dict=False)

    def analyse(text: str) -> list[Morpheme]:
        return [Morpheme(each.form, each.tag, each.start, each.end) for each in kiwi.tokenize(text)]

    analyse("띄어쓰기")  # the first call builds its tables
    return analyse


def find_breaks(word: str, analyse: Analyse) -> list[int]:
    """The indices of a word at which a space is missing, ascending.

    Args:
        word: In NFC, without white space.
        analyse: See `open_analyser`.
    """
    if sum(map(_is_syllable, word)) < MIN_SYLLABLES:
        return []
    breaks: list[int] = []
    begin = 0
    while len(word) - begin > PIECE_CHARACTERS:
        piece = word[begin : begin + PIECE_CHARACTERS]
        last = len(piece) - LOOKAHEAD_CHARACTERS
        found = [at for at in _breaks(piece, len(word), analyse) if at <= last]
        breaks += [begin + at for at in found]
        begin += found[-1] if found and found[-1] >= last // 2 else last
    return breaks + [begin + at for at in _breaks(word[begin:], len(word), analyse)]


def _breaks(text: str, n_characters: int, analyse: Analyse) -> Iterator[int]:
    """The breaks of a word, or of a piece of one with ``n_characters``."""
    morphemes = [each for each in analyse(text) if each.start < each.end]
    for one, other in pairwise(morphemes):
        at = other.start
        if (
            one.end <= at  # not a contraction
            and _needs_space(one, other)
            and not (_is_numeral(one) and _is_numeral(other))
            and (n_characters >= MIN_SYLLABLES_OF_COMPOUNDS or not _is_compound(one, other))
            and _is_syllable(text[at - 1])
            and _is_syllable(text[at])
        ):
            yield at


def _needs_space(one: Morpheme, other: Morpheme) -> bool:
    """Whether the orthography puts a space between neighbours."""
    if other.tag.startswith("VX") and other.form in _JOINED_AUXILIARIES:
        return False
    return other.tag.startswith(_BEGIN_A_WORD) and not one.tag.startswith(_NO_SPACE_AFTER)


def _is_compound(one: Morpheme, other: Morpheme) -> bool:
    return one.tag.startswith("NN") and other.tag.startswith("NN")


def _is_numeral(morpheme: Morpheme) -> bool:
    return morpheme.tag[0] in "NM" and _NUMERALS.issuperset(morpheme.form)


def _is_syllable(character: str) -> bool:
    return "가" <= character <= "힣"
