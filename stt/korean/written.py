"""Spoken Korean as it is written: 세 시 삼십 분 becomes 3시 30분 (inverse text normalisation).

Cautious: words that only look like numbers (만났다, 이사, 천천히) stay, and so does what could be
something else (이 분, 한 번).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stt.korean import contacts, latin, numbers, numerals, uncounted
from stt.korean.numbers import Context, Found, tail_at
from stt.normalisation import compose

_FINDERS = (
    contacts.phone,
    contacts.email,
    contacts.web,
    uncounted.fraction,
    uncounted.ratio,
    uncounted.decimal,
    numbers.counted,
    uncounted.bare,
    uncounted.digit_run,
)
"""The first that finds something decides."""
_MOST_WORDS = 12
"""Words that one written word can take, and that decide on it: an address spelled letter by
letter."""
START = Context()
_MOST_CHARACTERS = 40
"""Longer words are not read as Korean numbers."""


@dataclass(frozen=True)
class Written:
    """A written word, or a spoken one that stays, and the spoken words that it stands for."""

    text: str
    first_word: int
    last_word: int
    """Included."""
    after: Context = field(default=START, compare=False)
    """What stands before the next word."""


def written(
    words: Sequence[str],
    abbreviations: Mapping[str, str] = latin.ABBREVIATIONS,
    before: Context = START,
) -> list[Written]:
    """The written form of spoken words, in order; every word is in exactly one span.

    Args:
        words: Spoken words without spaces.
        abbreviations: Written forms by spoken ones (에이아이: AI).
        before: What stands before the first word.
    """
    composed = [compose(word) for word in words]
    spans: list[Written] = []
    position, context = 0, before
    while position < len(words):
        found = _find(composed, position, context, abbreviations)
        n_words, text, counter = 1, words[position], ""
        if found:
            spoken = " ".join(composed[position : position + _MOST_WORDS])[: found.n_characters]
            n_words, text, counter = spoken.count(" ") + 1, found.written, found.counter
        position += n_words
        context = Context(composed[position - 1], counter)
        spans.append(Written(text, position - n_words, position - 1, context))
    return spans


def open_from(words: Sequence[str]) -> int:
    """The first word whose written form can still change when more words follow.

    That of the words before is final, which is what a live session may send: the last word is open
    because the next one may decide (이 분 후에), and so is all before it that could be one number
    or address with it.
    """
    position = max(0, len(words) - 1)
    first = max(0, len(words) - _MOST_WORDS + 1)
    while position > first and _INNER_WORD.fullmatch(compose(words[position - 1])):
        position -= 1
    return position


_INNER_WORD = re.compile(
    rf"(?:{numbers.NUMBER_WORD}|{latin.SPELLED_WORD}|{contacts.INNER_WORD}|[{numerals.SINO_DIGITS}공십백천만]*분의|대)"
)
"""A word that is not the last one of a number or an address, or need not be."""


def _find(
    words: Sequence[str], position: int, context: Context, abbreviations: Mapping[str, str]
) -> Found | None:
    if not _may_change(words[position]):
        return None
    ahead = []
    for word in words[position : position + _MOST_WORDS]:
        if len(word) > _MOST_CHARACTERS or not word:
            break
        ahead.append(word)
    text = " ".join(ahead)
    for finder in _FINDERS:
        if found := finder(text, context):
            return found
    return _abbreviation(text, abbreviations)


def _may_change(word: str) -> bool:
    return 0 < len(word) <= _MOST_CHARACTERS and "가" <= word[0] <= "힣"


def _abbreviation(text: str, abbreviations: Mapping[str, str]) -> Found | None:
    """An abbreviation of the list in one word or in two, with its particles."""
    first, _, rest = text.partition(" ")
    second = rest.partition(" ")[0]
    for candidate, n_spaces in ((first + second, 1), (first, 0)):  # the longest: 지피티 포
        if n_spaces and not (second and latin.letters_of(first)):
            continue
        for end in range(len(candidate), 1, -1):
            spoken = candidate[:end]
            if spoken not in abbreviations or (n_spaces and end <= len(first)):
                continue
            tail = tail_at(candidate, end)
            if tail is not None and (not tail or latin.takes_particles(spoken)):
                return Found(abbreviations[spoken] + tail, len(candidate) + n_spaces)
    return None
