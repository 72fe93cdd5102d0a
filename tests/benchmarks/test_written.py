"""The sets of written Korean meet their targets, and readings undo what is written."""

import pytest

from benchmarks.written import as_written, cases
from stt.korean.readings import readings, spoken_text
from stt.korean.written import open_from, written


@pytest.mark.parametrize("half", ["dev", "kept"])
@pytest.mark.parametrize(("kind", "target"), [("numbers", 0.95), ("look_alikes", 0.995)])
def test_the_sets_meet_their_targets(kind: str, target: float, half: str):
    each = cases(kind, half)
    n_right = sum(as_written(case.spoken) == case.written for case in each)
    assert n_right >= target * len(each)


@pytest.mark.parametrize("kind", ["numbers", "look_alikes"])
def test_what_is_final_does_not_change_when_more_words_follow(kind: str):
    for case in cases(kind, "dev") + cases(kind, "hard"):
        words = case.spoken.split()
        whole = written(words)
        for n_words in range(len(words)):
            n_final = open_from(words[:n_words])
            early = [s for s in written(words[:n_words]) if s.last_word < n_final]
            assert early == whole[: len(early)], words
            assert not early or early[-1].last_word == n_final - 1, words


def has_reading(text: str, spoken: str) -> bool:
    """Whether some way to say ``text`` is ``spoken``, spaces aside."""
    goal, positions = spoken.replace(" ", ""), {0}
    for reading in readings(text):
        ways = [way.replace(" ", "") for way in reading.spoken]
        positions = {p + len(way) for p in positions for way in ways if goal.startswith(way, p)}
    return len(goal) in positions


def test_readings_are_the_inverse_of_the_written_form():
    each = cases("numbers", "dev") + cases("numbers", "kept")
    back = [case for case in each if as_written(spoken_text(case.written)) == case.written]
    said = [case for case in each if has_reading(case.written, case.spoken)]
    assert len(back) >= 0.98 * len(each)
    assert len(said) >= 0.98 * len(each)
