"""How digits, Latin letters and signs are read aloud, for checkpoints that cannot write them.

Korean has rules (`stt.korean.readings`); English has a small table: numbers and the commonest
signs.
"""

import re
from collections.abc import Iterator

from stt.korean.readings import readings

SIGNS = "%&+=~@#×÷℃$€₩"
"""Signs that are read."""
_PATTERN = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?|[%&+=℃$€₩]")

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


def read(word: str, before: str, after: str, language: str) -> Iterator[tuple[str, str]]:
    """The parts of a word: each as written, and as spoken.

    Args:
        word: Without white space.
        before: The word before; "" if there is none.
        after: The word after.
        language: ISO 639-1 code of what is spoken.
    """
    if language == "ko":
        yield from _korean(word, before, after)
    elif language == "en":
        yield from _english(word)
    else:
        yield word, word


def _korean(word: str, before: str, after: str) -> Iterator[tuple[str, str]]:
    words = [each for each in (before, word, after) if each]
    spoken = readings(" ".join(words))[bool(before)].spoken[0]
    begin, end = 0, 0
    while begin < min(len(word), len(spoken)) and word[begin] == spoken[begin]:
        begin += 1
    while end < min(len(word), len(spoken)) - begin and word[-1 - end] == spoken[-1 - end]:
        end += 1
    for written, said in (
        (word[:begin], spoken[:begin]),
        (word[begin : len(word) - end], spoken[begin : len(spoken) - end]),
        (word[len(word) - end :], spoken[len(spoken) - end :]),
    ):
        if written:
            yield written, said


def _english(word: str) -> Iterator[tuple[str, str]]:
    at = 0
    for match in _PATTERN.finditer(word):
        if at < match.start():
            yield word[at : match.start()], word[at : match.start()]
        written = match.group()
        yield written, f" {_ENGLISH_SIGNS.get(written) or _english_decimal(written)} "
        at = match.end()
    if at < len(word):
        yield word[at:], word[at:]


def _english_decimal(written: str) -> str:
    integer, _, fraction = written.replace(",", "").partition(".")
    is_code = len(integer) > _LONGEST_NUMBER or (len(integer) > 1 and integer[0] == "0")
    spoken = _english_digits(integer) if is_code else _english_number(int(integer))
    return f"{spoken} point {_english_digits(fraction)}" if fraction else spoken


def _english_digits(digits: str) -> str:
    return " ".join(_ENGLISH_ONES[int(digit)] for digit in digits)


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
