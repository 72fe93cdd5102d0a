from stt.evaluation.errors import Errors, score


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
