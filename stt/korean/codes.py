"""How names of Latin letters and digits are spoken: GPT-4, 5G, S24, B2B."""

import re
from itertools import islice, product

from stt.korean import latin, numerals
from stt.korean.counters import SPOKEN_UNITS
from stt.korean.spoken_numbers import Alternatives, digit_by_digit

_ENGLISH_DIGITS = (
    "제로", "원", "투", "쓰리", "포", "파이브", "식스", "세븐", "에이트", "나인",
)  # fmt: skip
_MOST_ALTERNATIVES = 8

PATTERN = re.compile(
    r"(?:[A-Z]{1,5}(?:-?\d{1,4}[A-Z]{0,3}){1,3}|(?<!\d)\d[A-Z]{1,3}(?:\d[A-Z]{0,3})?)(?![A-Za-z0-9])"
)
"""Capital letters before a number, or after a single digit."""
_PART = re.compile(r"\d+|[A-Z]+")


def say(code: str) -> Alternatives | None:
    """The ways to say what `PATTERN` matched; None if it is a number with its unit: 5V."""
    parts = _PART.findall(code)
    if len(parts) == 2 and parts[0].isdigit() and parts[1] in SPOKEN_UNITS:
        return None
    said = [_digits(part) if part.isdigit() else (latin.spelled(part),) for part in parts]
    ways = ("".join(way).strip() for way in islice(product(*said), _MOST_ALTERNATIVES))
    return tuple(dict.fromkeys(ways))


def _digits(digits: str) -> Alternatives:
    """One digit is said in English or Korean, a longer number in Korean: 포, 사; 이십사, 이사."""
    if len(digits) == 1:
        return (_ENGLISH_DIGITS[int(digits)], *digit_by_digit(digits))
    whole = () if digits.startswith("0") else (f" {numerals.sino(int(digits))}",)
    return (*whole, *(f" {way}" for way in digit_by_digit(digits)))
