"""Which languages have a language model, and whether requests use it."""

import shutil
from itertools import product
from pathlib import Path

import pytest

from stt.asked import Asked
from stt.decoding.decodings import Decodings, Switch, read_prompt
from stt.decoding.hotwords import MAX_HOTWORDS
from stt.languages import BUNDLED_FOLDER, choose_languages
from stt.settings import load_settings
from tests.fakes import FakeEngine


def switches(*flags: str) -> dict[str, Switch]:
    settings = load_settings(flags)
    languages = choose_languages(settings.languages, settings.models, demo=settings.demo)
    decodings = Decodings(languages, settings)
    return {each.code: decodings.language_model(each) for each in languages}


def test_a_demo_model_is_off_until_a_file_is_set() -> None:
    assert switches("--demo") == {"KR": "off", "EN": "off"}
    assert switches("--demo", "--lms", "ko=/models/ko.arpa") == {"KR": "on", "EN": "off"}


def test_a_model_that_comes_with_a_checkpoint_is_on(tmp_path: Path) -> None:
    shutil.copytree(BUNDLED_FOLDER / "ko-mini", tmp_path / "with")
    shutil.copytree(
        BUNDLED_FOLDER / "ko-mini", tmp_path / "without",
        ignore=shutil.ignore_patterns("language_model"),
    )  # fmt: skip
    models = f"KR={tmp_path / 'with'},EN={tmp_path / 'without'},JA={tmp_path / 'missing'}"
    assert switches("--languages", "KR,EN,JA", "--models", models) == {
        "KR": "on", "EN": "none", "JA": "none",
    }  # fmt: skip


def test_a_model_that_cannot_be_read_is_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(BUNDLED_FOLDER / "ko-mini", tmp_path / "ko")
    for file in (tmp_path / "ko" / "language_model").glob("*.arpa.gz"):
        file.unlink()
    settings = load_settings(("--models", f"KR={tmp_path / 'ko'}"))
    languages = choose_languages(settings.languages, settings.models, demo=False)
    decodings = Decodings(languages, settings)
    assert decodings.language_model(languages.default) == "on"
    assert decodings.choose(languages.default, FakeEngine(), Asked()).language_model is None
    assert decodings.language_model(languages.default) == "none"
    assert "decoding without its language model" in caplog.text


def test_a_prompt_has_no_more_hotwords_than_a_request_may_have() -> None:
    entries = ["".join(letters) for letters in product("abc", repeat=7)]
    hotwords, (notice,) = read_prompt(", ".join(["zoo", *entries]), FakeEngine(), tuple)
    assert [each.text for each in hotwords] == entries[: MAX_HOTWORDS - 1]
    assert "1 of 2188 words of the prompt cannot be written" in notice.message
    assert "the first 1000 are used" in notice.message
