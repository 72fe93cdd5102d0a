"""``python -m training.language_model``: the n-gram models beside the bundled ones, and their cards.

Each is counted in texts that no held-out set has: those of the grammar, and for Korean also
conversations of people, of which a tenth is held out.
"""

import argparse
import csv
import datetime
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

from stt.language_model.arpa import read_arpa
from stt.language_model.build import Plan, build, measure
from stt.language_model.ngram import NgramModel
from stt.language_model.source import ATTRIBUTES, FOLDER
from stt.language_model.texts import is_held_out, normalise
from training.evaluate import write
from training.export import BUNDLED
from training.figures import Figures, HeldOutText, LanguageModelFigure
from training.recipe import RECIPES, Recipe

COMMAND = "uv run --group training python -m training.language_model --chat ko_chatbot.csv"
N_TEXTS = 120_000
"""More than the acoustic model hears: counts need more than ears."""
MAX_BYTES = 3_000_000
PLANS = {
    "ko-mini": Plan("syllable", order=6, max_bytes=MAX_BYTES),
    "en-mini": Plan("syllable", order=8, max_bytes=MAX_BYTES),
}
WEIGHTS = {"ko-mini": (0.7, 0.5), "en-mini": (0.7, 1.0)}
"""Alpha and beta, chosen on the development sets; larger alphas gain little there."""
OFFSET = -2.0
"""Log-prob to base 10 that an unknown unit loses: characters that the texts lack are rare."""
HANGUL = re.compile("[가-힣 ]+")


@dataclass(frozen=True)
class Texts:
    """What a language model learns from, and what it is measured on."""

    grammar: list[str]
    chat: list[str]
    held_out: dict[str, list[str]]


def read_chat(path: Path) -> list[str]:
    """Questions and answers of songys/Chatbot_data that the model can spell: Hangul only."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = [normalise(row[column]) for row in csv.DictReader(file) for column in ("Q", "A")]
    return [line for line in lines if HANGUL.fullmatch(line)]


def gather(recipe: Recipe, chat: list[str], n_texts: int, seed: int) -> Texts:
    """Part the texts. The held-out sets are those that the acoustic model is measured on."""
    splits = recipe.make_splits(recipe.n_train_texts, seed)
    held_out = {
        name: getattr(splits, name) for name in ("test_sentences", "test_pairs", "test_words")
    }
    unseen = {text for texts in (splits.dev, *held_out.values()) for text in texts}
    grammar = recipe.make_splits(n_texts, seed).train
    if chat:
        held_out["chat"] = [text for text in chat if is_held_out(text)]
    return Texts(
        [text for text in grammar if text not in unseen],
        [text for text in chat if not is_held_out(text) and text not in unseen],
        held_out,
    )


def make(name: str, texts: Texts, folder: Path) -> LanguageModelFigure:
    """Write the model and its weights into a folder, and measure it."""
    folder.mkdir(exist_ok=True)
    plan, (alpha, beta) = PLANS[name], WEIGHTS[name]
    path = folder / f"{plan.order}gram.arpa.gz"
    build(_spelled([*texts.grammar, *texts.chat]), plan, path, print)
    attributes = {"alpha": alpha, "beta": beta, "unk_score_offset": OFFSET, "score_boundary": True}
    (folder / ATTRIBUTES).write_text(json.dumps(attributes, indent=1) + "\n", encoding="utf-8")
    model = NgramModel.of(*read_arpa(path))
    return LanguageModelFigure(
        date=datetime.date.today().isoformat(),
        command=COMMAND,
        unit=plan.unit,
        order=model.order,
        n_texts=len(texts.grammar),
        n_chat_texts=len(texts.chat),
        n_ngrams=list(model.counts),
        n_bytes=path.stat().st_size,
        held_out={
            set_name: _measured(model, _spelled(each), plan.unit)
            for set_name, each in texts.held_out.items()
        },
    )


def _spelled(texts: list[str]) -> list[str]:
    """As the checkpoint spells: the English one in capitals."""
    return [normalise(text, lower_case=False) for text in texts]


def _measured(model: NgramModel, texts: list[str], unit: str) -> HeldOutText:
    found = measure(model, texts, unit)
    return HeldOutText(
        n_texts=len(texts),
        perplexity=found.per_unit,
        bits_per_character=found.bits_per_character,
        unknown=found.n_unknown / (found.n_units + found.n_unknown),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.language_model", description=__doc__)
    parser.add_argument("recipes", nargs="*", default=sorted(PLANS), help="default: all")
    parser.add_argument(
        "--chat",
        type=Path,
        metavar="CSV",
        help="ChatbotData.csv of songys/Chatbot_data, for Korean",
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for name in options.recipes:
        recipe, folder = RECIPES[name], BUNDLED / name
        if recipe.language == "ko" and options.chat is None:
            parser.error("the Korean model needs --chat")
        chat = read_chat(options.chat) if recipe.language == "ko" else []
        figure = make(name, gather(recipe, chat, N_TEXTS, options.seed), folder / FOLDER)
        figures = Figures.load(folder / "figures.json")
        write(recipe, replace(figures, language_model=figure), folder)


if __name__ == "__main__":
    main()
