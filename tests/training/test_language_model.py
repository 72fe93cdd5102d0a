"""The language models beside the bundled ones, and what they may not have seen."""

from dataclasses import replace
from pathlib import Path

import pytest

from stt.language_model.source import language_model_of, load_language_model
from stt.language_model.texts import is_held_out
from training.export import BUNDLED
from training.figures import Figures
from training.language_model import MAX_BYTES, PLANS, WEIGHTS, Texts, gather, make, read_chat
from training.recipe import RECIPES

CSV = 'Q,A,label\n12시 땡!,하루가 또 가네요.,0\n"그래, 좋아",ㅋㅋ 네,0\n'


def test_a_chat_has_only_lines_that_the_model_can_spell(tmp_path: Path) -> None:
    path = tmp_path / "chat.csv"
    path.write_text(CSV, encoding="utf-8")
    assert read_chat(path) == ["하루가 또 가네요", "그래 좋아"]


@pytest.mark.parametrize("name", sorted(PLANS))
def test_nothing_held_out_is_counted(name: str) -> None:
    recipe = replace(RECIPES[name], n_train_texts=6000)
    splits = recipe.make_splits(recipe.n_train_texts, 1)
    # As if the conversations had a held-out sentence of the grammar.
    chat = [f"안녕 {number}번" for number in range(200)] + splits.test_sentences[:20]
    texts = gather(recipe, chat, 12_000, seed=1)
    counted = {*texts.grammar, *texts.chat}
    assert len(counted) > 11_500
    for held_out in (splits.dev, splits.test_sentences, splits.test_pairs, splits.test_words):
        assert counted.isdisjoint(held_out)
    assert counted.isdisjoint(texts.held_out["chat"])
    assert 5 < len(texts.held_out["chat"]) == sum(map(is_held_out, chat)) < 50


def test_the_same_texts_give_the_same_file(tmp_path: Path) -> None:
    texts = Texts(["IT'S LATE", "IT IS LATE", "I AM LATE"], [], {"dev": ["I AM IT"]})
    files = []
    for name in ("a", "b"):
        figure = make("en-mini", texts, tmp_path / name)
        files.append((tmp_path / name / "8gram.arpa.gz").read_bytes())
    assert files[0] == files[1]
    assert figure.n_bytes == len(files[0])
    assert (figure.n_texts, figure.held_out["dev"].n_texts) == (3, 1)
    assert {"'", "I", "|"} < set(load_language_model(tmp_path / "a").ngrams.units)


@pytest.mark.parametrize("name", sorted(PLANS))
def test_the_bundled_model_is_the_one_of_the_card(name: str) -> None:
    folder = language_model_of(BUNDLED / name)
    assert folder is not None
    (file,) = folder.glob("*.arpa.gz")
    figure = Figures.load(BUNDLED / name / "figures.json").language_model
    assert figure is not None
    assert file.stat().st_size == figure.n_bytes <= MAX_BYTES
    language_model = load_language_model(folder)
    assert (language_model.alpha, language_model.beta) == WEIGHTS[name]
    model = language_model.ngrams
    assert (list(model.counts), model.kind) == (figure.n_ngrams, "character")
    assert model.units[model.space] == "|"
