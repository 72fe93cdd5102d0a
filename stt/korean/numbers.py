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
_COUNTER = re.compile(f"(?:{'|'.join(COUNTERS)}){TAIL}(?= |$)")
_LONGEST_COUNTER = max(map(len, COUNTERS))
_TENS = "열|스물|서른|마흔|쉰|예순|일흔|여든|아흔"
_ONES = "한|두|세|네|다섯|여섯|일곱|여덟|아홉"
_NATIVE = re.compile(f"(?:{_TENS}) ?(?:{_ONES})|{_ONES}|{_TENS}|스무")
_MONTHS = {"유월": 6, "시월": 10}
_TEN_THOUSAND, _HUNDRED_MILLION = 10**4, 10**8


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
    return match[0] if match else None


def _integers(text: str) -> Iterator[Number]:
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


def _decimals(text: str, number: Number) -> Iterator[Number]:
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
    for integer in _integers(text):
        for number in (*(() if integer.is_native else _decimals(text, integer)), integer):
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
        rounded = numerals.in_units(value) if value % _TEN_THOUSAND == 0 else f"{value:,}"
        return f"{rounded}여 {counter.written}"
    if number.decimals:
        return f"{value:,}.{number.decimals}{counter.written}"
    if counter.style is Style.PLAIN and value < _TEN_THOUSAND:
        return f"{value}{counter.written}"
    if counter.style is Style.MONEY:
        if value >= _HUNDRED_MILLION:
            return f"{numerals.in_units(value)} {counter.written}"
    elif value >= _TEN_THOUSAND and value % _TEN_THOUSAND == 0:
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


# ------------------------------------------------------------------------------------- uncounted


_RATIO = re.compile(
    rf"([일이삼사오육칠팔구십백]{{1,4}}) 대 ([영일이삼사오육칠팔구십백]{{1,4}}?)({TAIL})(?= |$)"
)


def ratio(text: str, _: Context) -> Found | None:
    """A score or a proportion: 삼 대 일."""
    match = _RATIO.match(text)
    sides = [numerals.parse_sino(side) for side in match.groups()[:2]] if match else [None]
    if match is None or None in sides:
        return None
    return Found(f"{sides[0]} 대 {sides[1]}{match[3]}", match.end())


_FRACTION = re.compile(r"([일이삼사오육칠팔구십백천만 ]{1,12}?) ?분의 ")


def fraction(text: str, _: Context) -> Found | None:
    """삼분의 이."""
    match = _FRACTION.match(text)
    below = numerals.parse_sino(match[1].replace(" ", "")) if match else None
    if match is None or not below:
        return None
    for above in _integers(text[match.end() :]):
        end = match.end() + above.end
        tail = tail_at(text, end)
        if tail is not None and not above.is_native and above.value < _TEN_THOUSAND:
            return Found(f"{above.value}/{below}{tail}", end + len(tail))
    return None


def decimal(text: str, _: Context) -> Found | None:
    """A decimal number without a counter: 삼 점 일사."""
    choices = []
    for integer in _integers(text):
        for number in () if integer.is_native else _decimals(text, integer):
            tail = tail_at(text, number.end)
            if tail == "" and _COUNTER.match(text, number.end + 1):
                return None
            if tail is not None:
                choices.append((number, tail))
    for number, tail in sorted(choices, key=lambda choice: _is_split_copula(text, choice[0])):
        written = f"{number.value:,}.{number.decimals}{tail}"
        return Found(written, number.end + len(tail))
    return None


_AFTER_COPULA = ("야", "에요", "라", "었", "요", "다", "고", "면", "나", "지", "네", "래", "니")


def _is_split_copula(text: str, number: Number) -> bool:
    """Whether the number takes 이, of 이야 or a particle, for a two."""
    if text[number.end - 1] != "이":
        return False
    is_particle = (
        text[number.end - 2] in "영일삼육칠팔" and text[number.end : number.end + 1] == " "
    )
    return is_particle or text.startswith(_AFTER_COPULA, number.end)


_LEAST_SYLLABLES = 3


def bare(text: str, _: Context) -> Found | None:
    """A Sino-Korean number that counts nothing, long enough to be no other word: 이백오십육."""
    for number in _integers(text):
        tail = tail_at(text, number.end)
        if number.is_native or tail is None or _is_split_copula(text, number):
            continue
        is_clear = len(number.spoken) >= _LEAST_SYLLABLES and number.value > 10
        is_clear &= bool(tail) or not _COUNTER.match(text, number.end + 1)
        if not is_clear or (number.spoken[-1] in "이만" and len(number.spoken) <= _LEAST_SYLLABLES):
            return None
        return Found(f"{number.value:,}{tail}", number.end + len(tail))
    return None


_DIGITS = re.compile(rf"{DIGIT}{{3,16}}")
_NO_NUMBERS = frozenset({"삼삼오오", "구구구구"})
_SHORT_NUMBERS = frozenset({"119", "114", "1339"})


def digit_run(text: str, _: Context) -> Found | None:
    """Digits one by one in one word: 사칠이구, 일일구, 공일공."""
    run = _DIGITS.match(text)
    if run is None:
        return None
    choices = []
    for end in range(run.end(), 2, -1):
        tail = tail_at(text, end)
        if tail is not None:
            split = text[end - 1] == "이" and tail.startswith(_AFTER_COPULA)
            choices.append((split, end, tail))
    for _split, end, tail in sorted(choices, key=lambda choice: choice[0]):
        digits = numerals.parse_digits(text[:end]) or ""
        has_zero = (
            text.startswith(("공", "일일공", "일공", "칠공", "팔공")) and len(set(digits)) > 1
        )
        is_word = text[:end] in _NO_NUMBERS or ("공" not in text and text[:2] == text[2:end])
        is_long = len(digits) >= 4 and not is_word
        if is_long or has_zero or digits in _SHORT_NUMBERS:
            return Found(digits + tail, end + len(tail))
    return None
