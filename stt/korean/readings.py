"""Written Korean as it is spoken: 3시 30분 becomes 세 시 삼십 분, with the ways people differ.

For aligning, scoring and biasing, where what was said counts and not how it is spelled.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice, product

from stt.korean import codes, latin, spoken_numbers
from stt.korean.counters import SPOKEN_UNITS
from stt.korean.spoken_numbers import Alternatives
from stt.normalisation import compose

_MOST_ALTERNATIVES = 16
_MOST_CHARACTERS = 100
"""Longer words are left as they are."""


@dataclass(frozen=True)
class Reading:
    """A written word and how it can be said."""

    written: str
    spoken: Alternatives
    """The usual way first; each is words with single spaces, or empty for punctuation alone."""


_SYMBOLS: Mapping[str, Alternatives] = {
    "&": ("앤드", "앤"), "+": ("더하기", "플러스"), "=": ("는", "이퀄"), "~": ("에서",),
    "×": ("곱하기",), "÷": ("나누기",), "@": ("골뱅이",), "#": ("샵",), "℃": ("도",),
    "%": ("퍼센트", "프로"), "₩": ("원",), "$": ("달러",), "€": ("유로",),
}  # fmt: skip
_SIGNS = r".,!?;:\"'()\[\]{}<>…·“”‘’「」『』《》〈〉、。-"
_PUNCTUATION = re.compile(f"[{_SIGNS}]+")
_HANGUL = re.compile("[가-힣]+")
_LATIN_WORD = re.compile(r"[A-Za-z][A-Za-z0-9&.-]*")
_HOST = r"(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,3}"
_EMAIL = re.compile(rf"([A-Za-z0-9._-]+)@({_HOST})")
_WEB = re.compile(rf"(?:https?://)?({_HOST})(?![A-Za-z])")
_ENDS_IN_NUMBER = re.compile("[0-9만억조]$")
_JOINED = re.compile(r"[A-Z]{1,4}(?:-[A-Z]{1,4})+")
_MOST_LETTERS = 6
"""Longer words in capitals are words, not abbreviations."""
_MOST_SMALL_LETTERS = 4
"""Likewise of words in small letters that are no known abbreviations."""

# One class, no repetition within a repetition: that takes time exponential in what does not match.
_READABLE = re.compile(rf"[0-9A-Za-z가-힣/_°ℓ㎏㎞㎝㎜㎡¥£{re.escape(''.join(_SYMBOLS))}{_SIGNS}]+")
_HAS_WRITTEN_FORM = re.compile(rf"[0-9A-Za-z/_°ℓ㎏㎞㎝㎜㎡¥£{re.escape(''.join(_SYMBOLS))}]")


@dataclass(frozen=True)
class Around:
    """What a part of a word is read with."""

    before: str
    """The word before."""
    after: str
    """The word after, if the part ends its word."""
    abbreviations: Mapping[str, Alternatives]
    """Spoken forms by written ones."""


def readings(text: str, abbreviations: Mapping[str, str] = latin.ABBREVIATIONS) -> list[Reading]:
    """How each word of ``text`` is said, in order.

    A word that nobody can read by rule (another script, 10^16 and more) is said as it is written.

    Args:
        text: Words separated by white space.
        abbreviations: Written forms by spoken ones, as `stt.korean.written.written` takes them.
    """
    words = text.split()
    is_known = abbreviations is latin.ABBREVIATIONS
    spoken = _known() if is_known else _by_written_form(abbreviations)
    return [
        Reading(word, _say(compose(word), Around(before, after, spoken)))
        for before, word, after in zip(["", *words], words, [*words[1:], ""], strict=False)
    ]


@cache
def _known() -> Mapping[str, Alternatives]:
    return _by_written_form(latin.ABBREVIATIONS)


def _by_written_form(abbreviations: Mapping[str, str]) -> Mapping[str, Alternatives]:
    spoken: dict[str, Alternatives] = {}
    for said, as_written in abbreviations.items():
        spoken[as_written] = (*spoken.get(as_written, ()), said)
    return spoken


def needs_reading(text: str) -> bool:
    """Whether some word of ``text`` may be said in another way than it is written.

    Punctuation aside, which is never said.
    """
    return _HAS_WRITTEN_FORM.search(text) is not None


def spoken_text(text: str) -> str:
    """The usual way to say ``text``."""
    return " ".join(filter(None, (reading.spoken[0] for reading in readings(text))))


def ways_to_say(text: str, abbreviations: Mapping[str, str] = latin.ABBREVIATIONS) -> Alternatives:
    """The ways to say all of ``text``, at most 16, the usual one first."""
    spoken = [reading.spoken for reading in readings(text, abbreviations)]
    ways = (" ".join(filter(None, way)) for way in islice(product(*spoken), _MOST_ALTERNATIVES))
    return tuple(dict.fromkeys(ways))


def _say(word: str, around: Around) -> Alternatives:
    if _HANGUL.fullmatch(word) or len(word) > _MOST_CHARACTERS or not _READABLE.fullmatch(word):
        return (word,)
    ways = ("".join(way) for way in islice(product(*_parts(word, around)), _MOST_ALTERNATIVES))
    return tuple(dict.fromkeys(" ".join(way.split()) for way in ways))


def _parts(word: str, around: Around) -> Iterator[Alternatives]:
    """How each part of a word is said; numbers after the first have a space before: 3박4일."""
    position, has_number = 0, False
    while position < len(word):
        said, end = _part(word, position, around)
        is_number = word[position].isdecimal()
        yield tuple(" " + way for way in said) if is_number and has_number else said
        has_number |= is_number
        position = end


def _part(word: str, position: int, around: Around) -> tuple[Alternatives, int]:
    """How the part that begins at ``position`` is said, and where it ends."""
    if match := _HANGUL.match(word, position):
        return (match[0],), match.end()
    for pattern, reader in _READERS:
        if match := pattern.match(word, position):
            here = around if match.end() == len(word) else replace(around, after="")
            if said := reader(match, here):
                return said, match.end()
    if match := _PUNCTUATION.match(word, position):
        return ("",), match.end()
    if word[position] == "~" and not word[position + 1 : position + 2].isdecimal():
        return ("",), position + 1  # 네~
    if word[position] in _SYMBOLS:
        return tuple(f" {way} " for way in _SYMBOLS[word[position]]), position + 1
    end = position + 1
    while word[position].isdecimal() and end < len(word) and word[end].isdecimal():
        end += 1
    return (word[position:end],), end


def _latin(match: re.Match[str], around: Around) -> Alternatives:
    written = match[0].rstrip(".-&")
    if spoken := around.abbreviations.get(match[0]) or around.abbreviations.get(written):
        return (*spoken, *(latin.spellings(written) if written.isalpha() else ()))
    is_unit = match.start() == 0 and _ENDS_IN_NUMBER.search(around.before)
    if is_unit and match[0] in SPOKEN_UNITS:
        return (SPOKEN_UNITS[match[0]],)
    if _JOINED.fullmatch(written):
        return (" ".join(map(latin.spelled, written.split("-"))), written)
    if not written.isalpha() or len(written) > _MOST_LETTERS:
        return (match[0],)
    if written.isupper():
        return (*latin.spellings(written), *latin.SAID_AS_WORDS.get(written, ()))
    # People write ai for AI too; but most such words are words.
    known = around.abbreviations.get(written.upper(), ())
    names = latin.spellings(written) if len(written) <= _MOST_SMALL_LETTERS else ()
    return (match[0], *known, *names)


def _email(match: re.Match[str], _: Around) -> Alternatives:
    local = " ".join(_spelled_out(part) for part in re.findall(r"[A-Za-z]+|\d+", match[1]))
    return tuple(f"{local} 골뱅이 {host}" for host in _host(match[2]))


def _web(match: re.Match[str], _: Around) -> Alternatives:
    return _host(match[1])


def _host(host: str) -> Alternatives:
    parts = [_host_part(part) for part in host.split(".")]
    return tuple(f" {dot} ".join(parts) for dot in ("점", "닷"))


def _host_part(part: str) -> str:
    names = {written: spoken for spoken, written in (latin.HOSTS | latin.DOMAINS).items()}
    if part in names:
        return names[part]
    return " ".join(_spelled_out(piece) for piece in re.findall(r"[A-Za-z]+|\d+", part))


def _spelled_out(part: str) -> str:
    return spoken_numbers.digit_by_digit(part)[0] if part.isdigit() else latin.spelled(part)


def _number(match: re.Match[str], around: Around) -> Alternatives | None:
    return spoken_numbers.say(match, around.after)


def _code(match: re.Match[str], around: Around) -> Alternatives | None:
    return around.abbreviations.get(match[0]) or codes.say(match[0])


_READERS: tuple[
    tuple[re.Pattern[str], Callable[[re.Match[str], Around], Alternatives | None]], ...
] = (
    (_EMAIL, _email),
    (_WEB, _web),
    (codes.PATTERN, _code),
    *((pattern, _number) for pattern in spoken_numbers.PATTERNS),
    (_LATIN_WORD, _latin),
)
