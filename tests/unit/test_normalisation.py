import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stt.normalisation import compose, normalise_basic


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Hello,\tWORLD!  ", "hello world"),
        ("don't", "dont"),
        ("“안녕하세요?” — 네.", "안녕하세요 네"),
        ("학교", "학교"),  # decomposed, as macOS writes names
        ("1+1 = $2", "1+1 = $2"),
        ("…", ""),
    ],
)
def test_the_basic_normaliser(text: str, expected: str) -> None:
    assert normalise_basic(unicodedata.normalize("NFD", text)) == expected
    assert normalise_basic(text) == expected


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise_basic(text)
    assert normalise_basic(once) == once
    assert unicodedata.is_normalized("NFC", once)


def test_case_and_some_punctuation_can_stay() -> None:
    assert normalise_basic("Don't “Go”!", lower_case=False, kept="'") == "Don't Go"


@given(st.text("가각aé=∃・\u0327\u0301\u0338\u0344", max_size=60))
def test_texts_with_few_marks_are_in_nfc(text: str) -> None:
    assert compose(text) == unicodedata.normalize("NFC", text)


@given(st.text("aé∃\u0327\u0301\u0344", min_size=40, max_size=200))
def test_marks_are_never_lost(text: str) -> None:
    left, right = (sorted(unicodedata.normalize("NFD", each)) for each in (text, compose(text)))
    assert left == right


def test_a_flood_of_marks_ends() -> None:
    # Sorting them all would take minutes, for which Python would run nothing else.
    flood = "a" + 100_000 * "\u0301\u0327"
    assert len(compose(flood)) in (len(flood), len(flood) - 1)
