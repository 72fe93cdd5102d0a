from pathlib import Path

from stt.evaluation.comparison import Comparison
from stt.evaluation.manifests import Utterance
from stt.evaluation.results import Result
from stt.evaluation.substitutions import Substitution, substitutions


def results(*pairs: tuple[str, str]) -> list[Result]:
    return [
        Comparison().compare(Utterance(f"{n}.wav", Path(f"{n}.wav"), reference), hypothesis, 1.0)
        for n, (reference, hypothesis) in enumerate(pairs)
    ]


def test_the_most_frequent_come_first_with_their_first_recording() -> None:
    found = substitutions(
        results(("가 나 다", "가 너 더"), ("나 라", "너 라"), ("마", "바")), count=2
    )
    assert found == (Substitution("나", "너", 2, "0.wav"), Substitution("다", "더", 1, "0.wav"))


def test_missing_and_additional_words_are_no_substitutions() -> None:
    assert substitutions(results(("가 나 다", "가 다"), ("가", "가 나")), 10) == ()


def test_spaces_alone_are_no_substitution() -> None:
    assert substitutions(results(("할 수 있다", "할수 있다"), ("안 돼", "안돼")), 10) == ()


def test_words_that_are_joined_and_changed_go_together() -> None:
    [found] = substitutions(results(("할 수 있다", "할쑤 있다")), 10)
    assert (found.reference, found.hypothesis) == ("할 수", "할쑤")


def test_long_stretches_are_no_confusion_of_words() -> None:
    assert substitutions(results(("가 나 다 라 마", "바 사")), 10) == ()
