import re
from pathlib import Path

import pytest

from stt.errors import ConfigurationError
from stt.languages import ModelSource
from stt.settings import Settings, load_settings

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def test_flag_beats_environment_beats_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("STT_PORT=1111\nSTT_LANGUAGES=JA\nSTT_DEVICE=cpu\nOTHER=1\n")
    monkeypatch.setenv("STT_PORT", "2222")
    monkeypatch.setenv("STT_LANGUAGES", " kr, EN ,")
    settings = load_settings(["--port", "3333"])
    assert (settings.port, settings.languages, settings.device) == (3333, ("kr", "EN"), "cpu")
    assert load_settings().port == 2222


def test_models_are_parsed_from_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STT_MODELS", "KR=me/mine@v2, VI=/models/vi")
    assert load_settings().models == {
        "KR": ModelSource("me/mine", "v2"),
        "VI": ModelSource("vi", "local", Path("/models/vi")),
    }


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("STT_PORT", "99999", "STT_PORT='99999': Input should be less than or equal to 65535"),
        ("STT_MODELS", "KR", "'KR' is not of the form CODE=MODEL"),
        ("STT_MODELS", "KR=x", "expected owner/name"),
        ("STT_DEVICE", "tpu", "expected auto, cpu, cuda or cuda:N"),
        ("STT_CONTEXT_SECONDS", "9", "at least a fifth of the window"),
        ("STT_MAX_AUDIO_SECONDS", "-1", "greater than 0"),
    ],
)
def test_an_invalid_setting_is_named_with_its_bound(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=re.escape(sentence)):
        load_settings()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1  # type: ignore[misc]


def test_the_docs_list_every_setting_in_order() -> None:
    rows = {}
    for line in DOCS.read_text(encoding="utf-8").splitlines():
        if line.startswith("| `STT_"):
            variable, flag, default, meaning = (cell.strip() for cell in line.strip("|").split("|"))
            rows[variable.strip("`")] = (flag, default, meaning)
    fields = Settings.model_fields
    assert list(rows) == [f"STT_{name.upper()}" for name in fields]
    for name, field in fields.items():
        flag, default, meaning = rows[f"STT_{name.upper()}"]
        assert flag == f"`--{name.replace('_', '-')}`"
        value = field.get_default(call_default_factory=True)
        shown = "" if value is None or value in ((), {}) else str(value).lower()
        assert default.strip("`") == shown, name
        assert meaning == " ".join(str(field.description).split())
