"""Words as they are spoken -> as they are written: ``세 시`` becomes ``3시``, with its times.

Incremental, so that streams can use it: what the next words may still change is held back.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol, TypeAlias

from stt.errors import ConfigurationError, NotSupported
from stt.korean import latin
from stt.korean.numbers import Context
from stt.korean.written import START, open_from, written
from stt.languages import Language
from stt.settings import Settings
from stt.types import Word, join_words

MAX_PAUSE_SECONDS = 2.0
"""A longer one ends a number. People pause for less within the numbers that they dictate."""


class Writer(Protocol):
    """Writes the words of one recording. Returned words are in order and never change."""

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

    def feed(self, words: Sequence[Word]) -> list[Word]:
        return list(words)

    def finish(self) -> list[Word]:
        return []

    def preview(self, words: Sequence[Word]) -> list[Word]:
        return list(words)


class KoreanWriter:
    """Writes Korean; see `stt.korean.written`."""

    def __init__(self, abbreviations: Mapping[str, str] = latin.ABBREVIATIONS) -> None:
        """``abbreviations`` are written forms by spoken ones."""
        self._abbreviations = abbreviations
        self._held: list[Word] = []
        self._before = START

    def feed(self, words: Sequence[Word]) -> list[Word]:
        """See `Writer.feed`."""
        found: list[Word] = []
        for word in words:
            if self._held and word.start - self._held[-1].end > MAX_PAUSE_SECONDS:
                found += self.finish()
            self._held.append(word)
        return found + self._write(open_from([word.text for word in self._held]))

    def finish(self) -> list[Word]:
        """See `Writer.finish`."""
        found = self._write(len(self._held))
        self._before = START
        return found

    def preview(self, words: Sequence[Word]) -> list[Word]:
        """See `Writer.preview`."""
        ahead = KoreanWriter(self._abbreviations)
        ahead._held, ahead._before = list(self._held), self._before
        return ahead.feed(words) + ahead.finish()

    def _write(self, n_final: int) -> list[Word]:
        """Write the first of the held words, and hold the others."""
        held = self._held
        spans = written([word.text for word in held], self._abbreviations, self._before)
        final = [span for span in spans if span.last_word < n_final]
        if final:
            last = final[-1]
            before = unicodedata.normalize("NFC", held[last.last_word].text)
            self._before = Context(before, last.counter)
            self._held = held[last.last_word + 1 :]
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


class WrittenForms:
    """The written forms of the languages that have one."""

    def __init__(self, settings: Settings) -> None:
        """
        Raises:
            ConfigurationError: the file of abbreviations is missing or malformed.
        """
        self._writers: dict[str, OpenWriter] = {
            "ko": partial(KoreanWriter, abbreviations(settings))
        }

    def has(self, language: Language) -> bool:
        """Whether requests can ask for it."""
        return language.iso_639_1 in self._writers

    def choose(self, language: Language, *, wanted: bool) -> OpenWriter:
        """The writer of a request.

        Raises:
            NotSupported: the language has no written form.
        """
        if not wanted:
            return AsSpoken
        writer = self._writers.get(language.iso_639_1)
        if writer is None:
            raise NotSupported(
                f"{language.name} has no written form here, only Korean does. Leave written out."
            )
        return writer


def abbreviations(settings: Settings) -> Mapping[str, str]:
    """Written forms by spoken ones: those that are known, and those of the settings.

    Raises:
        ConfigurationError: the file of abbreviations is missing or malformed.
    """
    if settings.abbreviations is None:
        return latin.ABBREVIATIONS
    return {**latin.ABBREVIATIONS, **read_abbreviations(settings.abbreviations)}


_SPOKEN = re.compile("[가-힣]{2,40}")


def read_abbreviations(path: Path) -> dict[str, str]:
    """Read a file of abbreviations: on each line a spoken and a written form, ``에이아이 AI``.

    Raises:
        ConfigurationError: it cannot be read; the message names the file and the line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(f"The abbreviations in {path} cannot be read: {reason}.") from None
    found = {}
    for number, line in enumerate(lines, 1):
        fields = unicodedata.normalize("NFC", line).split()
        if not fields:
            continue
        if len(fields) != 2 or not _SPOKEN.fullmatch(fields[0]):
            raise ConfigurationError(
                f"{path}, line {number}: {line[:80]!r} is not an abbreviation; expected two words, "
                "the first in 2 to 40 syllables of Hangul, such as 에이아이 AI."
            )
        found[fields[0]] = fields[1]
    return found
