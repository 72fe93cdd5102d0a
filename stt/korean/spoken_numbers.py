"""Numbers in digits as they are spoken, with what they count."""

import re
from collections.abc import Callable

from stt.korean import numerals
from stt.korean.counters import COUNTERS, SPOKEN_UNITS, Counter
from stt.korean.tails import TAIL

Alternatives = tuple[str, ...]
"""Ways to say one thing, the usual one first."""

_UNITS = SPOKEN_UNITS | {
    "ml": "밀리리터", "l": "리터", "ℓ": "리터", "㎏": "킬로그램", "㎞": "킬로미터",
    "㎝": "센티미터", "㎜": "밀리미터", "㎡": "제곱미터", "°C": "도", "℃": "도",
}  # fmt: skip
_SHORT_UNITS = {
    "퍼센트": "프로", "킬로미터": "킬로", "센티미터": "센티", "킬로그램": "킬로",
    "기가바이트": "기가",
}  # fmt: skip
_MONTHS = {6: "유월", 10: "시월"}
_CURRENCIES = {"₩": "원", "$": "달러", "€": "유로", "¥": "엔", "£": "파운드"}
_LARGE = {"만": 10**4, "억": 10**8, "조": 10**12}
_ONE_BY_ONE = frozenset({"호", "번", "동"})
"""Counters of numbers that are said digit by digit too: 1502호."""
_READ_AS_NAMES = frozenset({"112", "113", "114", "119", "120", "1339"})

_INTEGER = r"\d{1,3}(?:,\d{3})+|\d+"
_COUNTER = "|".join(map(re.escape, sorted((*COUNTERS, *_UNITS), key=len, reverse=True)))
_COUNTER_WORD = re.compile(rf"({'|'.join(map(re.escape, COUNTERS))}){TAIL}")
_PHONE = re.compile(r"(0\d{1,2}|1[5-8]\d{2})-(?:(\d{3,4})-)?(\d{4})(?!\d)")
_DATE = re.compile(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})(?!\d)\.?")
_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(?!\d)")
_FRACTION = re.compile(r"(\d{1,4})/(\d{1,4})(?![\d/])")
_SCORE = re.compile(r"(\d{1,3}):(\d{1,3})(?![\d:])")
_MONEY = re.compile(rf"([₩$€¥£])({_INTEGER})(?:\.(\d+))?")
_NUMBER = re.compile(
    rf"(?P<minus>-)?(?P<integer>{_INTEGER})(?:\.(?P<decimals>\d+))?(?P<large>[만억조])?(?P<counter>{_COUNTER})?"
)


def digit_by_digit(digits: str) -> Alternatives:
    """공 for zero, or 영."""
    return tuple(dict.fromkeys(numerals.digits(digits, zero) for zero in "공영"))


def number(digits: str) -> Alternatives:
    """A number that counts nothing, or its digits."""
    return (numerals.sino(int(digits)), *digit_by_digit(digits))


def _phone(match: re.Match[str]) -> Alternatives:
    groups = [group for group in match.groups() if group]
    return tuple(
        dict.fromkeys(" ".join(numerals.digits(group, zero) for group in groups) for zero in "공영")
    )


def _date(match: re.Match[str]) -> Alternatives | None:
    year, month, day = (int(group) for group in match.groups())
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    said_month = _MONTHS.get(month, numerals.sino(month) + "월")
    return (f"{numerals.sino(year)} 년 {said_month} {numerals.sino(day)} 일",)


def _clock(match: re.Match[str]) -> Alternatives:
    hours, minutes, seconds = int(match[1]), int(match[2]), int(match[3] or 0)
    end = (f" {numerals.sino(minutes)} 분" if minutes else "") + (
        f" {numerals.sino(seconds)} 초" if seconds else ""
    )
    return tuple(f"{hour} 시{end}" for hour in _hours(hours))


def _hours(hours: int) -> Alternatives:
    if hours > 12:
        return (numerals.sino(hours), numerals.native(hours - 12))
    return (numerals.native(hours),) if hours else ("영",)


def _fraction(match: re.Match[str]) -> Alternatives | None:
    above, below = int(match[1]), int(match[2])
    if not below:
        return None
    return (f"{numerals.sino(below)}분의 {numerals.sino(above)}",)


def _score(match: re.Match[str]) -> Alternatives:
    return (f"{numerals.sino(int(match[1]))} 대 {numerals.sino(int(match[2]))}",)


def _money(match: re.Match[str]) -> Alternatives | None:
    amount = _sino(match[2], match[3])
    return tuple(f"{way} {_CURRENCIES[match[1]]}" for way in amount) or None


def _sino(integer: str, decimals: str | None, factor: int = 1) -> Alternatives:
    """Nothing if the number is too large."""
    value = int(integer.replace(",", ""))
    if value * factor >= numerals.LIMIT:
        return ()
    if decimals:
        whole = numerals.sino(value)
        return tuple(
            dict.fromkeys(f"{whole} 점 {numerals.digits(decimals, zero)}" for zero in "영공")
        )
    said = numerals.sino(value)
    return (said, "일" + said) if said.startswith("만") else (said,)


def _counted(match: re.Match[str], following: str) -> Alternatives | None:
    integer, decimals, large = match["integer"], match["decimals"], match["large"]
    minus = bool(match["minus"])
    if minus and match.start() > 0:
        return None
    rest = match.string[match.end() :]
    spoken_counter = _UNITS.get(match["counter"] or "", match["counter"] or "")
    if large:
        ways = tuple(way + large for way in _sino(integer, decimals, _LARGE[large]))
        if (integer, large) == ("1", "만"):
            ways = ("만", "일만")
    elif counter := COUNTERS.get(spoken_counter or _counter_of(following)):
        ways = _before(integer, decimals, counter)
    else:
        ways = _sino(integer, decimals) if spoken_counter else _alone(integer, decimals)
    if spoken_counter == "월" and (month := _MONTHS.get(int(integer.replace(",", "")))):
        return (month,)
    counters = [spoken_counter]
    if spoken_counter in _SHORT_UNITS and not rest.startswith(("미터", "그램")):
        counters.append(_SHORT_UNITS[spoken_counter])
    gap = "" if spoken_counter in ("", "월") else " "
    ways = tuple(f"{way}{gap}{name}" for way in ways for name in counters)
    if not minus:
        return ways or None
    signs = ("마이너스", "영하") if spoken_counter == "도" else ("마이너스",)
    return tuple(f"{sign} {way}" for sign in signs for way in ways) or None


def _counter_of(word: str) -> str:
    """The counter that the word after a number begins with."""
    match = _COUNTER_WORD.fullmatch(word)
    return match[1] if match else ""


def _before(integer: str, decimals: str | None, counter: Counter) -> Alternatives:
    """The number as it is said before a counter."""
    sino = _sino(integer, decimals)
    if decimals or not sino:
        return sino
    value = int(integer.replace(",", ""))
    if counter.spoken == "시" and value <= 24:
        return _hours(value)
    if counter.is_native and 1 <= value <= 99:
        return _native_first(value, counter, sino)
    is_code = counter.spoken in _ONE_BY_ONE and len(integer) >= 3
    is_year = counter.spoken in ("년", "년도") and len(integer) == 4
    return (*sino, *digit_by_digit(integer.replace(",", ""))) if is_code or is_year else sino


def _native_first(value: int, counter: Counter, sino: Alternatives) -> Alternatives:
    native = numerals.native(value)
    if (value, counter.spoken) == (1, "번째"):
        return (native, "첫")
    if value < 10 and counter.spoken not in ("번", "대", "장", "배"):
        return (native,)
    return (native, *sino)


def _alone(integer: str, decimals: str | None) -> Alternatives:
    """A number that counts nothing: a code if it has no commas and four digits or more."""
    sino = _sino(integer, decimals)
    if decimals or "," in integer:
        return sino
    one_by_one = digit_by_digit(integer) if len(integer) >= 3 and len(integer) < 20 else ()
    if sino and not integer.startswith("0") and int(integer) <= 99:
        # What follows may be counted, though it is no counter that we know: 3 사람.
        return (*sino, numerals.native(int(integer)), numerals.native_alone(int(integer)))
    if len(integer) >= 4 or integer in _READ_AS_NAMES or integer.startswith("0"):
        return (*one_by_one, *sino) if len(integer) <= 16 else ()
    return (*sino, *one_by_one)


_SAY: dict[re.Pattern[str], Callable[[re.Match[str]], Alternatives | None]] = {
    _PHONE: _phone,
    _DATE: _date,
    _CLOCK: _clock,
    _SCORE: _score,
    _FRACTION: _fraction,
    _MONEY: _money,
}
PATTERNS = (*_SAY, _NUMBER)
"""What `say` reads, in the order to try."""


def say(match: re.Match[str], following: str) -> Alternatives | None:
    """What one of ``PATTERNS`` matched; None if it is no number that people would say.

    ``following`` is the word after, in which a counter may stand: 3 명.
    """
    reader = _SAY.get(match.re)
    return reader(match) if reader else _counted(match, following)
