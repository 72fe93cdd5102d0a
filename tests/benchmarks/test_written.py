"""The sets of written Korean meet their targets, and readings undo what is written."""

import pytest

from benchmarks.written import as_written, cases
from stt.korean.readings import readings, spoken_text


@pytest.mark.parametrize("half", ["dev", "kept"])
@pytest.mark.parametrize(("kind", "target"), [("numbers", 0.95), ("look_alikes", 0.995)])
def test_the_sets_meet_their_targets(kind: str, target: float, half: str):
    each = cases(kind, half)
    n_right = sum(as_written(case.spoken) == case.written for case in each)
    assert n_right >= target * len(each)


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
