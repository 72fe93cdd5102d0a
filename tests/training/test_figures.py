"""Figures and the model card that shows them."""

from dataclasses import replace
from pathlib import Path

import pytest

from training.card import write_card
from training.evaluate import digest, score, update
from training.export import BUNDLED
from training.figures import (
    ConfidenceFigure,
    EmptyFigure,
    Figures,
    Machine,
    PaddingFigure,
    PrecisionFigure,
    Precisions,
    Score,
    TimeErrors,
    TrainingRun,
    WordTimes,
)
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
    weights="0123",
    words=WordTimes(
        date="2030-01-03",
        n_clips=300,
        n_words=1054,
        start_lag=-0.009,
        end_lag=-0.097,
        starts=TimeErrors(-0.001, 0.006, 0.035),
        ends=TimeErrors(0.008, 0.042, 0.151),
    ),
    confidence=ConfidenceFigure("2030-01-03", 1137, 0.624, 0.64, 1.25, 0.039, 0.09),
    precision=Precisions(
        date="2030-01-03",
        libraries="openvino 1, nncf 2",
        n_clips=300,
        n_calibration_clips=160,
        rows=[
            PrecisionFigure("torch", "fp32", 0.0378, 0.0, 1.0),
            PrecisionFigure("torch", "bf16", 0.0382, 0.0017, 0.983),
            PrecisionFigure("openvino", "int8", 0.0374, 0.0022, 0.973, target=0.001),
        ],
    ),
)


def test_a_score_counts_all_edits_of_a_set():
    measured = score(["가 나다", "라"], ["가나다", "라"], target=0.1)
    assert measured.n_clips == 2
    assert measured.cer == pytest.approx(1 / 5)
    assert measured.cer_without_spaces == 0
    assert measured.wer == pytest.approx(2 / 3)
    assert measured.exact == 0.5


def test_figures_round_trip_through_their_file(tmp_path: Path):
    FIGURES.save(tmp_path / "figures.json")
    assert Figures.load(tmp_path / "figures.json") == FIGURES


def test_the_card_shows_met_and_missed_targets(tmp_path: Path):
    write_card(RECIPES["ko-mini"], FIGURES, tmp_path / "README.md")
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlicense: apache-2.0\nlanguage: ko\n")
    (sentences,) = (line for line in card.splitlines() if line.startswith("| `test_sentences`"))
    (words,) = (line for line in card.splitlines() if line.startswith("| `test_words`"))
    assert "| 300 | 3.1 % |" in sentences
    assert "at most 4.0 %: met" in sentences
    assert "| 300 | 9.1 % |" in words
    assert "at most 8.0 %: **missed**" in words
    assert "the text is empty for 83 of them" in card
    assert "24 of 24 clips have the same text" in card
    assert "44.0 hours of audio were heard" in card


def test_the_card_of_a_model_without_mask_asks_for_single_clips(tmp_path: Path):
    figures = replace(FIGURES, model="en-mini", padding=None)
    write_card(RECIPES["en-mini"], figures, tmp_path / "README.md")
    assert "one clip at a time" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_the_card_shows_times_confidence_and_precisions(tmp_path: Path):
    write_card(RECIPES["ko-mini"], FIGURES, tmp_path / "README.md")
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "| starts | -1 ms | 6 ms | 35 ms | at most 60 ms and 150 ms: met |" in card
    assert "| ends | +8 ms | 42 ms | 151 ms | at most 60 ms and 150 ms: **missed** |" in card
    assert "-97 ms" in card
    assert "3.9 % (at most 5.0 %: met; 9.0 % at temperature 1)" in card
    assert (
        "| OpenVINO, int8 | 3.74 % | -0.04 points | 0.22 % | 97.3 % | at most +0.10 points: met |"
        in card
    )
    lossy = PrecisionFigure("openvino", "int8", 0.0389, 0.01, 0.9, target=0.001)
    rows = [FIGURES.precision.rows[0], lossy]
    figures = replace(FIGURES, precision=replace(FIGURES.precision, rows=rows))
    write_card(RECIPES["ko-mini"], figures, tmp_path / "README.md")
    assert "+0.10 points: **missed**" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_the_card_credits_everyday_sentences(tmp_path: Path):
    run = replace(FIGURES.training, has_everyday=True, is_continued=True)
    everyday = FIGURES.scores | {"everyday": Score(1800, 0.05, 0.04, 0.2, 0.6, target=0.06)}
    figures = replace(FIGURES, training=run, scores=everyday)
    write_card(RECIPES["ko-mini"], figures, tmp_path / "README.md")
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "MIT licence,\ncopyright 2018 Youngsook Song" in card
    assert "from the published weights" in card
    assert "at most 6.0 %: met" in card


def test_unmeasured_figures_have_no_section(tmp_path: Path):
    figures = replace(FIGURES, words=None, confidence=None, precision=None)
    figures.save(tmp_path / "figures.json")
    assert Figures.load(tmp_path / "figures.json") == figures
    write_card(RECIPES["ko-mini"], figures, tmp_path / "README.md")
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "## Confidence" not in card
    assert "\n\n\n" not in card


def test_figures_of_two_models_or_machines_are_not_mixed(tmp_path: Path):
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    recipe = RECIPES["ko-mini"]
    FIGURES.save(tmp_path / "figures.json")
    with pytest.raises(ValueError, match="other weights"):
        update(recipe, tmp_path, tmp_path, 1, [])
    replace(FIGURES, weights=digest(tmp_path)).save(tmp_path / "figures.json")
    with pytest.raises(ValueError, match="Some Processor"):
        update(recipe, tmp_path, tmp_path, 1, ["words"])
    assert update(recipe, tmp_path, tmp_path, 1, []).scores == FIGURES.scores
    assert (tmp_path / "README.md").exists()


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_the_bundled_cards_match_their_weights_and_figures(name: str, tmp_path: Path):
    figures = Figures.load(BUNDLED / name / "figures.json")
    assert figures.weights == digest(BUNDLED / name)
    assert figures.words
    assert figures.confidence
    assert figures.precision
    write_card(RECIPES[name], figures, tmp_path / "README.md")
    card = (BUNDLED / name / "README.md").read_text(encoding="utf-8")
    assert card == (tmp_path / "README.md").read_text(encoding="utf-8")
