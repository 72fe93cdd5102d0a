"""``stt align``: pairs of recordings and texts, and what is written for them."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from stt.commands.align import align_all, find_pairs, read_text
from stt.commands.recognition import LocalRecognizer, open_recognizer
from stt.errors import ConfigurationError, InvalidText, ModelBroken
from stt.languages import BUNDLED_FOLDER, SUPPORTED_LANGUAGES
from stt.settings import load_settings
from tests.audio_files import with_libsndfile
from tests.fakes import EchoEngine, say


@pytest.fixture
def recognizer() -> Iterator[LocalRecognizer]:
    engine = EchoEngine()
    with LocalRecognizer(engine, SUPPORTED_LANGUAGES["KR"], load_settings()) as recognizer:
        yield recognizer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "audio" / "sub").mkdir(parents=True)
    (tmp_path / "texts" / "sub").mkdir(parents=True)
    for name in ("a.wav", "sub/b.flac", "c.wav", "d.wav"):
        content = with_libsndfile(say("00aa bb00|cc0000"), 16_000, "WAV")
        (tmp_path / "audio" / name).write_bytes(content)
    (tmp_path / "texts" / "a.txt").write_text("ab c", encoding="utf-8")
    (tmp_path / "texts" / "sub" / "b.srt").write_text(
        "1\n00:00:00,000 --> 00:00:01,000\nab\n", encoding="utf-16"
    )
    (tmp_path / "texts" / "d.txt").write_text("한국어", encoding="utf-8")
    return tmp_path


def test_folders_are_paired_by_name(
    folder: Path, recognizer: LocalRecognizer, caplog: pytest.LogCaptureFixture
) -> None:
    pairs = find_pairs(str(folder / "audio"), folder / "texts", folder / "out", "TextGrid")
    names = [(str(pair.recording.relative), pair.text.name) for pair in pairs]
    assert names == [("a.wav", "a.txt"), ("d.wav", "d.txt"), ("sub/b.flac", "b.srt")]
    assert "c.wav: skipped, as there is no text" in caplog.text
    progress = align_all(pairs, recognizer, "textgrid")
    assert (progress.n_done, progress.n_failed) == (2, 1)
    assert "d.wav: The model for Korean can spell nothing" in caplog.text
    written = sorted(str(file.relative_to(folder / "out")) for file in folder.rglob("*.TextGrid"))
    assert written == ["a.wav.TextGrid", "sub/b.flac.TextGrid"]


def test_one_recording_goes_to_standard_output(
    folder: Path, recognizer: LocalRecognizer, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = find_pairs(str(folder / "audio" / "a.wav"), folder / "texts" / "a.txt", None, "json")
    align_all(pairs, recognizer, "json", with_characters=True)
    body = json.loads(capsys.readouterr().out)
    assert [word["word"] for word in body["words"]] == ["ab", "c"]
    assert body["words"][0]["characters"][1]["character"] == "b"


@pytest.mark.parametrize(
    ("audio", "text", "output", "says"),
    [
        ("audio/a.wav", "texts", None, "single recording"),
        ("audio", "texts", None, "--output"),
        ("audio", "texts/a.txt", "out", "is not"),
        ("audio/sub", "texts", "out", "has a text"),
        ("texts", "texts", "out", "no audio file"),
    ],
)
def test_wrong_pairs_are_refused(
    folder: Path, audio: str, text: str, output: str | None, says: str
) -> None:
    target = folder / output if output else None
    with pytest.raises(ConfigurationError, match=says):
        find_pairs(str(folder / audio), folder / text, target, "json")


def test_a_text_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("한국어".encode("cp949"))
    with pytest.raises(InvalidText, match="UTF-8"):
        read_text(tmp_path / "a.txt")


def test_no_language_model_is_read_for_an_alignment(tmp_path: Path) -> None:
    settings = load_settings(demo=True, lms=f"KR={tmp_path / 'none.arpa'}")
    with open_recognizer("KR", settings) as recognizer:
        assert recognizer.plan.decoding.is_greedy


def test_a_model_that_cannot_be_loaded_leaves_no_reader_process(tmp_path: Path) -> None:
    broken = shutil.copytree(BUNDLED_FOLDER / "ko-mini", tmp_path / "broken")
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100_000])
    before = psutil.Process().children(recursive=True)
    with pytest.raises(ModelBroken):
        open_recognizer("KR", load_settings(models=f"KR={broken}"))
    assert psutil.Process().children(recursive=True) == before
