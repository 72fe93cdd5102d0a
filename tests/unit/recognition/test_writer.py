"""Words as they are written, with the times of what was spoken."""

import math
import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.written import cases
from stt.recognition.writer import Rules, RuleWriter
from stt.recognition.written_forms import ENGLISH, korean_rules
from stt.types import Token, Word, join_words
from tests.words import spoken

KOREAN = korean_rules()
RULES = {"korean": KOREAN, "english": ENGLISH}
SENTENCES = [
    (rules, case.spoken)
    for language, rules in RULES.items()
    for kind in ("numbers", "look_alikes")
    for case in cases(language, kind, "dev")[::7]
]


def say(text: str) -> list[Word]:
    """Half a second for each word."""
    return list(spoken(*((word, n / 2, n / 2 + 0.4) for n, word in enumerate(text.split()))))


def said(words: list[Word]) -> str:
    """What was spoken, of written words."""
    return "".join(
        (" " if word.space_before else "") + (word.spoken or word.text) for word in words
    ).removeprefix(" ")


def test_a_written_word_has_the_times_the_confidence_and_the_tokens_of_its_words() -> None:
    words = [
        Word("세", 1.0, 1.2, 0.9, (Token("세", -0.1),), space_before=False),
        Word("시에", 1.3, 1.7, 0.8, (Token("시", -0.1), Token("에", -0.2))),
        Word("봐요", 1.9, 2.4, 0.7),
    ]
    writer = RuleWriter(KOREAN)
    written = writer.feed(words) + writer.finish()
    tokens = (Token("세", -0.1), Token("시", -0.1), Token("에", -0.2))
    assert written == [
        Word("3시에", 1.0, 1.7, 0.9 * 0.8, tokens, space_before=False, spoken="세 시에"),
        words[2],
    ]


def test_words_leave_once_no_later_word_can_change_them() -> None:
    writer = RuleWriter(KOREAN)
    left = [
        [word.text for word in writer.feed([each])] for each in say("내일 세 시 삼십 분에 봐요")
    ]
    assert left == [[], ["내일"], [], [], [], ["3시", "30분에"]]
    assert writer.finish() == say("내일 세 시 삼십 분에 봐요")[-1:]
    assert writer.finish() == []


def test_a_preview_shows_all_words_and_changes_nothing() -> None:
    writer = RuleWriter(KOREAN)
    words = say("내일 세 시에 봐요")
    assert [word.text for word in writer.feed(words[:2])] == ["내일"]
    assert [word.text for word in writer.preview(words[2:])] == ["3시에", "봐요"]
    assert [word.text for word in writer.preview([])] == ["세"]
    assert [word.text for word in writer.feed(words[2:])] == ["3시에"]


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=9))
def test_any_split_into_feeds_gives_the_same_words_and_loses_nothing(
    seed: int, sentences: list[tuple[Rules[Any], str]]
) -> None:
    rules, text = sentences[0][0], " ".join(each for _, each in sentences)
    rng, words = random.Random(seed), say(text)
    at_once = RuleWriter(rules)
    whole = at_once.feed(words) + at_once.finish()
    cuts = sorted(rng.choices(range(len(words) + 1), k=rng.randint(0, len(words))))
    writer, pieces = RuleWriter(rules), []
    for begin, end in pairwise([0, *cuts, len(words)]):
        pieces += writer.feed(words[begin:end])
    pieces += writer.finish()
    assert pieces == whole
    assert said(pieces) == text == join_words(words)
    assert math.prod(word.confidence for word in pieces) == pytest.approx(0.9 ** len(words))
    assert all(one.end <= other.start for one, other in pairwise(pieces))


@pytest.mark.parametrize(
    ("language", "number", "most"), [("korean", "일", 24), ("english", "one", 48)]
)
def test_an_endless_number_is_not_held_back_for_ever(language: str, number: str, most: int) -> None:
    writer, n_left = RuleWriter(RULES[language]), 0
    for n, word in enumerate(say(f"{number} " * 500), 1):
        n_left += sum(len((each.spoken or each.text).split()) for each in writer.feed([word]))
        assert n - n_left < most, "two of the longest written forms"


def test_a_long_pause_ends_a_number() -> None:
    def write(pause: float) -> list[str]:
        writer = RuleWriter(KOREAN)
        words = spoken(("세", 0.0, 0.4), ("시", 0.4 + pause, 1.0 + pause))
        return [word.text for word in writer.feed(words) + writer.finish()]

    assert write(1.5) == ["3시"]
    assert write(2.5) == ["세", "시"]


def test_a_long_pause_counts_also_after_a_word_that_has_left() -> None:
    words = spoken(("march", 0.0, 0.4), ("of", 0.5, 0.6), ("may", 0.7, 0.9), ("sixth", 5.0, 5.4))
    whole, live = RuleWriter(ENGLISH), RuleWriter(ENGLISH)
    at_once = whole.feed(words) + whole.finish()
    one_by_one = [left for word in words for left in live.feed([word])] + live.finish()
    assert one_by_one == at_once
    assert [word.text for word in at_once] == ["march", "of", "may", "sixth"]


def test_english_words_leave_at_once_unless_they_are_of_a_number() -> None:
    writer = RuleWriter(ENGLISH)
    left = [
        [word.text for word in writer.feed([each])]
        for each in say("WE PAID TWENTY FIVE PERCENT OF IT")
    ]
    assert left == [["WE"], ["PAID"], [], [], ["25%"], ["OF"], ["IT"]]
    assert writer.finish() == []
