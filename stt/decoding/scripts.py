"""Which characters are written without spaces between words, and which never stand alone.

Decided by each character's script, not by language: a Japanese text may have English words in it.
"""

import unicodedata
from functools import lru_cache

UNSPACED = (
    "CJK ",
    "IDEOGRAPHIC ",
    "KANGXI ",
    "HIRAGANA",
    "KATAKANA",
    "HALFWIDTH KATAKANA",
    "BOPOMOFO",
    "YI SYLLABLE",
    "THAI",
    "LAO",
    "KHMER",
    "MYANMAR",
    "TIBETAN",
    "JAVANESE",
    "BALINESE",
    "TAI ",
    "NEW TAI LUE",
)
"""How the names of characters begin in scripts that are written without spaces between words."""

_BEFORE_ITS_CONSONANT = frozenset("เแโใไເແໂໃໄ")
"""Vowels of Thai and Lao that are written, and encoded, before the consonant they follow."""
_AFTER_ITS_CONSONANT = frozenset("ะาำๅະາຳຽ")
"""Vowels of Thai and Lao that are letters in Unicode, not marks."""
_STACKING = frozenset("\u17d2\u1039\u1a60")
"""Signs that put the next consonant below: Khmer coeng, Burmese virama, Tai Tham sakot."""
_HALFWIDTH_MARKS = frozenset("\uff9e\uff9f")
"""Voiced sound marks of halfwidth katakana."""


@lru_cache(maxsize=4096)
def is_unspaced(character: str) -> bool:
    """Whether this is a letter or mark of a script without spaces; digits and signs are not."""
    if unicodedata.category(character) not in ("Lo", "Lm", "Mn", "Mc", "Nl", "So"):
        return False
    return unicodedata.name(character, "").startswith(UNSPACED)


def has_unspaced(text: str) -> bool:
    """Whether any character is of a script without spaces."""
    return any(map(is_unspaced, text))


@lru_cache(maxsize=4096)
def leans_back(character: str) -> bool:
    """Whether this is a mark or a vowel that belongs to the character before it."""
    return (
        unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf")
        or character in _AFTER_ITS_CONSONANT
        or character in _HALFWIDTH_MARKS
    )


def leans_forward(character: str) -> bool:
    """Whether the character after this one belongs to it."""
    return character in _BEFORE_ITS_CONSONANT or character in _STACKING


def opens(character: str) -> bool:
    """Whether this is an opening bracket or quotation mark."""
    return unicodedata.category(character) in ("Ps", "Pi")


def closes(character: str) -> bool:
    """Whether this is punctuation that stands at the end of something: ``。``, ``、``, ``」``."""
    return unicodedata.category(character) in ("Pe", "Pf", "Po")


_NOT_FIRST = frozenset("ーぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ々ゝゞヽヾ")


def may_begin_line(character: str) -> bool:
    """Whether a line may begin with this character, by the rules of Japanese (JLREQ, kinsoku)."""
    return character not in _NOT_FIRST and not closes(character)
