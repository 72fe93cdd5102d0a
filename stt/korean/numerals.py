"""Korean number words, both ways: Sino-Korean (이십), native (스물) and digit by digit (이공).

Pure functions over NFC strings without spaces, except where they say otherwise.
"""

import re
from functools import lru_cache

SINO_DIGITS = "영일이삼사오육칠팔구"
_DIGIT_VALUES = {**{digit: value for value, digit in enumerate(SINO_DIGITS)}, "공": 0, "륙": 6}
_SMALL_UNITS = (("천", 1000), ("백", 100), ("십", 10))
_LARGE_UNITS = (("조", 10**12), ("억", 10**8), ("만", 10**4))
LIMIT = 10**16
"""Numbers from here on (경) are left alone: nobody says them in speech that is transcribed."""
NATIVE_ONES = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")
_NATIVE_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
_BELOW_TEN_THOUSAND = "".join(
    (*(f"(?:[이삼사오육칠팔구]?{unit})?" for unit in "천백십"), "[일이삼사오육륙칠팔구]?")
)
_SINO = re.compile(
    rf"(?:(?P<조>{_BELOW_TEN_THOUSAND})조)?(?:(?P<억>{_BELOW_TEN_THOUSAND})억)?"
    rf"(?:(?P<만>{_BELOW_TEN_THOUSAND})만)?(?P<one>{_BELOW_TEN_THOUSAND})"
)
DIGIT = "[영공일이삼사오육륙칠팔구]"


def sino(number: int) -> str:
    """Sino-Korean with a space after 만, 억 and 조: ``12_345 -> 만 이천삼백사십오``.

    Raises ``ValueError`` outside 0 to ``LIMIT``.
    """
    if not 0 <= number < LIMIT:
        raise ValueError(f"expected a number from 0 to below 10**16, got {number}")
    if number == 0:
        return "영"
    parts: list[str] = []
    for name, unit in _LARGE_UNITS:
        count, number = divmod(number, unit)
        if count:
            parts.append("만" if (name, count) == ("만", 1) and not parts else _small(count) + name)
    if number:
        parts.append(_small(number))
    return " ".join(parts)


def _small(number: int) -> str:
    spelled = ""
    for name, unit in _SMALL_UNITS:
        digit, number = divmod(number, unit)
        if digit:
            spelled += ("" if digit == 1 else SINO_DIGITS[digit]) + name
    return spelled + (SINO_DIGITS[number] if number else "")


def native(number: int) -> str:
    """Native Korean before a counter: 한, 스무, 스물한. Raises ``ValueError`` outside 1 to 99."""
    if not 1 <= number <= 99:
        raise ValueError(f"expected a number from 1 to 99, got {number}")
    if number == 20:
        return "스무"
    tens, ones = divmod(number, 10)
    return _NATIVE_TENS[tens] + NATIVE_ONES[ones]


def native_alone(number: int) -> str:
    """Native Korean that counts nothing: 하나, 스물, 스물하나. As `native` otherwise."""
    said = native(number)
    for before, alone in (
        ("스무", "스물"),
        ("한", "하나"),
        ("두", "둘"),
        ("세", "셋"),
        ("네", "넷"),
    ):
        if said.endswith(before):
            return said.removesuffix(before) + alone
    return said


def digits(number: str, zero: str = "공") -> str:
    """Digit by digit: ``"010" -> "공일공"``."""
    return "".join(zero if digit == "0" else SINO_DIGITS[int(digit)] for digit in number)


NATIVE_VALUES = {native(number): number for number in range(1, 100)}


@lru_cache(maxsize=4096)
def parse_sino(text: str) -> int | None:
    """The value of a Sino-Korean number as people say it; None for anything else.

    일십 and 만억 are not said; 일만, 일억 are.
    """
    if text in ("영", "공"):
        return 0
    match = _SINO.fullmatch(text)
    if not match or not text:
        return None
    total = _parse_small(match["one"])
    for name, unit in _LARGE_UNITS:
        count = match[name]
        if count is None:
            continue
        if not count and name != "만":
            return None  # 억 and 조 alone are words of their own
        total += unit * (_parse_small(count) if count else 1)
    return total


def _parse_small(text: str) -> int:
    total, digit = 0, 0
    units = dict(_SMALL_UNITS)
    for character in text:
        if character in units:
            total += units[character] * (digit or 1)
            digit = 0
        else:
            digit = _DIGIT_VALUES[character]
    return total + digit


def parse_digits(text: str) -> str | None:
    """``"공일공" -> "010"``; None unless every character is a digit's name."""
    if not text or any(character not in _DIGIT_VALUES for character in text):
        return None
    return "".join(str(_DIGIT_VALUES[character]) for character in text)


def in_units(number: int) -> str:
    """With 만, 억 and 조 written out: ``150_000_000 -> 1억 5,000만``."""
    parts = []
    for name, unit in _LARGE_UNITS:
        count, number = divmod(number, unit)
        if count:
            parts.append(f"{count:,}{name}")
    if number:
        parts.append(f"{number:,}")
    return " ".join(parts) or "0"
