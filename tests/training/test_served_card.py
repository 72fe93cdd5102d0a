"""The cards of the bundled models are those of their figures."""

import pytest

from stt.models.card import Card
from training.export import BUNDLED
from training.figures import Figures
from training.served_card import served_card


@pytest.mark.parametrize("name", ["ko-mini", "en-mini"])
def test_the_bundled_card_has_the_figures(name: str) -> None:
    folder = BUNDLED / name
    card: Card = served_card(Figures.load(folder / "figures.json"), folder)
    assert (folder / "stt-card.json").read_text(encoding="utf-8") == card.to_json()
    assert len(card.evaluations) == 3
