"""Spoken numbers that count nothing, at the start of a text: fractions, ratios, decimals, codes.

The finders are as those of `stt.korean.numbers`.
"""

import re

from stt.korean import evidence, numerals
from stt.korean.numbers import (
    COUNTER_WORD,
    TEN_THOUSAND,
    Context,
    Found,
    Number,
    decimals,
    integers,
    tail_at,
)
from stt.korean.numerals import DIGIT
from stt.korean.tails import TAIL

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
    for above in integers(text[match.end() :]):
        end = match.end() + above.end
        tail = tail_at(text, end)
        if tail is not None and not above.is_native and above.value < TEN_THOUSAND:
            return Found(f"{above.value}/{below}{tail}", end + len(tail))
    return None


def decimal(text: str, _: Context) -> Found | None:
    """A decimal number without a counter: 삼 점 일사."""
    choices = []
    for integer in integers(text):
        for number in () if integer.is_native else decimals(text, integer):
            tail = tail_at(text, number.end)
            if text.endswith("점이", 0, number.end):  # 이점이: an advantage
                continue
            if tail == "" and COUNTER_WORD.match(text, number.end + 1):
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
    for number in integers(text):
        tail = tail_at(text, number.end)
        if number.is_native or tail is None or _is_split_copula(text, number):
            continue
        is_clear = len(number.spoken) >= _LEAST_SYLLABLES and number.value > 10
        is_clear &= bool(tail) or not COUNTER_WORD.match(text, number.end + 1)
        is_clear &= not evidence.ends_like_days(number.spoken)
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
