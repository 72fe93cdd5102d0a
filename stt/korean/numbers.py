"""Spoken numbers and what they count, at the start of a text.

Every finder takes the text from a word on, single spaces between its words, and answers with the
written form and the length of what it replaces, which ends where a word ends; or with None.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from stt.korean import evidence, numerals
from stt.korean.counters import COUNTERS, Counter, Style
from stt.korean.numerals import DIGIT, NATIVE_VALUES
from stt.korean.tails import TAIL

_SINO_RUN = re.compile(
    "[일이삼사오육륙칠팔구십백천만억조영](?: ?[일이삼사오육륙칠팔구십백천만억조]){0,24}"
)
NUMBER_WORD = (
    "[일이삼사오육륙칠팔구십백천만억조영공]{1,30}점?여?|"
    f"(?:[이삼사오육칠팔구]?백)?(?:{'|'.join(NATIVE_VALUES)}|스물)"
)
"""A pattern of words that are numbers, or parts of them."""
_TAIL = re.compile(rf"{TAIL}(?= |$)")
_POINT = re.compile(rf"(?: 점 |점 ?)({DIGIT}(?: ?{DIGIT}){{0,8}})")
_AFTER_VOWELS = re.compile("가(?!량)|는|를|와|랑|래|네|지|죠|잖|거든|예요|였")
"""Particles and forms of 이다 that follow only vowels: 원래 is no amount of money."""
COUNTER_WORD = re.compile(f"(?:{'|'.join(COUNTERS)}){TAIL}(?= |$)")
_LONGEST_COUNTER = max(map(len, COUNTERS))
_TENS = "열|스물|서른|마흔|쉰|예순|일흔|여든|아흔"
_ONES = "한|두|세|네|다섯|여섯|일곱|여덟|아홉"
_NATIVE = re.compile(f"(?:{_TENS}) ?(?:{_ONES})|{_ONES}|{_TENS}|스무")
_MONTHS = {"유월": 6, "시월": 10}
TEN_THOUSAND, _HUNDRED_MILLION = 10**4, 10**8


@dataclass(frozen=True)
class Context:
    """What stands before."""

    word: str = ""
    """The word before as it was spoken."""
    counter: str = ""
    """The counter of the number written just before, such as 월."""


@dataclass(frozen=True)
class Found:
    written: str
    n_characters: int
    counter: str = ""


@dataclass(frozen=True)
class Number:
    """A spoken number and where it ends."""

    value: int
    spoken: str
    """Without spaces."""
    is_native: bool
    end: int
    decimals: str = ""
    is_rounded: bool = False
    """Whether 여 follows: 백여 명, a hundred and some."""


def tail_at(text: str, start: int) -> str | None:
    """The particles from ``start`` to the end of the word; None if something else is there."""
    match = _TAIL.match(text, start)
    if match is None or (_AFTER_VOWELS.match(match[0]) and _has_final_consonant(text[start - 1])):
        return None
    return match[0]


def _has_final_consonant(syllable: str) -> bool:
    return "가" <= syllable <= "힣" and (ord(syllable) - ord("가")) % 28 != 0


def integers(text: str) -> Iterator[Number]:
    """The numbers that the text can begin with, the longest first."""
    native = _NATIVE.match(text)
    if native and (value := NATIVE_VALUES.get(native[0].replace(" ", ""))):
        yield Number(value, native[0].replace(" ", ""), True, native.end())
    yield from _hundreds_and_native(text)
    run = _SINO_RUN.match(text)
    for end in range(run.end() if run else 0, 0, -1):
        spoken = text[:end].replace(" ", "")
        value = numerals.parse_sino(spoken)
        if value is not None and text[end - 1] != " ":
            yield Number(value, spoken, False, end)


_HUNDREDS = re.compile("[이삼사오육칠팔구]?백")


def _hundreds_and_native(text: str) -> Iterator[Number]:
    """백스물다섯."""
    hundreds = _HUNDREDS.match(text)
    native = _NATIVE.match(text, hundreds.end()) if hundreds else None
    if hundreds and native and (ones := NATIVE_VALUES.get(native[0].replace(" ", ""))):
        value = (numerals.parse_sino(hundreds[0]) or 0) + ones
        yield Number(value, text[: native.end()], True, native.end())


def decimals(text: str, number: Number) -> Iterator[Number]:
    """The number with each count of digits after a point that can follow it, the most first."""
    match = _POINT.match(text, number.end)
    for end in range(match.end() if match else 0, match.start(1) if match else 0, -1):
        digits = numerals.parse_digits(text[match.start(1) : end].replace(" ", ""))  # type: ignore[union-attr]
        if digits and text[end - 1] != " ":
            yield Number(number.value, number.spoken, number.is_native, end, digits)


# ------------------------------------------------------------------------------------- counted


def counted(text: str, context: Context) -> Found | None:
    """A number and its counter: 세 시에, 삼 점 오 퍼센트, 만 오천 원."""
    for spoken, month in _MONTHS.items():
        if text.startswith(spoken) and (tail := tail_at(text, len(spoken))) is not None:
            return Found(f"{month}월{tail}", len(spoken) + len(tail), "월")
    if year := _year(text):
        return year
    for integer in integers(text):
        for number in (*(() if integer.is_native else decimals(text, integer)), integer):
            if found := _with_counter(text, number, context):
                return found
    return None


def _with_counter(text: str, number: Number, context: Context) -> Found | None:
    if text.startswith("여 ", number.end) and number.value % 10 == 0:
        number = replace(number, end=number.end + 1, is_rounded=True)
    is_joined = text[number.end : number.end + 1] != " "
    start = number.end + (0 if is_joined else 1)
    for length in range(min(_LONGEST_COUNTER, len(text) - start), 0, -1):
        counter = COUNTERS.get(text[start : start + length])
        end = start + length
        found = _ending(text, end, counter) if counter else None
        if counter is None or found is None:
            continue
        after = end + found.n_characters
        phrase = evidence.Phrase(
            number.value, number.spoken, number.is_native, bool(number.decimals), counter,
            found.written, is_joined, context.word, context.counter,
            text[after + 1 :].partition(" ")[0],
        )  # fmt: skip
        if evidence.is_number(phrase):
            return Found(_written(number, counter) + found.written, after, found.counter)
    return None


_SMALLER = {
    "년": "월", "월": "일", "시": "분", "분": "초", "박": "일", "학년": "반", "동": "호",
}  # fmt: skip
"""What follows within a word where nobody put a space: 세시삼십분."""


def _ending(text: str, start: int, counter: Counter) -> Found | None:
    """What follows a counter up to the end of its word: particles, or a smaller unit."""
    tail = tail_at(text, start)
    if tail is not None:
        return Found(tail, len(tail), counter.spoken)
    if counter.spoken not in _SMALLER or text[start : start + 1] == " ":
        return None
    smaller = counted(text[start:], Context(counter=counter.spoken))
    if smaller is None or smaller.counter not in (_SMALLER[counter.spoken], "초", "일"):
        return None
    return replace(smaller, written=" " + smaller.written)


def _written(number: Number, counter: Counter) -> str:
    value = number.value
    if number.is_rounded:
        rounded = numerals.in_units(value) if value % TEN_THOUSAND == 0 else f"{value:,}"
        return f"{rounded}여 {counter.written}"
    if number.decimals:
        return f"{value:,}.{number.decimals}{counter.written}"
    if counter.style is Style.PLAIN and value < TEN_THOUSAND:
        return f"{value}{counter.written}"
    if counter.style is Style.MONEY:
        if value >= _HUNDRED_MILLION:
            return f"{numerals.in_units(value)} {counter.written}"
    elif value >= TEN_THOUSAND and value % TEN_THOUSAND == 0:
        return f"{numerals.in_units(value)} {counter.written}"
    return f"{value:,}{counter.written}"


_YEAR = re.compile(rf"({DIGIT}{{4}}) ?(년도|년)")


def _year(text: str) -> Found | None:
    """A year digit by digit: 이공이육 년."""
    match = _YEAR.match(text)
    tail = tail_at(text, match.end()) if match else None
    if match is None or tail is None:
        return None
    written = f"{numerals.parse_digits(match[1])}{match[2]}{tail}"
    return Found(written, match.end() + len(tail), "년")
