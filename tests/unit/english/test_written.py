"""Spoken English words as they are written."""

import random
import time
from itertools import pairwise
from pathlib import Path

import pytest

from stt.english import lexicon
from stt.english.written import Written, open_from, written

ROOT = Path(__file__).parents[3]
VOCABULARY = sorted(
    lexicon.CARDINALS
    | lexicon.MONTHS
    | lexicon.ZERO_LETTERS
    | set(lexicon.CURRENCIES)
    | {"first", "second", "twentieth", "a", "and", "point", "to", "or", "in", "out", "of", "half"}
    | {"per", "cent", "percent", "p", "m", "am", "i", "past", "odd", "the", "dog", "twenties"}
)


def text_of(spoken: str) -> str:
    return " ".join(span.text for span in written(spoken.split()))


@pytest.mark.parametrize(
    ("spoken", "expected"),
    [
        ("five days or twelve", "five days or 12"),
        ("a hundred and fifty of them", "150 of them"),
        ("two thousand and five", "2005"),
        ("ten thousand five hundred", "10,500"),
        ("ten billion two hundred million", "10,200,000,000"),
        ("one point five million dollars", "$1.5 million"),
        ("TWO MILLION", "2 MILLION"),
        ("TEN A M", "10 AM"),
        ("eight dollars and five cents", "$8.05"),
        ("five per cent", "5%"),
        ("the twenty second of may", "the 22nd of may"),
        ("december twenty five nineteen ninety", "december 25 1990"),
        ("in ten sixty six at ten thirty", "in 1066 at 10:30"),
        ("nineteen twenty", "nineteen twenty"),
        ("in nineteen twenty", "in 1920"),
        ("in twenty fifteen minutes", "in twenty fifteen minutes"),
        ("Twenty-five, thirty.", "25, 30."),
        ("nine oh two one oh", "90210"),
        ("one one two one two three", "one one two one two three"),
    ],
)
def test_numbers_are_written(spoken: str, expected: str) -> None:
    assert text_of(spoken) == expected


@pytest.mark.parametrize(
    "spoken",
    [
        "no one hundred percent agrees",
        "twenty four seven",
        "twenty fives",
        "five million tens",
        "at one point five people left",
        "ten to fifteen thousand",
        "a hundred and a half",
        "three point fourteen",
        "twenty and five",
        "his thirty second birthday",
        "may second the motion",
        "one hundred million million million",
        "hundred and five",
        "twenty 's",
        "ten past ten",
    ],
)
def test_doubtful_words_stay(spoken: str) -> None:
    assert text_of(spoken) == spoken


def test_the_examples_of_the_documentation_are_right() -> None:
    text = (ROOT / "docs" / "english.md").read_text(encoding="utf-8")
    tables = text.split("| Heard | Written |\n|---|---|\n")[1:]
    rows = [
        row.strip("|").split("|")
        for table in tables
        for row in table.partition("\n\n")[0].splitlines()
    ]
    assert len(rows) > 20
    assert [[said, f" {text_of(said)} "] for said, _ in rows] == rows


def test_a_span_names_the_words_that_it_replaces() -> None:
    assert written(["about", "twenty", "five", "percent", "left"]) == [
        Written("about", 0, 0),
        Written("25%", 1, 3),
        Written("left", 4, 4),
    ]


@pytest.mark.parametrize(
    ("spoken", "n_final"),
    [
        ("", 0),
        ("we", 1),
        ("we saw twenty", 2),
        ("we saw twenty five", 2),
        ("twenty five percent", 3),
        ("twenty five per", 0),
        ("ten am", 0),
        ("twenty five people", 3),
        ("we went to", 3),
        ("five dollars and", 0),
    ],
)
def test_only_words_of_a_number_may_still_change(spoken: str, n_final: int) -> None:
    assert open_from(spoken.split()) == n_final


@pytest.mark.parametrize(
    "words",
    [
        [""],
        ["\0", "ten\0"],
        ["25", "1,000", "3rd", "10.5"],
        ["twenty5", "٣", "½", "스물", "twentyé", "\u200b"],
        ["-", "--", "twenty-", "-five"],
        ["a" * 1_000_000],
        ["twenty-" * 10_000 + "one"],
        ["one"] * 1_000,
        ["one", "hundred", *["million"] * 50],
        ["one", "point", *["five"] * 1_000],
        ["oh"] * 1_000,
        ["four", "seven", "one"] * 300,
    ],
)
def test_hostile_words_stay_as_they_are_and_take_no_time(words: list[str]) -> None:
    started = time.process_time()
    spans = written(words)
    assert time.process_time() - started < 0.01 + 1e-3 * len(words), "a millisecond a word"
    assert [span.text for span in spans] == words


def test_any_words_make_spans_in_order_whatever_has_come_of_them() -> None:
    rng = random.Random(0)
    for _ in range(60):
        words = rng.choices(VOCABULARY, k=60)
        whole = written(words)
        assert [span.first_word for span in whole] == [
            0, *(span.last_word + 1 for span in whole[:-1])
        ]  # fmt: skip
        for n_words in rng.sample(range(60), 10):
            n_final = open_from(words[:n_words])
            early = [s for s in written(words[:n_words]) if s.last_word < n_final]
            assert early == whole[: len(early)], words


def test_a_number_is_written_alike_in_any_case() -> None:
    for one, other in pairwise(
        text_of(word) for word in ("twenty five", "TWENTY FIVE", "Twenty Five")
    ):
        assert one == other == "25"


def test_a_word_too_long_for_a_number_is_not_lost_within_one() -> None:
    words = ["forty", "x" * 50, "million"]
    assert [span.text for span in written(words)] == ["40", "x" * 50, "million"]
