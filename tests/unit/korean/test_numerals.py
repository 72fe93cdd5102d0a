"""Number words, both ways."""

import random

import pytest

from stt.korean import numerals
from stt.korean.numerals import in_units, native, parse_digits, parse_sino, sino


@pytest.mark.parametrize(
    ("number", "spoken"),
    [
        (0, "영"),
        (10, "십"),
        (111, "백십일"),
        (10_000, "만"),
        (15_000, "만 오천"),
        (2026, "이천이십육"),
        (100_000_000, "일억"),
        (100_010_000, "일억 일만"),
        (1_234_567_890_123, "일조 이천삼백사십오억 육천칠백팔십구만 백이십삼"),
    ],
)
def test_sino_korean_numbers(number: int, spoken: str):
    assert sino(number) == spoken
    assert parse_sino(spoken.replace(" ", "")) == number


def test_every_size_of_number_is_parsed_back():
    rng = random.Random(0)
    for _ in range(500):
        number = rng.randrange(10 ** rng.randint(1, 16))
        assert parse_sino(sino(number).replace(" ", "")) == number


@pytest.mark.parametrize("number", [-1, numerals.LIMIT, 10**20])
def test_numbers_out_of_range_are_refused(number: int):
    with pytest.raises(ValueError, match="expected a number from 0"):
        sino(number)


@pytest.mark.parametrize(
    "text", ["", "이삼", "이이십", "십백", "억", "조", "만만", "백원", "세", "a1"]
)
def test_other_words_are_not_numbers(text: str):
    assert parse_sino(text) is None


@pytest.mark.parametrize(
    ("number", "spoken"), [(1, "한"), (20, "스무"), (21, "스물한"), (99, "아흔아홉")]
)
def test_native_numbers(number: int, spoken: str):
    assert native(number) == spoken
    assert numerals.NATIVE_VALUES[spoken] == number


def test_digits_one_by_one():
    assert numerals.digits("010") == "공일공"
    assert numerals.digits("010", zero="영") == "영일영"
    assert parse_digits("공일영") == "010"
    assert parse_digits("십") is None
    assert parse_digits("") is None


def test_large_numbers_are_written_in_units():
    assert in_units(350_000_000) == "3억 5,000만"
    assert in_units(10_001) == "1만 1"
    assert in_units(0) == "0"
