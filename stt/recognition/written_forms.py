"""The languages that have a written form, and the rules of each."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from stt.english import written as english
from stt.errors import ConfigurationError, NotSupported
from stt.korean import latin
from stt.korean import written as korean
from stt.korean.numbers import Context
from stt.languages import SUPPORTED_LANGUAGES, Language
from stt.recognition.written import AsSpoken, OpenWriter, Rules, RuleWriter
from stt.settings import Settings


def korean_rules(abbreviations: Mapping[str, str] = latin.ABBREVIATIONS) -> Rules[Context]:
    """Korean. ``abbreviations`` are written forms by spoken ones."""

    def written(words: Sequence[str], before: Context) -> list[korean.Written]:
        return korean.written(words, abbreviations, before)

    return Rules(korean.START, written, korean.open_from)


ENGLISH = Rules(english.START, english.written, english.open_from)

RULES: Mapping[str, Callable[[Settings], Rules[Any]]] = MappingProxyType(
    {
        "ko": lambda settings: korean_rules(known_abbreviations(settings.abbreviations)),
        "en": lambda settings: ENGLISH,
    }
)
"""By ISO 639-1 code: a new language is its folder and a line here."""


def names() -> str:
    """The languages with a written form, for a sentence: Korean and English."""
    each = [one.name for one in SUPPORTED_LANGUAGES.values() if one.iso_639_1 in RULES]
    return " and ".join(filter(None, (", ".join(each[:-1]), each[-1])))


class WrittenForms:
    """The written forms of the languages that have one."""

    def __init__(self, settings: Settings) -> None:
        """
        Raises:
            ConfigurationError: the file of abbreviations is missing or malformed.
        """
        self._rules = {code: rules(settings) for code, rules in RULES.items()}

    def has(self, language: Language) -> bool:
        """Whether requests can ask for it."""
        return language.iso_639_1 in self._rules

    def choose(self, language: Language, *, wanted: bool) -> OpenWriter:
        """The writer of a request.

        Raises:
            NotSupported: the language has no written form.
        """
        if not wanted:
            return AsSpoken
        rules = self._rules.get(language.iso_639_1)
        if rules is None:
            raise NotSupported(
                f"{language.name} has no written form here, only {names()} have one. Leave written "
                "out."
            )
        return partial(RuleWriter, rules)


def known_abbreviations(path: Path | None) -> Mapping[str, str]:
    """The built-in abbreviations, and those of the operator's file.

    Raises:
        ConfigurationError: see `read_abbreviations`.
    """
    if path is None:
        return latin.ABBREVIATIONS
    return dict(latin.ABBREVIATIONS) | read_abbreviations(path)


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
