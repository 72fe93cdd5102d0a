import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stt.normalisation import normalise_basic


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
