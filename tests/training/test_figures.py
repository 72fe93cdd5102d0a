"""Figures, and the card that shows them."""

from dataclasses import replace
from pathlib import Path

import pytest

from training.card import write_card
from training.evaluate import score
from training.figures import EmptyFigure, Figures, Machine, PaddingFigure, Score, TrainingRun
from training.recipe import RECIPES

FIGURES = Figures(
    model="ko-mini",
    date="2030-01-02",
    command="uv run python -m training.evaluate ko-mini",
    seed=1,
    machine=Machine("2 x Some Processor", "3.11.0", "2.0", "5.0"),
    training=TrainingRun(
        "2030-01-01", "uv run python -m training ko-mini", 1, "cpu", 1, 40_000, 33.9, 44.0, 90.2
    ),
    n_parameters=5_503_160,
    n_bytes=11_020_424,
    scores={
        "test_sentences": Score(300, 0.031, 0.021, 0.11, 0.7, target=0.04),
        "test_words": Score(300, 0.091, 0.071, 0.31, 0.4, target=0.08),
        "pink_noise_10_db": Score(120, 0.2, 0.18, 0.5, 0.2),
        "voice_m5": Score(40, 0.1, 0.08, 0.3, 0.4),
        "long_60_s": Score(8, 0.05, 0.04, 0.1, 0.0),
    },
    empty=EmptyFigure(84, {"pink noise, -10 dBFS, 2 s": "가"}),
    padding=PaddingFigure(24, 24, 7.6e-06),
)


def test_a_score_counts_edits_of_the_whole_set():
    measured = score(["가 나다", "라"], ["가나다", "라"], target=0.1)
    assert measured.n_clips == 2
    assert measured.cer == pytest.approx(1 / 5)
    assert measured.cer_without_spaces == 0
    assert measured.wer == pytest.approx(2 / 3)
    assert measured.exact == 0.5


def test_figures_survive_their_file(tmp_path: Path):
    FIGURES.save(tmp_path / "figures.json")
    assert Figures.load(tmp_path / "figures.json") == FIGURES


def test_the_card_shows_what_was_met_and_what_was_missed(tmp_path: Path):
    write_card(RECIPES["ko-mini"], FIGURES, tmp_path / "README.md")
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlicense: apache-2.0\nlanguage: ko\n")
    (sentences,) = (line for line in card.splitlines() if line.startswith("| `test_sentences`"))
    (words,) = (line for line in card.splitlines() if line.startswith("| `test_words`"))
    assert "| 300 | 3.1 % |" in sentences
    assert "at most 4.0 %: met" in sentences
    assert "| 300 | 9.1 % |" in words
    assert "at most 8.0 %: **missed**" in words
    assert "nothing was written for 83 of them" in card
    assert "24 of 24 clips read the same" in card
    assert "44.0 hours of audio were heard" in card


def test_the_card_says_that_a_model_without_a_mask_wants_one_clip_at_a_time(tmp_path: Path):
    figures = replace(FIGURES, model="en-mini", padding=None)
    write_card(RECIPES["en-mini"], figures, tmp_path / "README.md")
    assert "one clip at a time" in (tmp_path / "README.md").read_text(encoding="utf-8")
