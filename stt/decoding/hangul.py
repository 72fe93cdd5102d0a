"""Hangul from letters: syllables where they compose, else the letters that people type.

Unicode has two kinds of letters. *Conjoining jamo* (U+1100 ...) tell an initial consonant from a
final one; NFC composes them. *Compatibility jamo* (U+3131 ...) are the letters on a keyboard, the
same for initial and final; only what follows tells which one a consonant is.
"""

import unicodedata
from collections.abc import Iterable, Iterator

from stt.normalisation import compose


def _jamo(kind: str, first: int, last: int) -> dict[str, str]:
    """The conjoining jamo of one kind in this range, by their letters."""
    jamo = {}
    for code in range(first, last + 1):
        name = unicodedata.name(chr(code)).removeprefix(f"HANGUL {kind} ")
        jamo[unicodedata.lookup(f"HANGUL LETTER {name}")] = chr(code)
    return jamo


_INITIALS = _jamo("CHOSEONG", 0x1100, 0x1112)
_VOWELS = _jamo("JUNGSEONG", 0x1161, 0x1175)
_FINALS = _jamo("JONGSEONG", 0x11A8, 0x11C2)
_SILENT = _INITIALS["ㅇ"]
_BARE_VOWELS, _BARE_FINALS = frozenset(_VOWELS.values()), frozenset(_FINALS.values())
_AS_FINAL = {_INITIALS[letter]: _FINALS[letter] for letter in _INITIALS.keys() & _FINALS.keys()}
"""The final jamo of the same consonant, by its initial one."""
_NEVER_FINAL = frozenset(_INITIALS.values()) - _AS_FINAL.keys()
_TYPED = {jamo: letter for kind in (_INITIALS, _VOWELS, _FINALS) for letter, jamo in kind.items()}

_VOWEL_COMPOUNDS = {
    "ㅘ": "ㅗㅏ",
    "ㅙ": "ㅗㅐ",
    "ㅚ": "ㅗㅣ",
    "ㅝ": "ㅜㅓ",
    "ㅞ": "ㅜㅔ",
    "ㅟ": "ㅜㅣ",
    "ㅢ": "ㅡㅣ",
}


def _final_compounds() -> Iterator[tuple[str, str]]:
    """``ㄳ``: ``ㄱㅅ`` and so on; the name of a compound names its two letters."""
    for letter in _FINALS:
        first, dash, second = unicodedata.name(letter).removeprefix("HANGUL LETTER ").partition("-")
        if dash:
            parts = (unicodedata.lookup(f"HANGUL LETTER {name}") for name in (first, second))
            yield letter, "".join(parts)


_COMPOUNDS = {**_VOWEL_COMPOUNDS, **dict(_final_compounds())}


def is_letter(text: str) -> bool:
    """Whether this is one modern compatibility jamo."""
    return text in _INITIALS or text in _FINALS or text in _VOWELS


def is_vowel(text: str) -> bool:
    """Whether this is one vowel among the compatibility jamo."""
    return text in _VOWELS


def has_syllables(text: str) -> bool:
    """Whether the text has syllables that are single characters."""
    return any("\uac00" <= character <= "\ud7a3" for character in text)


def is_hangul(character: str) -> bool:
    """Whether this is a syllable or a letter of either kind."""
    return unicodedata.name(character, "").startswith("HANGUL ")


def takes_final_alone(vowel: str, final: str) -> bool:
    """Whether these conjoining jamo are a syllable without its initial."""
    return vowel in _BARE_VOWELS and final in _BARE_FINALS


def absorbs(before: str, initial: str) -> bool:
    """Whether a silent initial after another one is a slip: ㄸ, ㅃ and ㅉ are never final."""
    return initial == _SILENT and before in _NEVER_FINAL


def is_lone(character: str) -> bool:
    """Whether this is a conjoining consonant without a vowel."""
    return character in _TYPED and character not in _BARE_VOWELS


def closed(syllable: str, initial: str) -> str | None:
    """An open syllable with a conjoining initial as its final; None if they do not compose."""
    if initial not in _AS_FINAL:
        return None
    composed = compose(syllable + _AS_FINAL[initial])
    return composed if len(composed) == 1 else None


def with_initial(jamo: str) -> str:
    """A syllable whose initial is missing, with the silent one; anything else as it is.

    A syllable that is spelled without an initial has ㅇ there, which has no sound, so a model may
    emit the conjoining vowel alone: 먹, ㅓ, ㅆ are 먹었.
    """
    return compose(_SILENT + jamo) if jamo[:1] in _BARE_VOWELS else jamo


def as_typed(text: str) -> str:
    """The text with lone conjoining jamo as the letters that people type."""
    return "".join(_TYPED.get(character, character) for character in text)


def take_apart(letter: str) -> str:
    """The two letters of a compound jamo; anything else as it is."""
    return _COMPOUNDS.get(letter, letter)


class Composer:
    """Composes compatibility jamo, for one vocabulary.

    Two letters are a compound (``ㄱㅅ``: ``ㄳ``, ``ㅗㅏ``: ``ㅘ``) only if the vocabulary has no
    symbol for it.
    """

    def __init__(self, symbols: Iterable[str]) -> None:
        missing = _COMPOUNDS.keys() - set(symbols)
        self._compounds = {_COMPOUNDS[letter]: letter for letter in missing}

    def compose(self, letters: str) -> str | None:
        """The one syllable or letter that these letters spell; None if they spell more."""
        if len(letters) == 1:
            return letters
        initial, rest = ("", letters) if is_vowel(letters[0]) else (letters[0], letters[1:])
        n_vowels = 2 if is_vowel(self._compounds.get(rest[:2], "")) else 1
        vowel, final = (
            self._compounds.get(part, part) for part in (rest[:n_vowels], rest[n_vowels:])
        )
        if vowel not in _VOWELS or (final and final not in _FINALS):
            return None
        if not initial:
            return None if final else vowel
        if initial not in _INITIALS:
            return None
        jamo = _INITIALS[initial] + _VOWELS[vowel] + _FINALS.get(final, "")
        return compose(jamo)
