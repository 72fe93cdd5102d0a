"""Everyday sentences: how they are split, spelled and spoken."""

import random
from pathlib import Path

import pytest

from training.everyday import everyday_texts, mixture, spelled, utterances
from training.splits import Splits, everyday_splits


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two hundred pairs; the last ones share sentences with the first."""
    rows = [f"{n}번 질문이야?,{n}번 답이야.,0" for n in range(200)]
    rows += ["0번 질문이야!,다른 답이야.,0", "또 다른 질문,다른 답이야,0", "숫자 123456789,aaa,0"]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["Q,A,label", *rows]) + "\n", encoding="utf-8")
    return path


def test_sentences_that_belong_together_are_on_one_side(table: Path):
    splits = everyday_splits(table)
    sides = [set(splits.train), set(splits.dev), set(splits.held_out)]
    assert sum(map(len, sides)) == 200 * 2 + 4
    assert 20 <= len(splits.held_out) <= 70
    for sentences in [
        *([f"{n}번 질문이야?", f"{n}번 답이야."] for n in range(200)),
        ["0번 질문이야?", "다른 답이야.", "또 다른 질문"],
    ]:
        assert sum(1 for side in sides if side & set(sentences)) == 1


def test_the_split_depends_on_the_sentences_alone(table: Path, tmp_path: Path):
    header, *rows = table.read_text(encoding="utf-8").splitlines()
    shuffled = tmp_path / "shuffled.csv"
    shuffled.write_text("\n".join([header, *reversed(rows)]), encoding="utf-8")
    before, after = everyday_splits(table), everyday_splits(shuffled)
    keys = [{s.strip("?!.") for s in splits.held_out} for splits in (before, after)]
    assert keys[0] == keys[1]


@pytest.mark.parametrize(
    ("sentence", "text"),
    [
        ("정말? 좋아요!", "정말 좋아요"),
        ("12시 땡ㅋㅋ", "열두 시 땡"),
        ("3박4일 여행ㅠㅠ", "삼박사일 여행"),
        ("6월이 10월보다", "유월이 시월보다"),
        ("SNS에서 봤어", "에스엔에스에서 봤어"),
        ("15%야", "십오퍼센트야"),
        ("1지망이야", None),
        ("gogo", None),
        ("ㅋㅋㅋ", None),
    ],
)
def test_sentences_are_spelled_in_hangul(sentence: str, text: str | None):
    assert spelled(sentence) == text


def test_hesitations_are_spelled_and_pauses_are_not():
    said = list(utterances(["하나 둘 셋"], 300, random.Random(0)))
    assert any(each.text.startswith("어 ") for each in said)
    assert any("," in each.spoken for each in said)
    assert not any("," in each.text for each in said)
    for each in said:
        assert each.spoken.replace(",", "").rstrip(".?") == each.text


def test_training_leaves_out_what_the_old_sets_test(tmp_path: Path):
    path = tmp_path / "table.csv"
    path.write_text("Q,A,label\n좋은 아침이야,오늘 날씨 좋다,0\n", encoding="utf-8")
    splits = Splits([], [], ["좋은 아침이야"], [], [])
    texts = everyday_texts(path, splits, seed=1)
    assert "좋은 아침이야" not in texts.train


def test_a_mixture_has_as_many_generated_clips_as_everyday_ones():
    mixed = mixture([f"생성 {n}" for n in range(50)], ["가자", "오자"], 3, seed=1)
    assert sum(each.text.startswith("생성") for each in mixed) == len(mixed) / 2 == 6
