"""The words that numbers are made of, and those around them that say what they mean; lower case."""

_DIGITS = "zero one two three four five six seven eight nine"


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


DIGITS = {word: str(value) for value, word in enumerate(_DIGITS.split())} | {"oh": "0", "o": "0"}
_TENS = _set("twenty thirty forty fourty fifty sixty seventy eighty ninety")
_TEENS = _set("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
MAGNITUDES = {"million": 10**6, "billion": 10**9, "trillion": 10**12}
LARGE_SCALES = frozenset(MAGNITUDES) | {"thousand"}
SCALES = LARGE_SCALES | {"hundred"}
ZERO_LETTERS = frozenset({"oh", "o"})
CARDINALS = (frozenset(DIGITS) - ZERO_LETTERS) | _TENS | _TEENS | SCALES
PLURALS = frozenset(f"{cardinal}s" for cardinal in CARDINALS) | {"sixes"}
SCALE_ORDINALS = frozenset(f"{scale}th" for scale in SCALES)
_ORDINALS = SCALE_ORDINALS | _set(
    "first second third fourth fifth sixth seventh eighth ninth "
    "tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth "
    "nineteenth twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth"
)
_NUMBERS = CARDINALS | _ORDINALS

MONTHS = _set(
    "january february march april may june july august september october november december"
)
DECADES = {
    "twenties": "20s",
    "thirties": "30s",
    "forties": "40s",
    "fifties": "50s",
    "sixties": "60s",
    "seventies": "70s",
    "eighties": "80s",
    "nineties": "90s",
}
CURRENCIES = {"dollar": "$", "dollars": "$", "euro": "€", "euros": "€"}
CENTS = frozenset({"cent", "cents"})
PERCENT = frozenset({"percent"})

BEFORE_YEARS = MONTHS | _set(
    "in since year until till by before after from between during early late mid of "
    "spring summer autumn fall winter"
)
BEFORE_TIMES = _set("at until till by before after")
COUNTED = _set(
    "second seconds minute minutes hour hours day days week weeks month months year years people "
    "times percent dollar dollars euro euros cents point ounce ounces pound pounds inch inches "
    "foot feet mile miles meter meters degrees"
)
"""What is counted, and so makes a year or a time of day improbable."""
LINKS = frozenset({"to", "or", "and", "in", "through"})
"""What stands between two numbers that are written alike: nine to twelve."""

_INNER = _NUMBERS | ZERO_LETTERS | frozenset(CURRENCIES) | MONTHS
_INNER |= _set("a an and point to or in through out of per p am")
_NOT_COUNTED = _set("odd something ish fold plus niners point past")
STAYS_BEFORE = _NOT_COUNTED | PLURALS | ZERO_LETTERS
"""A number before one of these stays."""


def parts(word: str) -> list[str]:
    """The parts of a compound: twenty-five."""
    return word.split("-") if "-" in word else [word]


def is_cardinal(word: str) -> bool:
    """Whether it is a cardinal number, or part of one."""
    return all(part in CARDINALS for part in parts(word))


def is_ordinal(word: str) -> bool:
    """Whether it is the last word of an ordinal number."""
    return parts(word)[-1] in _ORDINALS


def is_number(word: str) -> bool:
    """Whether it is a number, or part of one."""
    return all(part in _NUMBERS for part in parts(word))


def is_inner(word: str) -> bool:
    """Whether the next words may belong to the same written word, or decide how it is written."""
    return word in _INNER or is_number(word)
