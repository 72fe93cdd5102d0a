"""Single numbers: amounts, percentages, money, ordinals."""

from stt.english import lexicon
from stt.english.numbers import Number
from stt.english.phrase import Found, Phrase

LEAST = 10
"""Smaller numbers that stand alone stay words, as style guides have it."""


def day(phrase: Phrase) -> Found | None:
    """A day of a month: the fifth of may, july fourth."""
    number = phrase.number_at(0)
    if number is None or not 1 <= number.rank <= 31 or phrase.context.is_joined:
        return None
    before = phrase.context.last
    year = phrase.number_at(number.end)
    is_dated = year is not None and not year.is_between(0, LEAST - 1)
    is_verb = before in ("may", "march") and number.rank <= 3 and number.end == 1 and not is_dated
    is_after = before in lexicon.MONTHS and not is_verb
    is_of = phrase.word(number.end) == "of" and phrase.word(number.end + 1) in lexicon.MONTHS
    return Found(number.end, number.text) if is_after or (is_of and before != "a") else None


def ordinal(phrase: Phrase) -> Found | None:
    """An ordinal from tenth on that is no fraction."""
    number = phrase.number_at(0)
    if number is None or number.rank < LEAST or phrase.context.is_linked:
        return None
    first, last = number.words[0], number.words[-1]
    if first in lexicon.SCALES | lexicon.SCALE_ORDINALS | {"one"} or last.endswith("second"):
        return None  # the hundredth, one hundredth; thirty second is 32nd or 30 s
    if phrase.context.last in ("a", "an") or lexicon.is_number(phrase.word(number.end)):
        return None
    return Found(number.end, number.text)


def amount(phrase: Phrase) -> Found | None:
    """A cardinal number with what it counts, if that is money or per cent."""
    n_article = int(phrase.word(0) == "a")
    number = phrase.number_at(n_article)
    if number is None or number.is_ordinal or number.is_scale or _is_part(phrase, number):
        return None
    if (number.words[0] in lexicon.SCALES) != bool(n_article) and phrase.context.last != "the":
        return None
    found = _with_magnitude(phrase, number)
    is_day = phrase.context.last in lexicon.MONTHS and number.is_between(1, 31)
    if lexicon.is_cardinal(phrase.word(found.n_words)) and not is_day:
        return None
    if counted := _percentage(phrase, found) or _money(phrase, found):
        return counted
    is_small = number.is_between(0, LEAST - 1) and found.n_words == 1
    stays = is_small or _stays_by_next(phrase, found.n_words) or _stays_by_previous(phrase)
    return None if stays else found


def _is_part(phrase: Phrase, number: Number) -> bool:
    """Whether it belongs to a number that stays, or is two words (at one point five of us)."""
    before = phrase.context.last
    if phrase.context.is_linked or before == "point":
        return True
    if number.words[0] != "one":
        return False
    if before in ("no", "any", "every", "some"):
        return True
    return number.words[1:2] == ("point",) and before in ("at", "on", "from", "made", "make")


def _with_magnitude(phrase: Phrase, number: Number) -> Found:
    """Its digits, with a word for millions: 2 million, 1.5 million, 1,200,000."""
    n_words, last = number.end, number.words[-1]
    follows = phrase.word(n_words)
    if "." in number.text and follows in lexicon.LARGE_SCALES:
        return Found(n_words + 1, f"{number.text} {phrase.spoken[n_words]}")
    if number.value is None:
        return Found(n_words, number.text)
    if last not in lexicon.MAGNITUDES and follows == "trillion":
        return Found(n_words + 1, f"{number.value:,} {phrase.spoken[n_words]}")
    if last in lexicon.MAGNITUDES and not lexicon.MAGNITUDES.keys() & set(number.words[:-1]):
        count = number.value // lexicon.MAGNITUDES[last]
        return Found(n_words, f"{count:,} {phrase.spoken[n_words - 1]}")
    is_long = number.value >= 10_000
    return Found(n_words, f"{number.value:,}" if is_long else number.text)


def _percentage(phrase: Phrase, found: Found) -> Found | None:
    n_words = found.n_words
    if phrase.word(n_words) in lexicon.PERCENT:
        return Found(n_words + 1, f"{found.text}%")
    if (phrase.word(n_words), phrase.word(n_words + 1)) == ("per", "cent"):
        return Found(n_words + 2, f"{found.text}%")
    return None


def _money(phrase: Phrase, found: Found) -> Found | None:
    """Dollars and euros, with their cents."""
    symbol = lexicon.CURRENCIES.get(phrase.word(found.n_words))
    if symbol is None:
        return None
    n_words = found.n_words + 1
    n_and = n_words + int(phrase.word(n_words) == "and")
    cents = phrase.number_at(n_and)
    is_whole = found.text.replace(",", "").isdecimal()
    if is_whole and cents and cents.is_between(1, 99) and phrase.word(cents.end) in lexicon.CENTS:
        return Found(cents.end + 1, f"{symbol}{found.text}.{cents.value:02d}")
    return Found(n_words, symbol + found.text)


def _stays_by_next(phrase: Phrase, n_words: int) -> bool:
    """Whether the next words make it doubtful: twenty odd, ten and a half, ten to two."""
    follows = phrase.word(n_words)
    if follows in lexicon.STAYS_BEFORE or follows.startswith("'"):
        return True
    part = phrase.number_at(n_words)
    pair = (follows, phrase.word(n_words + 1))
    if (part and part.is_ordinal) or pair in (("and", "a"), ("and", "half"), ("or", "so")):
        return True
    n_link = 2 if pair == ("out", "of") else int(follows in lexicon.LINKS)
    other = phrase.number_at(n_words + n_link)
    if other is None or other.is_ordinal:
        return False
    is_scaled = _has_scale(other.words) or phrase.word(other.end) in lexicon.SCALES
    shares_scale = is_scaled and not _has_scale(phrase.words[:n_words])
    return other.is_between(0, LEAST - 1) or shares_scale


def _has_scale(words: tuple[str, ...]) -> bool:
    return words[-1] in lexicon.LARGE_SCALES


def _stays_by_previous(phrase: Phrase) -> bool:
    """Whether the words before make it doubtful: half past ten, nine times out of ten."""
    before = phrase.context.words
    is_odds = before[-2:] == ("out", "of") and not lexicon.is_cardinal(before[0])
    return before[-1:] == ("past",) or before[-2:] == ("quarter", "to") or is_odds
