"""Which words are compared, and how their errors are summarised."""

import pytest

from stt.types import Word
from training.held_out import SpokenWord
from training.word_times import errors_of, matched

TRUTH = [SpokenWord("a", 0.0, 0.4), SpokenWord("b", 0.5, 0.9), SpokenWord("c", 1.0, 1.4)]


def heard(*texts: str) -> list[Word]:
    return [Word(text, index, index + 0.5, 1.0) for index, text in enumerate(texts)]


def test_only_recognised_words_are_compared() -> None:
    def texts(*words: str) -> list[tuple[str, float]]:
        return [(true.text, word.start) for true, word in matched("a b c", TRUTH, heard(*words))]

    assert texts("a", "b", "c") == [("a", 0), ("b", 1), ("c", 2)]
    assert texts("a", "x", "c") == [("a", 0), ("c", 2)]
    assert texts("x", "a", "c") == [("a", 1), ("c", 2)]
    assert texts() == []


def test_only_the_median_error_is_signed() -> None:
    errors = errors_of([-0.03, -0.02, -0.01, 0.0, 0.1])
    assert errors.median == pytest.approx(-0.01)
    assert errors.median_absolute == pytest.approx(0.02)
    assert errors.high_absolute == pytest.approx(0.086)
