"""The languages that have a written form, and the rules of each."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from stt.abbreviations import abbreviations
from stt.decoding.hotwords import Hotword
from stt.english import written as english
from stt.errors import NotSupported
from stt.korean import latin
from stt.korean import written as korean
from stt.korean.numbers import Context
from stt.korean.readings import readings
from stt.languages import SUPPORTED_LANGUAGES, Language
from stt.recognition.writer import AsSpoken, OpenWriter, Rules, RuleWriter
from stt.settings import Settings


def korean_rules(abbreviations: Mapping[str, str] = latin.ABBREVIATIONS) -> Rules[Context]:
    """Korean. ``abbreviations`` are written forms by spoken ones."""

    def written(words: Sequence[str], before: Context) -> list[korean.Written]:
        return korean.written(words, abbreviations, before)

    return Rules(korean.START, written, korean.open_from)


ENGLISH = Rules(english.START, english.written, english.open_from)

RulesFor = Callable[[Sequence[Hotword]], Rules[Any]]
"""Makes the rules of a request from its hotwords, which are written as they were given."""


def _korean(settings: Settings) -> RulesFor:
    known = abbreviations(settings.abbreviations)
    return lambda hotwords: korean_rules({**known, **names_in(hotwords, known)})


RULES: Mapping[str, Callable[[Settings], RulesFor]] = MappingProxyType(
    {"ko": _korean, "en": lambda _: lambda _: ENGLISH}
)
"""By ISO 639-1 code. To add a language, add its folder and a line here."""


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

    def choose(
        self, language: Language, *, wanted: bool, hotwords: Sequence[Hotword] = ()
    ) -> OpenWriter:
        """The writer of a request.

        Args:
            language: What is spoken.
            wanted: Whether the request asks for it.
            hotwords: Those of the request, which are written as they were given.

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
        return partial(RuleWriter, rules(hotwords))


_LATIN, _DIGIT = re.compile("[A-Za-z]"), re.compile(r"\d")


def names_in(hotwords: Sequence[Hotword], known: Mapping[str, str]) -> dict[str, str]:
    """The words of hotwords that have Latin letters, by each way to say them: 쓰리엠 is 3M.

    Ways to say a code in two syllables are left out: 오지 can be another word than 5G.
    """
    found: dict[str, str] = {}
    for text in dict.fromkeys(hotword.written for hotword in hotwords):
        for word in readings(text, known):
            if _LATIN.search(word.written):
                least = 3 if _DIGIT.search(word.written) else 2
                spoken = (way.replace(" ", "") for way in word.spoken)
                found |= {each: word.written for each in spoken if len(each) >= least}
    return found
