import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stt.commands import transcribe
from stt.commands.arguments import add_settings, read_settings
from stt.commands.inputs import Recording, find_recordings
from stt.commands.outputs import plan_outputs, write_whole
from stt.commands.recognition import LocalRecognizer, choose_language
from stt.errors import ConfigurationError, InvalidHotwords
from stt.languages import SUPPORTED_LANGUAGES
from stt.settings import SERVICE_ONLY, Settings, load_settings
from tests.audio_files import tones, with_libsndfile
from tests.fakes import PREFERS_AB, FakeEngine

ROOT = Path(__file__).parents[3]


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """A folder with two recordings, one of them in a subfolder, a broken one, and other files."""
    folder = tmp_path / "clips"
    (folder / "sub").mkdir(parents=True)
    audio = with_libsndfile(tones(1.5, 16_000), 16_000, "WAV")
    for name in ("b.wav", "sub/A.WAV"):
        (folder / name).write_bytes(audio)
    for name in ("broken.mp3", "notes.txt", "._b.wav"):
        (folder / name).write_bytes(b"no audio")
    return folder


@pytest.fixture
def recognizer() -> Iterator[LocalRecognizer]:
    with LocalRecognizer(FakeEngine(), SUPPORTED_LANGUAGES["KR"], load_settings()) as recognizer:
        yield recognizer


def test_folders_expand_to_sorted_audio_files_without_duplicates(clips: Path) -> None:
    found = find_recordings([str(clips), str(clips / "b.wav"), "-", str(clips / "notes.txt")])
    assert [(each.name, str(each.relative)) for each in found] == [
        (f"{clips}/b.wav", "b.wav"),
        (f"{clips}/broken.mp3", "broken.mp3"),
        (f"{clips}/sub/A.WAV", "sub/A.WAV"),
        ("-", "stdin"),
        (f"{clips}/notes.txt", "notes.txt"),
    ]


def test_a_folder_without_audio_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no audio file"):
        find_recordings([str(tmp_path)])


def test_two_results_never_share_a_file(clips: Path) -> None:
    out = Path("out")
    same_stem = [Recording(Path("a.wav"), Path("a.wav")), Recording(Path("a.mp3"), Path("a.mp3"))]
    assert list(plan_outputs(same_stem, out, "srt").values()) == [
        out / "a.wav.srt",
        out / "a.mp3.srt",
    ]
    same_name = [Recording(Path("x/a.wav"), Path("a.wav")), Recording(Path("a.wav"), Path("a.wav"))]
    with pytest.raises(ConfigurationError, match="both be written"):
        plan_outputs(same_name, out, "txt")


def test_files_are_written_atomically(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.txt"
    write_whole(target, "가\n")
    assert target.read_bytes() == "가\n".encode()
    with pytest.raises(UnicodeEncodeError):
        write_whole(target, "half \ud800")
    assert list(target.parent.iterdir()) == [target]
    assert target.read_text() == "가\n"


def test_a_bad_recording_does_not_stop_the_run(
    clips: Path, recognizer: LocalRecognizer, capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    recordings = find_recordings([str(clips), str(clips / "gone.wav")])
    progress = transcribe.transcribe_all(recordings, recognizer, "txt")
    assert (progress.n_done, progress.n_failed, progress.audio_seconds) == (2, 2, 3.0)
    assert capsys.readouterr().out == (
        f"==> {clips}/b.wav <==\nab\n\n==> {clips}/sub/A.WAV <==\nab\n"
    )
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert errors[0].startswith(f"{clips}/broken.mp3: The file is in no accepted audio format")
    assert errors[1] == f"{clips}/gone.wav: No such file or directory."


def test_an_engine_that_raises_fails_the_recording(
    clips: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("broken")

    language, settings = SUPPORTED_LANGUAGES["KR"], load_settings()
    with LocalRecognizer(FakeEngine(before=fail), language, settings) as recognizer:
        recordings = find_recordings([str(clips / "b.wav")])
        progress = transcribe.transcribe_all(recordings, recognizer, "txt")
    assert progress.n_failed == 1
    assert "The model failed on this recording." in caplog.text


def test_json_is_one_line_per_recording(
    clips: Path, recognizer: LocalRecognizer, capsys: pytest.CaptureFixture[str]
) -> None:
    recordings = find_recordings([str(clips / "b.wav"), str(clips / "sub")])
    transcribe.transcribe_all(recordings, recognizer, "json")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["file"] for line in lines] == [f"{clips}/b.wav", f"{clips}/sub/A.WAV"]
    assert {key: lines[0][key] for key in ("text", "language", "duration_seconds")} == {
        "text": "ab",
        "language": "KR",
        "duration_seconds": 1.5,
    }
    assert lines[0]["model"] == SUPPORTED_LANGUAGES["KR"].model.id
    assert [sorted(word) for word in lines[0]["words"]] == [["confidence", "end", "start", "word"]]


@pytest.mark.parametrize(("format", "start"), [("srt", "1\n00:00:00,"), ("vtt", "WEBVTT\n")])
def test_captions(
    clips: Path, recognizer: LocalRecognizer, tmp_path: Path, format: str, start: str
) -> None:
    recordings = find_recordings([str(clips / "b.wav")])
    targets = plan_outputs(recordings, tmp_path / "out", format)
    transcribe.transcribe_all(recordings, recognizer, format, targets)
    text = (tmp_path / "out" / f"b.wav.{format}").read_text()
    assert text.startswith(start)
    assert "ab" in text


def test_every_setting_is_a_flag_unless_only_the_service_reads_it() -> None:
    import argparse

    parser = argparse.ArgumentParser()
    add_settings(parser)
    flags = {name for action in parser._actions for name in action.option_strings}
    for name in Settings.model_fields:
        assert (f"--{name.replace('_', '-')}" in flags) == (name not in SERVICE_ONLY), name
    assert {"--stall-seconds", "--cluster-shrink-seconds"}.isdisjoint(flags)
    parsed = parser.parse_args(["--demo", "--models", "VI=/m", "--cpu-threads", "2"])
    settings = read_settings(parsed)
    assert (settings.demo, settings.cpu_threads, list(settings.models)) == (True, 2, ["VI"])
    parser.format_help()


def test_the_language_comes_from_the_flag_else_the_setting_else_korean() -> None:
    assert choose_language("en-US", load_settings()).code == "EN"
    assert choose_language(None, load_settings(languages="JA,KR")).code == "KR"
    assert choose_language(None, load_settings(languages="JA,EN")).code == "JA"
    assert choose_language(None, load_settings()).code == "KR"
    with pytest.raises(ConfigurationError, match="--lang: Language 'xx'"):
        choose_language("xx", load_settings())


@pytest.mark.parametrize(
    ("flags", "status", "out", "err"),
    [
        (["--help"], 0, "transcribe", ""),
        (["--version"], 0, "stt-ctc ", ""),
        ([], 2, "", "usage: stt"),
        (["sing"], 2, "", "no command 'sing'"),
        (["transcribe"], 2, "", "required: FILE"),
        (["transcribe", "a.wav", "--port", "1"], 2, "", "unrecognized arguments: --port"),
        (["transcribe", "a.wav", "--device", "tpu"], 2, "", "error: STT_DEVICE='tpu'"),
        (["transcribe", "a.wav", "--url", "ftp://x"], 2, "", "expected http://"),
        (["transcribe", "a.wav", "--url", "http://127.0.0.1:1"], 2, "", "no service at"),
        (["transcribe", "a.wav", "--url", "http://x", "--lm", "ko.arpa"], 2, "", "set STT_LMS"),
        (["evaluate", "none.tsv"], 2, "", "none.tsv cannot be read"),
    ],
)
def test_usage(flags: list[str], status: int, out: str, err: str) -> None:
    code = "from stt.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *flags], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    assert out in done.stdout
    assert err in done.stderr
    assert "Traceback" not in done.stderr


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from contextlib import suppress\n"
        "from stt.cli import main\n"
        "for sys.argv in (['stt', '--help'], ['stt', 'transcribe', '--help']):\n"
        "    with suppress(SystemExit):\n"
        "        main()\n"
        "    heavy = {'torch', 'transformers', 'librosa', 'numba', 'av', 'fastapi'}\n"
        "    heavy &= set(sys.modules)\n"
        "    assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True)


def test_flags_choose_how_to_decode(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "words.txt"
    file.write_text("\ufeff안녕하세요:2\n서울\n", encoding="utf-8")
    sample = str(ROOT / "samples" / "ko-hello.wav")
    for flags in (["--hotwords", str(file)], ["--language-model"], ["--no-language-model"]):
        assert transcribe.main([sample, "--demo", *flags]) == 0
        assert capsys.readouterr().out.strip() == "안녕하세요 만나서 반가워요"
    file.write_text("Zara\n")
    with pytest.raises(InvalidHotwords, match="cannot write 'Z', 'a', 'r'"):
        transcribe.main([sample, "--demo", "--hotwords", str(file)])
    with pytest.raises(ConfigurationError, match=r"--hotwords .*gone\.txt: No such file"):
        transcribe.main([sample, "--demo", "--hotwords", str(tmp_path / "gone.txt")])
    (tmp_path / "ko.arpa").write_text(PREFERS_AB)
    with pytest.raises(ConfigurationError, match="none of the language model's units"):
        transcribe.main([sample, "--demo", "--lm", str(tmp_path / "ko.arpa")])
