"""Cards: what is stored with a model, and what of a broken or foreign one is shown."""

import json
import logging
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from stt.languages import BUNDLED_FOLDER, BUNDLED_MODELS, ModelSource
from stt.models.card import (
    MAX_BYTES,
    MAX_EVALUATIONS,
    Card,
    Cards,
    Evaluation,
    add_evaluation,
    card_file,
    identify,
    read_card,
)
from tests.fakes import save_random_checkpoint

MEASURED = Evaluation(
    set="회의",
    n=120,
    cer=0.0832,
    cer_by_reading=0.0617,
    normaliser="basic",
    decoding="best_path",
    precision="bf16",
    date="2026-11-27",
    commit="0123456789",
)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random_checkpoint(tmp_path_factory.mktemp("checkpoint"), norm="layer")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "checkpoint"))


def save(source: ModelSource, folder: Path, cache: Path | None, evaluation: Evaluation) -> Path:
    file = card_file(source, folder, cache)
    content = add_evaluation(source, folder, cache, evaluation)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    return file


def test_a_folders_card_lies_in_the_folder(folder: Path) -> None:
    source = ModelSource.parse(str(folder))
    assert save(source, folder, None, MEASURED) == folder / "stt-card.json"
    assert read_card(source, folder, None).evaluations == (MEASURED,)
    german = replace(source, adapter="deu")
    assert card_file(german, folder, None) == folder / "stt-card.deu.json"


def test_a_hub_models_card_lies_beside_the_cache_by_its_commit(folder: Path) -> None:
    snapshot = folder.rename(folder.with_name("c0ffee"))
    source, cache = ModelSource("owner/name", adapter="kor"), folder.parent / "cache"
    file = save(source, snapshot, cache, MEASURED)
    assert file == cache / "stt-cards" / "owner--name--kor--c0ffee.json"
    assert not (snapshot / "stt-card.json").exists()
    assert read_card(source, snapshot, cache).evaluations == (MEASURED,)
    newer = snapshot.rename(snapshot.with_name("decade"))
    assert read_card(source, newer, cache).evaluations == ()


def test_a_set_has_one_evaluation_and_a_card_has_a_bounded_number() -> None:
    card = Card("0123")
    for number in range(MAX_EVALUATIONS + 5):
        card = card.with_evaluation(replace(MEASURED, set=f"set {number}"))
    assert [each.set for each in card.evaluations[:1]] == ["set 5"]
    assert len(card.evaluations) == MAX_EVALUATIONS
    again = card.with_evaluation(replace(MEASURED, set="set 7", cer=0.5))
    assert len(again.evaluations) == MAX_EVALUATIONS
    assert [each.cer for each in again.evaluations if each.set == "set 7"] == [0.5]
    longest = replace(MEASURED, set="가" * 100, decoding="가" * 200, commit="가" * 200)
    whole = Card("0" * 16, tuple(replace(longest) for _ in range(MAX_EVALUATIONS)))
    assert len(whole.to_json().encode()) < MAX_BYTES


def test_new_weights_have_no_card_even_of_the_same_size(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = ModelSource.parse(str(folder))
    save(source, folder, None, MEASURED)
    copy = Path(shutil.copytree(folder, folder.with_name("copy")))
    assert read_card(ModelSource.parse(str(copy)), copy, None).evaluations == (MEASURED,)
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2 :] = bytes(255 - each for each in content[len(content) // 2 :])
    weights.write_bytes(content)
    assert read_card(source, folder, None).evaluations == ()
    assert "it is of other weights" in caplog.text


def foreign(**changes: object) -> str:
    return json.dumps({"weights": "x", "evaluations": [asdict(MEASURED) | changes]})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "EOF"),
        ("{", "EOF"),
        ("[]", "object"),
        ('{"language": "ko", "license": "mit"}', "weights"),
        ('{"weights": "x", "evaluations": 3}', "evaluations"),
        (foreign(cer=-1), "cer"),
        (foreign(cer="NaN"), "cer"),
        (foreign(n=1e400), "n"),
        (foreign(set=""), "set"),
        (foreign(set="a" * 101), "set"),
        (foreign(date="yesterday"), "date"),
        (" " * (MAX_BYTES + 1), "bytes"),
        ("\ud800", "ignored"),
        ("[" * 100_000, "ignored"),
    ],
)
def test_a_broken_or_foreign_card_is_ignored_with_a_line_in_the_log(
    folder: Path, caplog: pytest.LogCaptureFixture, content: str, reason: str
) -> None:
    content = content.replace('"x"', f'"{identify(folder)}"')
    (folder / "stt-card.json").write_bytes(content.encode("utf-8", "surrogatepass"))
    source = ModelSource.parse(str(folder))
    assert read_card(source, folder, None).evaluations == ()
    [line] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "stt-card.json is ignored" in line.getMessage()
    assert reason in line.getMessage()
    save(source, folder, None, MEASURED)  # replaces it
    assert read_card(source, folder, None).evaluations == (MEASURED,)


def test_what_is_no_file_is_no_card_and_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "stt-card.json")
    source = ModelSource.parse(str(folder))
    assert read_card(source, folder, None).evaluations == ()
    assert Cards(None).evaluations(source) == []


def test_keys_of_later_versions_do_not_matter(folder: Path) -> None:
    content = foreign(wer=0.5).replace('"x"', f'"{identify(folder)}"')
    (folder / "stt-card.json").write_text(content, encoding="utf-8")
    assert read_card(ModelSource.parse(str(folder)), folder, None).evaluations == (MEASURED,)


def test_a_running_service_notices_new_cards_and_new_weights(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source, cards = ModelSource.parse(str(folder)), Cards(None)
    assert cards.evaluations(source) == []
    file = save(source, folder, None, MEASURED)
    assert cards.evaluations(source) == [MEASURED]
    file.write_text("broken")
    for _ in range(3):
        assert cards.evaluations(source) == []
    assert len(caplog.records) == 1  # not again with every request
    shutil.rmtree(folder)
    assert cards.evaluations(source) == []
    assert cards.evaluations(ModelSource("not/downloaded")) == []


@pytest.mark.parametrize("name", BUNDLED_MODELS)
def test_the_bundled_models_show_their_figures_and_yours(name: str, tmp_path: Path) -> None:
    source, folder = BUNDLED_MODELS[name], BUNDLED_FOLDER / name
    shown = Cards(tmp_path).evaluations(source)
    assert [each.set for each in shown] == [
        f"test_{kind} (synthetic voices)" for kind in ("sentences", "pairs", "words")
    ]
    file = save(source, folder, tmp_path, MEASURED)
    assert file == tmp_path / "stt-cards" / f"{name}--bundled.json"
    assert Cards(tmp_path).evaluations(source) == [*shown, MEASURED]
