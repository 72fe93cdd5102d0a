"""How digits, Latin letters and signs are read aloud, for checkpoints that cannot write them.

A small table: whole numbers, single letters and the commonest signs.
"""

import re
from collections.abc import Callable, Sequence

PATTERN = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?|[A-Za-z]+|[%&+=℃$€₩]")
"""What `read` may have a reading for."""

_KOREAN_DIGITS = "영일이삼사오육칠팔구"
_KOREAN_PLACES = ("", "십", "백", "천")
_KOREAN_MYRIADS = ("", "만", "억", "조", "경")
_KOREAN_LETTERS = {
    "A": "에이", "B": "비", "C": "씨", "D": "디", "E": "이", "F": "에프", "G": "지", "H": "에이치",
    "I": "아이", "J": "제이", "K": "케이", "L": "엘", "M": "엠", "N": "엔", "O": "오", "P": "피",
    "Q": "큐", "R": "알", "S": "에스", "T": "티", "U": "유", "V": "브이", "W": "더블유",
    "X": "엑스", "Y": "와이", "Z": "제트",
}  # fmt: skip
_KOREAN_SIGNS = {
    "%": "퍼센트", "&": "앤드", "+": "플러스", "=": "는", "℃": "도", "$": "달러", "€": "유로",
    "₩": "원",
}  # fmt: skip

_ENGLISH_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_ENGLISH_TENS = (
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)  # fmt: skip
_ENGLISH_THOUSANDS = ("", " thousand", " million", " billion", " trillion")
_ENGLISH_SIGNS = {
    "%": "percent", "&": "and", "+": "plus", "=": "equals", "℃": "degrees", "$": "dollars",
    "€": "euros", "₩": "won",
}  # fmt: skip
_LONGEST_NUMBER = 15
"""Numbers of more digits are read digit by digit, as telephone numbers are."""


def read(written: str, language: str) -> str:
    """Words for a number, for Latin letters or for a sign.

    Args:
        written: A match of `PATTERN`.
        language: ISO 639-1 code of the language that is spoken.

    Returns:
        The words; "" if there is no reading in this language.
    """
    if language == "ko":
        if written[0].isdigit():
            return _number(written, _korean_number, _KOREAN_DIGITS, "점")
        letters = "".join(_KOREAN_LETTERS.get(letter, "") for letter in written.upper())
        return _KOREAN_SIGNS.get(written, letters)
    if language == "en":
        if written[0].isdigit():
            return _number(written, _english_number, _ENGLISH_ONES, " point ")
        return _ENGLISH_SIGNS.get(written, "")
    return ""


def _number(written: str, whole: Callable[[int], str], digits: Sequence[str], point: str) -> str:
    integer, _, fraction = written.replace(",", "").partition(".")
    space = " " if " " in point else ""
    is_code = len(integer) > _LONGEST_NUMBER or (len(integer) > 1 and integer[0] == "0")
    spoken = space.join(digits[int(digit)] for digit in integer) if is_code else whole(int(integer))
    if fraction:
        spoken += point + space.join(digits[int(digit)] for digit in fraction)
    return spoken


def _korean_number(number: int) -> str:
    """Sino-Korean: 2,024 is 이천이십사; a leading one is silent before 십, 백, 천 and 만."""
    if number == 0:
        return _KOREAN_DIGITS[0]
    spoken = ""
    for power in range(len(_KOREAN_MYRIADS) - 1, -1, -1):
        group = number // 10_000**power % 10_000
        if group == 0:
            continue
        text = ""
        for place in range(3, -1, -1):
            if digit := group // 10**place % 10:
                text += ("" if digit == 1 and place else _KOREAN_DIGITS[digit]) + _KOREAN_PLACES[
                    place
                ]
        if power == 1 and group == 1 and not spoken:
            text = ""
        spoken += text + _KOREAN_MYRIADS[power]
    return spoken


def _english_number(number: int) -> str:
    if number < 20:
        return _ENGLISH_ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _ENGLISH_TENS[tens - 2] + (f" {_ENGLISH_ONES[ones]}" if ones else "")
    if number < 1_000:
        hundreds, rest = divmod(number, 100)
        return f"{_ENGLISH_ONES[hundreds]} hundred" + (f" {_english_number(rest)}" if rest else "")
    parts = []
    for power in range(len(_ENGLISH_THOUSANDS) - 1, -1, -1):
        if group := number // 1_000**power % 1_000:
            parts.append(_english_number(group) + _ENGLISH_THOUSANDS[power])
    return " ".join(parts)
