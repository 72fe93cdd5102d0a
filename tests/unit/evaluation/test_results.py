from pathlib import Path

from stt.evaluation.comparison import Comparison
from stt.evaluation.manifests import Utterance
from stt.evaluation.normalisers import NORMALISERS
from stt.evaluation.results import worst


def test_without_a_normaliser_case_and_punctuation_count() -> None:
    utterance = Utterance("a", Path("a"), "Yes.")
    assert Comparison("none").compare(utterance, "yes", 1.0).scores.words.rate == 1.0
    assert Comparison().compare(utterance, "yes", 1.0).scores.words.rate == 0.0
    assert set(NORMALISERS) == {"basic", "none", "reading"}


def test_the_worst_come_first_and_correct_ones_are_left_out() -> None:
    texts = {"right": ("가나", "가나"), "half": ("가나", "가"), "heard nothing said": ("", "가"),
             "all": ("가나", "다라")}  # fmt: skip
    results = [
        Comparison().compare(Utterance(name, Path(name), reference), hypothesis, 1.0)
        for name, (reference, hypothesis) in texts.items()
    ]
    names = [result.utterance.name for result in worst(results, 10)]
    assert names == ["heard nothing said", "all", "half"]
    assert len(worst(results, 1)) == 1
