"""Words as they are spoken -> as they are written: ``세 시`` becomes ``3시``, with its times.

Incremental, so that streams can use it: what the next words may still change is held back.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeAlias, TypeVar

from stt.types import Word, join_words

MAX_PAUSE_SECONDS = 2.0
"""A longer one ends a number. People pause for less within the numbers that they dictate."""


class Writer(Protocol):
    """Writes the words of one recording. Returned words are in order and never change."""

    is_slow: bool
    """Whether it would hold up an event loop."""

    def feed(self, words: Sequence[Word]) -> list[Word]:
        """Add the next words, maybe none; return those that no later word can change."""
        ...

    def finish(self) -> list[Word]:
        """Return the words held back. More may be fed after it, as if a recording began."""
        ...

    def preview(self, words: Sequence[Word]) -> list[Word]:
        """The words held back and these as they would be written now; changes nothing."""
        ...


OpenWriter: TypeAlias = Callable[[], Writer]
"""Makes the writer of one recording."""


class AsSpoken:
    """Leaves all words as they are."""

    is_slow = False

    def feed(self, words: Sequence[Word]) -> list[Word]:
        return list(words)

    def finish(self) -> list[Word]:
        return []

    def preview(self, words: Sequence[Word]) -> list[Word]:
        return list(words)


ContextT = TypeVar("ContextT")
ContextT_co = TypeVar("ContextT_co", covariant=True)


class Written(Protocol[ContextT_co]):
    """A written word, or a spoken one that stays, and the spoken words that it stands for."""

    @property
    def text(self) -> str: ...
    @property
    def first_word(self) -> int: ...
    @property
    def last_word(self) -> int:
        """Included."""
        ...

    @property
    def after(self) -> ContextT_co:
        """What the next words have before them."""
        ...


@dataclass(frozen=True)
class Rules(Generic[ContextT]):
    """How a language is written. Words are spoken ones, without spaces."""

    start: ContextT
    """What stands before the first word of a recording."""
    written: Callable[[Sequence[str], ContextT], Sequence[Written[ContextT]]]
    """The written words, in order, given what stands before them; every word is in one."""
    open_from: Callable[[Sequence[str]], int]
    """The first word whose written form can still change when more words follow."""


class RuleWriter(Generic[ContextT]):
    """Writes a language by its rules."""

    is_slow = False

    def __init__(self, rules: Rules[ContextT]) -> None:
        self._rules = rules
        self._held: list[Word] = []
        self._before = rules.start
        self._ended = math.inf
        """The end of the last word that was fed, held or not; seconds."""

    def feed(self, words: Sequence[Word]) -> list[Word]:
        """See `Writer.feed`."""
        found: list[Word] = []
        for word in words:
            if word.start - self._ended > MAX_PAUSE_SECONDS:
                found += self.finish()
            self._held.append(word)
            self._ended = word.end
        return found + self._write(self._rules.open_from([word.text for word in self._held]))

    def finish(self) -> list[Word]:
        """See `Writer.finish`."""
        found = self._write(len(self._held))
        self._before = self._rules.start
        return found

    def preview(self, words: Sequence[Word]) -> list[Word]:
        """See `Writer.preview`."""
        ahead = RuleWriter(self._rules)
        ahead._held, ahead._before, ahead._ended = list(self._held), self._before, self._ended
        return ahead.feed(words) + ahead.finish()

    def _write(self, n_final: int) -> list[Word]:
        """Write the first of the held words, and hold the others."""
        held = self._held
        spans = self._rules.written([word.text for word in held], self._before)
        final = [span for span in spans if span.last_word < n_final]
        if final:
            self._before = final[-1].after
            self._held = held[final[-1].last_word + 1 :]
        return [write(held[span.first_word : span.last_word + 1], span.text) for span in final]


def write(words: Sequence[Word], text: str) -> Word:
    """One word with a new text, in place of neighbours."""
    first = words[0]
    if len(words) == 1 and text == first.text:
        return first
    return replace(
        first,
        text=text,
        end=words[-1].end,
        confidence=math.prod(word.confidence for word in words),
        tokens=tuple(token for word in words for token in word.tokens),
        spoken=join_words(words),
    )
