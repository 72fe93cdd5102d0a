"""The card of a bundled model, with which the service shows its figures."""

from pathlib import Path

from stt.models.card import Card, Evaluation, identify
from training.figures import Figures

SERVED_SETS = ("test_sentences", "test_pairs", "test_words")
"""The sets whose figures the service shows."""


def served_card(figures: Figures, folder: Path) -> Card:
    """The card that the service reads."""
    card = Card(identify(folder))
    for name in SERVED_SETS:
        if (score := figures.scores.get(name)) is not None:
            card = card.with_evaluation(
                Evaluation(
                    set=f"{name} (synthetic voices)",
                    n=score.n_clips,
                    cer=score.cer,
                    cer_by_reading=None,
                    normaliser="none",
                    decoding="best_path",
                    precision="fp32",
                    date=figures.date,
                    commit="",
                )
            )
    return card
