import json
from pathlib import Path

import pytest

from stt.errors import ConfigurationError, ModelBroken
from stt.language_model.ngram import LOG_10
from stt.language_model.source import (
    language_model_of,
    load_language_model,
)
from stt.settings.parsing import parse_files

ARPA = "\\data\\\nngram 1=2\n\n\\1-grams:\n-1\ta\n-1\t</s>\n\n\\end\\\n"


def test_a_setting_names_a_file_for_each_language() -> None:
    assert parse_files(" KR=/m/ko.arpa.gz, EN = /m/en.arpa ,") == {
        "KR": Path("/m/ko.arpa.gz"),
        "EN": Path("/m/en.arpa"),
    }
    assert parse_files("") == {}
    assert parse_files("KR=~/a.arpa")["KR"].is_absolute()


@pytest.mark.parametrize("text", ["/m/ko.arpa", "=/m/ko.arpa", "KR=", "KR=/a,EN"])
def test_a_setting_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="not of the form CODE=FILE"):
        parse_files(text)


def test_the_folder_of_a_checkpoint_brings_its_weights(tmp_path: Path) -> None:
    assert language_model_of(tmp_path) is None
    folder = tmp_path / "language_model"
    folder.mkdir()
    (folder / "5gram.arpa").write_text(ARPA)
    attributes = {"alpha": 0.7, "beta": 2, "unk_score_offset": -8.0, "score_boundary": True}
    (folder / "attrs.json").write_text(json.dumps(attributes))
    (folder / "unigrams.txt").write_text("a\n")
    found = language_model_of(tmp_path)
    assert found == folder
    model = load_language_model(found)
    assert (model.alpha, model.beta) == (0.7, 2)
    assert model.unknown_offset == pytest.approx(-8 * LOG_10)
    assert model.ngrams.units == ("a", "</s>", "<unk>")


def test_a_file_alone_has_the_usual_weights(tmp_path: Path) -> None:
    (tmp_path / "ko.arpa").write_text(ARPA)
    model = load_language_model(tmp_path / "ko.arpa")
    assert (model.alpha, model.beta) == (0.5, 0.5)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_language_model(tmp_path / "none.arpa")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "has no language model"),
        ({"5gram.bin": "mmap lm "}, r"language_model/5gram.bin is a binary of KenLM"),
        ({"a.arpa": ARPA, "b.arpa.gz": ARPA}, "has several language models: a.arpa, b.arpa.gz"),
        ({"a.arpa": ARPA, "attrs.json": "{"}, "attrs.json of the language model cannot be read"),
        ({"a.arpa": ARPA, "attrs.json": "[]"}, "not a JSON object"),
        ({"a.arpa": ARPA, "attrs.json": '{"alpha": "x"}'}, "alpha is not a number"),
        ({"a.arpa": ARPA, "attrs.json": '{"beta": NaN}'}, "beta is not a number"),
        ({"a.arpa": ARPA, "attrs.json": '{"beta": -1e300}'}, "not a number from -1000 to 1000"),
    ],
)
def test_a_folder_that_cannot_be_used_is_told_why(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    folder = tmp_path / "language_model"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    with pytest.raises(ModelBroken, match=message):
        load_language_model(folder)
