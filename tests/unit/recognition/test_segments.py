from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stt.recognition.segments import split_segments, split_turns
from stt.types import Segment, Word
from tests.words import spoken, words


def texts(segments: tuple[Segment, ...]) -> list[str]:
    return [segment.text for segment in segments]


def test_nothing_said() -> None:
    assert split_segments(()) == ()


def test_a_segment_ends_at_a_pause() -> None:
    said = spoken(("a", 0.5, 1), ("b", 1, 1.2), ("c", 1.4, 2), ("d", 3, 4))
    first, second = split_segments(said, pause_seconds=1)
    assert (first.text, first.start, first.end) == ("a b c", 0.5, 2)
    assert (second.text, second.start, second.end) == ("d", 3, 4)
    assert texts(split_segments(said, pause_seconds=0.2)) == ["a b", "c", "d"]


def test_long_stretches_are_cut_at_their_longest_pause() -> None:
    said = spoken(("a", 0, 1), ("b", 1.1, 2), ("c", 2.4, 3), ("d", 3.2, 4), ("e", 4.0, 5))
    assert texts(split_segments(said, max_seconds=5)) == ["a b c d e"]
    assert texts(split_segments(said, max_seconds=4)) == ["a b", "c d e"]


def test_stretches_without_a_pause_are_cut_in_the_middle() -> None:
    said = spoken(*((str(second), second, second + 1) for second in range(8)))
    assert texts(split_segments(said, max_seconds=4)) == ["0 1 2 3", "4 5 6 7"]


def test_a_slightly_longer_pause_near_the_edge_does_not_isolate_a_word() -> None:
    said = spoken(
        ("a", 0, 1), ("b", 1.04, 2), ("c", 2, 3), ("d", 3.02, 4), ("e", 4, 5), ("f", 5, 6)
    )
    assert texts(split_segments(said, max_seconds=5)) == ["a b c", "d e f"]


def test_a_word_is_never_cut() -> None:
    said = spoken(("a", 0, 1), ("b", 1, 50), ("c", 50, 51))
    assert texts(split_segments(said, max_seconds=10)) == ["a", "b", "c"]


@given(words(), st.floats(0.1, 3), st.floats(0.5, 20))
@settings(max_examples=300, deadline=None)
def test_every_word_is_in_one_segment_and_no_segment_is_too_long(
    said: tuple[Word, ...], pause_seconds: float, max_seconds: float
) -> None:
    found = split_segments(said, pause_seconds=pause_seconds, max_seconds=max_seconds)
    assert tuple(word for segment in found for word in segment.words) == said
    for segment in found:
        assert segment.start <= segment.end
        assert len(segment.words) == 1 or segment.end - segment.start <= max_seconds
        for before, after in pairwise(segment.words):
            assert after.start - before.end < pause_seconds + 0.001
    for one, next_one in pairwise(found):
        assert one.end <= next_one.start


@pytest.mark.parametrize("n_words", [20_000])
def test_hours_without_a_pause_do_not_recurse(n_words: int) -> None:
    said = tuple(Word("a", index * 0.5, index * 0.5 + 0.5, 1.0) for index in range(n_words))
    found = split_segments(said)
    assert max(segment.end - segment.start for segment in found) <= 15
    assert min(segment.end - segment.start for segment in found) >= 5


def test_who_speaks_while_another_does_has_a_turn_behind() -> None:
    first = spoken(("a", 0, 1), ("b", 1, 3), ("c", 3, 4), ("d", 9, 10))
    second = spoken(("yes", 1.5, 2), ("no", 5, 6), ("never", 7, 8))
    said = [
        *(replace(word, channel=1) for word in first),
        *(replace(word, channel=2) for word in second),
    ]
    said.sort(key=lambda word: word.start)
    assert [(each.channel, each.text) for each in split_segments(said)] == [
        (1, "a b c"), (2, "yes"), (2, "no"), (2, "never"), (1, "d"),
    ]  # fmt: skip
    turns = split_turns(said)
    assert [(each.channel, each.text) for each in turns] == [
        (1, "a b c"), (2, "yes no never"), (1, "d"),
    ]  # fmt: skip
    assert (turns[1].start, turns[1].end) == (1.5, 8)
    assert split_turns(()) == ()
