"""The sets of written forms meet their targets, and readings undo what is written in Korean."""

import pytest

from benchmarks.written import RULES, as_written, cases, halves
from stt.korean.readings import readings, spoken_text

KINDS = {"numbers": 0.95, "look_alikes": 0.995}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", RULES)
def test_the_sets_meet_their_targets(language: str, kind: str):
    for half in {"dev", "kept", "blind"}.intersection(halves(language, kind)):
        each = cases(language, kind, half)
        n_right = sum(as_written(language, case.spoken) == case.written for case in each)
        assert n_right >= KINDS[kind] * len(each)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", RULES)
def test_what_is_final_does_not_change_when_more_words_follow(language: str, kind: str):
    rules = RULES[language]
    for case in (case for half in halves(language, kind) for case in cases(language, kind, half)):
        words = case.spoken.split()
        whole = rules.written(words, rules.start)
        for n_words in range(len(words)):
            n_final = rules.open_from(words[:n_words])
            spans = rules.written(words[:n_words], rules.start)
            early = [span for span in spans if span.last_word < n_final]
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
    each = cases("korean", "numbers", "dev") + cases("korean", "numbers", "kept")
    back = [
        case for case in each if as_written("korean", spoken_text(case.written)) == case.written
    ]
    said = [case for case in each if has_reading(case.written, case.spoken)]
    assert len(back) >= 0.98 * len(each)
    assert len(said) >= 0.98 * len(each)
