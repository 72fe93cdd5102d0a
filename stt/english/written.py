"""Spoken English as it is written: twenty five percent becomes 25% (inverse text normalisation).

Cautious: small numbers (no one, two of them) stay words, and so does what could be something else
(twenty four seven, a second).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from stt.english import lexicon, numbers, several, single
from stt.english.phrase import Context, Found, Phrase

_FINDERS = (several.time, several.year, several.digits, single.day, single.ordinal, single.amount)
"""The first that finds something decides."""
_MOST_WORDS = 24
"""Words that one written word can take, and that decide on it: a card's number, a sum of money."""
_MOST_CHARACTERS = 40
_PUNCTUATION = ".,;:!?"
START = Context()


@dataclass(frozen=True)
class Written:
    """A written word, or a spoken one that stays, and the spoken words that it stands for."""

    text: str
    first_word: int
    last_word: int
    """Included."""
    after: Context = field(default=START, compare=False)
    """What stands before the next word."""


def written(words: Sequence[str], before: Context = START) -> list[Written]:
    """The written form of spoken words, in order; every word is in exactly one span.

    Args:
        words: Spoken words without spaces, in any case.
        before: What stands before the first word.
    """
    plain = tuple(map(_plain, words))
    spans: list[Written] = []
    position, context = 0, before
    while position < len(words):
        ends = position + 1
        text = words[position]
        found = _find(words, plain, position, context)
        if found:
            ends = position + found.n_words
            last = words[ends - 1]
            text = found.text + last[len(last.rstrip(_PUNCTUATION)) :]
        is_left = not found and lexicon.is_cardinal(plain[position])
        context = context.after(plain[position:ends], is_left=is_left)
        if _ends_phrase(words[ends - 1]):
            context = START
        spans.append(Written(text, position, ends - 1, context))
        position = ends
    return spans


def open_from(words: Sequence[str]) -> int:
    """The first word whose written form can still change when more words follow."""
    first = max(0, len(words) - _MOST_WORDS + 1)
    position = len(words)
    while position > first and _is_inner(words[position - 1]):
        position -= 1
    while position < len(words) and not _may_begin(_plain(words[position])):
        position += 1
    return position


def _find(
    words: Sequence[str], plain: tuple[str, ...], position: int, context: Context
) -> Found | None:
    if not _may_begin(plain[position]):
        return None
    end = position + 1
    last = min(len(words), position + _MOST_WORDS)
    # text2num skips empty words, so one that is too long for a number would vanish within one.
    while end < last and plain[end] and not _ends_phrase(words[end - 1]):
        end += 1
    ahead = plain[position:end]
    phrase = Phrase(tuple(words[position:end]), ahead, tuple(numbers.find(ahead)), context)
    found = next(filter(None, (finder(phrase) for finder in _FINDERS)), None)
    return found if found and found.n_words < _MOST_WORDS else None


def _plain(word: str) -> str:
    """In lower case without punctuation; "" if it is too long for a number."""
    return word.rstrip(_PUNCTUATION).lower() if len(word) <= _MOST_CHARACTERS else ""


def _ends_phrase(word: str) -> bool:
    return word[-1:] != "" and word[-1] in _PUNCTUATION


def _may_begin(word: str) -> bool:
    return word == "a" or lexicon.is_number(word)


def _is_inner(word: str) -> bool:
    return not _ends_phrase(word) and lexicon.is_inner(_plain(word))
