"""What is said as several numbers: years, times of day, digits one by one."""

from itertools import pairwise

from stt.english import lexicon
from stt.english.numbers import Number
from stt.english.phrase import Found, Phrase

_LEAST_DIGITS = 3


def digits(phrase: Phrase) -> Found | None:
    """Digits one by one: nine one one. Counting (one two three) is none."""
    n_words = 0
    while phrase.word(n_words) in lexicon.DIGITS:
        n_words += 1
    if n_words < _LEAST_DIGITS or phrase.words[0] in lexicon.ZERO_LETTERS:
        return None
    follows = phrase.word(n_words)
    if phrase.context.is_joined or lexicon.is_cardinal(follows) or follows == "point":
        return None
    if phrase.words[n_words - 1] in lexicon.ZERO_LETTERS and n_words <= _LEAST_DIGITS + 1:
        return None  # one two three oh no
    text = "".join(lexicon.DIGITS[word] for word in phrase.words[:n_words])
    return None if _is_counting(text) else Found(n_words, text)


def _is_counting(text: str) -> bool:
    """Whether digits go up or down in equal steps, or up from one again and again."""
    steps = [(int(a), int(b)) for a, b in pairwise(text)]
    is_beat = text[0] == "1" and all(b in (a + 1, 1) for a, b in steps)
    return is_beat or len({b - a for a, b in steps}) == 1


def year(phrase: Phrase) -> Found | None:
    """A year in two halves: nineteen ninety nine, nineteen oh five; and the nineteen eighties."""
    century = _one_word(phrase, 10, 21)
    if century is None or phrase.context.is_joined:
        return None
    if phrase.word(1) in lexicon.DECADES and century.is_between(17, 20):
        return Found(2, century.text + lexicon.DECADES[phrase.word(1)])
    half = _two_digits(phrase)
    if half is None or _is_counted(phrase, half.n_words):
        return None
    rest, value = int(half.text), int(century.text)
    is_past = 16 <= value <= 19 and not 10 <= rest <= 20
    is_now = value == 20 and 21 <= rest <= 29
    if not (is_past or is_now or _is_date_before(phrase)) or (value <= 12 and rest <= 59):
        return None
    return Found(half.n_words, century.text + half.text)


def time(phrase: Phrase) -> Found | None:
    """A time of day: ten thirty, seven a m, seven o'clock."""
    hour = _one_word(phrase, 1, 12)
    if hour is None or phrase.context.is_joined:
        return None
    half = _two_digits(phrase)
    n_words, text = (half.n_words, f"{hour.text}:{half.text}") if half else (1, hour.text)
    if half and (int(half.text) > 59 or _is_counted(phrase, n_words)):
        return None
    letter, follows = phrase.word(n_words), phrase.word(n_words + 1)
    if letter in ("a", "p") and follows == "m":
        spoken = phrase.spoken[n_words] + phrase.spoken[n_words + 1]
        return Found(n_words + 2, f"{text} {spoken}")
    is_named = letter in ("am", "pm", "a.m", "p.m") and follows != "i"
    is_full = letter == "o'clock" or (letter, follows) == ("o", "clock")
    if is_named or is_full or (half and phrase.context.last in lexicon.BEFORE_TIMES):
        return Found(n_words, text)
    return None


def _one_word(phrase: Phrase, least: int, most: int) -> Number | None:
    number = phrase.number_at(0)
    return number if number and number.end == 1 and number.is_between(least, most) else None


def _two_digits(phrase: Phrase) -> Found | None:
    """What follows the first word, with that word: ninety nine, oh five."""
    if phrase.word(1) in lexicon.ZERO_LETTERS:
        digit = lexicon.DIGITS.get(phrase.word(2), "0")
        return Found(3, f"0{digit}") if digit != "0" else None
    number = phrase.number_at(1)
    return Found(number.end, number.text) if number and number.is_between(10, 99) else None


def _is_counted(phrase: Phrase, n_words: int) -> bool:
    """Whether more of a number follows, or what it counts."""
    return lexicon.is_cardinal(phrase.word(n_words)) or phrase.word(n_words) in lexicon.COUNTED


def _is_date_before(phrase: Phrase) -> bool:
    *earlier, last = phrase.context.words or ("",)
    is_day = lexicon.is_number(last) and not lexicon.MONTHS.isdisjoint(earlier)
    is_second = last in lexicon.LINKS and phrase.context.since_number > len(earlier)
    is_second = is_second and len(earlier) == 2 and all(map(lexicon.is_cardinal, earlier))
    return last in lexicon.BEFORE_YEARS or is_day or is_second or lexicon.is_ordinal(last)
