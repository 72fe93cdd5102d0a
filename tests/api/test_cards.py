"""What `/languages` and `/v1/models` say about a model's convention and its error rates."""

from dataclasses import asdict
from pathlib import Path

import pytest

from stt.errors import ConfigurationError
from stt.languages import ModelSource
from stt.models.card import Evaluation, add_evaluation, card_file
from tests.api.conftest import Serve
from tests.fakes import FakeEngine, save_random_checkpoint

MEASURED = Evaluation("회의", 120, 0.08, 0.06, "basic", "best_path", "bf16", "2026-11-27", "0.1.0")


def test_both_lists_have_the_card_and_the_convention(serve: Serve, tmp_path: Path) -> None:
    folder = save_random_checkpoint(tmp_path / "mine", norm="layer")
    flags = ("--models", f"KR={folder}", "--languages", "KR,EN", "--conventions", "ko=written")
    with serve(*flags, "--cache-dir", str(tmp_path), engine=FakeEngine()) as client:
        for measured in ([], [asdict(MEASURED)]):
            korean, english = client.get("/languages").json()["languages"]
            assert (korean["convention"], english["convention"]) == ("written", "spoken")
            assert (korean["evaluations"], english["evaluations"]) == (measured, [])
            listed = client.get("/v1/models").json()["data"]
            assert [each["evaluations"] for each in listed] == [measured, []]
            assert [each["convention"] for each in listed] == ["written", "spoken"]
            assert client.get("/v1/models/mine").json() == listed[0]
            source = ModelSource.parse(str(folder))  # then someone evaluates it
            content = add_evaluation(source, folder, tmp_path, MEASURED)
            card_file(source, folder, tmp_path).write_text(content, encoding="utf-8")
        card_file(source, folder, tmp_path).write_text("no card", encoding="utf-8")
        assert client.get("/v1/models/mine").json()["evaluations"] == []
        assert client.get("/languages").status_code == 200


def test_the_convention_of_an_unknown_checkpoint_is_null(serve: Serve, tmp_path: Path) -> None:
    with serve("--models", f"KR={tmp_path}", engine=FakeEngine()) as client:
        assert client.get("/languages").json()["languages"][0]["convention"] is None
    with (
        pytest.raises(ConfigurationError, match="STT_CONVENTIONS: 'XX' is no language here"),
        serve("--conventions", "XX=spoken", engine=FakeEngine()),
    ):
        pass
    with (
        pytest.raises(ConfigurationError, match="'both' is not a convention; expected spoken, wri"),
        serve("--conventions", "KR=both", engine=FakeEngine()),
    ):
        pass
