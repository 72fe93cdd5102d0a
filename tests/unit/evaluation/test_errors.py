import jiwer
from hypothesis import given, settings
from hypothesis import strategies as st

from stt.evaluation.errors import Errors, score

TEXTS = st.lists(st.sampled_from(["가", "나", "다라", "ab", "c"]), max_size=6).map(" ".join)


def test_rates_cover_the_whole_set() -> None:
    # One of two words wrong, then none of eight: 1/10, not the mean of 1/2 and 0.
    scores = score([("가 나", "가 다"), ("a b c d e f g h", "a b c d e f g h")])
    assert scores.words == Errors(substitutions=1, reference_units=10)
    assert scores.words.rate == 0.1


def test_a_missing_space_costs_two_words_one_character_or_nothing() -> None:
    scores = score([("할 수 있다", "할수 있다")])
    assert scores.words == Errors(substitutions=1, deletions=1, reference_units=3)
    assert scores.characters == Errors(deletions=1, reference_units=6)
    assert scores.characters_without_spaces == Errors(reference_units=4)


def test_with_an_empty_reference_all_words_are_insertions() -> None:
    scores = score([("", "가 나"), ("다 라", "다 라")])
    assert scores.words == Errors(insertions=2, reference_units=2)
    assert scores.words.rate == 1.0
    assert scores.characters == Errors(insertions=3, reference_units=3)


def test_the_rate_is_undefined_if_all_references_are_empty() -> None:
    assert score([("", "가")]).words.rate is None
    assert score([("", "")]).words.rate == 0.0
    assert score([]).words.rate == 0.0


def test_with_an_empty_hypothesis_all_words_are_deletions() -> None:
    assert score([("가 나", "")]).words == Errors(deletions=2, reference_units=2)


@settings(deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5))
def test_jiwer_counts_the_same(pairs: list[tuple[str, str]]) -> None:
    scores = score(pairs)
    references, hypotheses = map(list, zip(*pairs, strict=True))
    for errors, measured in (
        (scores.words, jiwer.process_words(references, hypotheses)),
        (scores.characters, jiwer.process_characters(references, hypotheses)),
    ):
        assert errors == Errors(
            measured.substitutions,
            measured.deletions,
            measured.insertions,
            measured.hits + measured.substitutions + measured.deletions,
        )
