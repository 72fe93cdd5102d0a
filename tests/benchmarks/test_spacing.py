"""Spaces are restored in the project's own sentences, and few right texts change."""

from benchmarks.spacing import error_rate, own_sentences, restored, unchanged, without_spaces
from stt.korean.spacing import open_analyser


def test_the_sentences_meet_their_targets() -> None:
    analyse = open_analyser()

    def space(text: str) -> str:
        return restored(text, analyse)

    sentences = own_sentences()
    joined = without_spaces(sentences)
    assert error_rate(joined) > 0.15
    assert error_rate(joined, space) <= 0.06
    assert error_rate(unchanged(sentences), space) <= 0.01
    assert all(case.given == space(case.given).replace(" ", "") for case in joined)
