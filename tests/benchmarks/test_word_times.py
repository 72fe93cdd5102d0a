"""Which words are compared, and how errors are summed up."""

import pytest

from benchmarks.held_out import SpokenWord
from benchmarks.word_times import errors_of, matched
from stt.types import Word

TRUTH = [SpokenWord("a", 0.0, 0.4), SpokenWord("b", 0.5, 0.9), SpokenWord("c", 1.0, 1.4)]


def heard(*texts: str) -> list[Word]:
    return [Word(text, index, index + 0.5, 1.0) for index, text in enumerate(texts)]


def test_only_words_that_were_recognised_are_compared() -> None:
    def texts(*words: str) -> list[tuple[str, float]]:
        return [(true.text, word.start) for true, word in matched("a b c", TRUTH, heard(*words))]

    assert texts("a", "b", "c") == [("a", 0), ("b", 1), ("c", 2)]
    assert texts("a", "x", "c") == [("a", 0), ("c", 2)]
    assert texts("x", "a", "c") == [("a", 1), ("c", 2)]
    assert texts() == []


def test_the_median_keeps_its_sign_and_the_others_do_not() -> None:
    errors = errors_of([-0.03, -0.02, -0.01, 0.0, 0.1])
    assert errors.median == pytest.approx(-0.01)
    assert errors.median_absolute == pytest.approx(0.02)
    assert errors.high_absolute == pytest.approx(0.086)
