import csv
import json
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from stt.commands import evaluate
from stt.commands.recognition import LocalRecognizer
from stt.commands.tuning import tune
from stt.decoding.factory import Decoding
from stt.errors import ConfigurationError, SttError
from stt.evaluation.comparison import Comparison, choose_comparison
from stt.evaluation.json_report import to_json
from stt.evaluation.kinds import Kinds
from stt.evaluation.manifests import read_manifest
from stt.evaluation.text_report import render_text
from stt.language_model.source import load_language_model
from stt.languages import BUNDLED_MODELS, SUPPORTED_LANGUAGES
from stt.models.card import Cards
from stt.recognition.plan import Plan
from stt.settings import load_settings
from tests.audio_files import tones, with_libsndfile
from tests.fakes import PREFERS_AB, FakeEngine, Mumbles

SAMPLES = Path(__file__).parents[3] / "samples"


def test_the_report(tmp_path: Path) -> None:
    # The fake engine recognises "ab" in everything.
    (tmp_path / "a.wav").write_bytes(with_libsndfile(tones(1, 16_000), 16_000, "WAV"))
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    manifest = tmp_path / "m.tsv"
    rows = ["path\ttext", "a.wav\tAB.", "a.wav\tac d", "a.wav\t", "broken.wav\tab", "gone.wav\tab"]
    manifest.write_text("\n".join(rows))
    language = SUPPORTED_LANGUAGES["KR"]
    with LocalRecognizer(
        FakeEngine(), language, load_settings(), checkpoint=Path("snapshots/c0ffee")
    ) as recognizer:
        report = evaluate.evaluate(
            read_manifest(manifest), recognizer, Comparison(), today=date(2026, 1, 2)
        )
    assert (len(report.results), report.n_failed, report.audio_seconds) == (3, 2, 3.0)
    # ab|ab, "ac d"|ab: b for c, and " d" gone; nothing|ab: two inserted.
    assert report.scores.characters.rate == (1 + 2 + 2) / 6
    assert report.scores.characters_without_spaces.rate == (1 + 1 + 2) / 5
    assert report.scores.words.rate == (1 + 1 + 1) / 3
    text = render_text(report, 1)
    assert "n/a  a.wav:  | ab" in text
    assert "3, 1 of them with an empty reference; 2 failed and are not scored" in text
    last = text.splitlines()[-1]
    assert last.startswith(
        f"{language.model.id}@c0ffee KR, fake fp32 on cpu, normaliser basic, "
        "transcription plain, 2026-01-02: WER 100.00 %, CER 83.33 %, "
        "CER without spaces 80.00 %, 3 files; 2 failed"
    )
    entry = json.loads(json.dumps(to_json(report)))
    assert (entry["revision"], entry["n_failed"], entry["wer"]) == ("c0ffee", 2, 1.0)
    assert [file["cer"] for file in entry["files"]] == [0.0, 0.75, None]


def test_the_bundled_model_from_manifest_to_exit_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (SAMPLES / "texts.tsv").open(encoding="utf-8", newline="") as table:
        rows = [row for row in csv.DictReader(table, delimiter="\t") if row["lang"] == "KR"][:2]
    for row in rows:
        shutil.copy(SAMPLES / row["file"], tmp_path)
    manifest = tmp_path / "m.jsonl"
    lines = [{"path": row["file"], "text": f"{row['text']}."} for row in rows]
    manifest.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    out = tmp_path / "new" / "report.json"
    assert evaluate.main([str(manifest), "--demo", "--json", str(out)]) == 0
    text = capsys.readouterr().out
    assert text.splitlines()[-1].startswith("ko-mini@bundled KR, torch ")
    assert json.loads(out.read_text(encoding="utf-8"))["cer"] == 0.0

    manifest.write_text('{"path": "gone.wav", "text": "a"}')
    assert evaluate.main([str(manifest), "--demo"]) == 1


def test_korean_is_read(tmp_path: Path) -> None:
    # The fake engine recognises "ab" in everything.
    (tmp_path / "a.wav").write_bytes(with_libsndfile(tones(1, 16_000), 16_000, "WAV"))
    (tmp_path / "m.tsv").write_text(
        "path\ttext\na.wav\t에이비\na.wav\tn/ (AB)/(에이비)\na.wav\tcd\n", encoding="utf-8"
    )
    language = SUPPORTED_LANGUAGES["KR"]
    comparison = choose_comparison(language, "reading", "dual-spoken")
    with LocalRecognizer(FakeEngine(), language, load_settings()) as recognizer:
        report = evaluate.evaluate(read_manifest(tmp_path / "m.tsv"), recognizer, comparison)
    by_reading = report.rates[-1]
    assert (by_reading.measure.name, by_reading.errors.total) == ("cer_by_reading", 2)
    assert report.kinds == Kinds(notation=6, real=2, reference_characters=8)
    text = render_text(report, 0)
    assert "notation             75.0 %   6 characters" in text
    assert "         1  cd -> ab  (a.wav)" in text
    assert "CER by reading      25.00 %   95 % interval [" in text
    assert "normaliser reading, transcription dual-spoken" in text
    entry = json.loads(json.dumps(to_json(report)))
    low, high = entry["confidence_intervals"]["cer_by_reading"]
    assert 0 <= low < entry["cer_by_reading"] < high
    assert entry["kinds"] == {"spacing": 0, "notation": 6, "real": 2}
    assert entry["substitutions"] == [
        {"reference": "cd", "hypothesis": "ab", "count": 1, "file": "a.wav"}
    ]
    assert [file["cer_by_reading"] for file in entry["files"]] == [0.0, 0.0, 1.0]


def test_a_notation_that_nobody_named_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.tsv").write_text("path\ttext\ngone.wav\t(3시)/(세 시)\n", encoding="utf-8")
    with pytest.raises(SttError):
        evaluate.main([str(tmp_path / "m.tsv"), "--models", f"KR={tmp_path}"])
    assert "pairs such as (3시)/(세 시): 1, first gone.wav." in capsys.readouterr().err


def test_other_languages_than_korean_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "m.tsv").write_text("path\ttext\ngone.wav\ta\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="only Korean can be read aloud, not English"):
        evaluate.main([str(tmp_path / "m.tsv"), "--lang", "EN", "--normaliser", "reading"])


def test_the_figures_are_stored_with_the_model(tmp_path: Path) -> None:
    shutil.copy(SAMPLES / "ko-hello.wav", tmp_path)
    manifest = tmp_path / "회의.tsv"
    manifest.write_text("path\ttext\nko-hello.wav\t안녕하세요\n", encoding="utf-8")
    source, cache = BUNDLED_MODELS["ko-mini"], tmp_path / "cache"
    flags = [str(manifest), "--demo", "--cache-dir", str(cache), "--precision", "fp32"]
    before = Cards(cache).evaluations(source)
    assert evaluate.main([*flags, "--save-card"]) == 0
    [named] = Cards(cache).evaluations(source)[len(before) :]
    assert (named.set, named.n, named.cer_by_reading) == ("회의", 1, 1.4)
    assert named.cer is not None and named.cer > 0
    assert (named.normaliser, named.decoding, named.precision) == ("basic", "best_path", "fp32")
    assert named.date == datetime.now(UTC).date().isoformat()
    assert named.commit
    (tmp_path / "words.txt").write_text("안녕", encoding="utf-8")
    more = ["--hotwords", str(tmp_path / "words.txt"), "--written"]
    assert evaluate.main([*flags, *more, "--save-card", "회의"]) == 0
    [again] = Cards(cache).evaluations(source)[len(before) :]
    assert again.decoding == "hotwords, written"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--tune", "--save-card"], "leave out --save-card"),
        (["--tune", "--report", "r.html"], "leave out --save-card, --report"),
        (["--save-card", "a" * 101], "expected the name of a set, 1 to 100 characters"),
        (["--save-card", "--cache-dir", "{manifest}"], "cannot be written"),
    ],
)
def test_what_cannot_be_stored_is_said(tmp_path: Path, flags: list[str], message: str) -> None:
    shutil.copy(SAMPLES / "ko-hello.wav", tmp_path)
    manifest = tmp_path / "m.tsv"
    manifest.write_text("path\ttext\nko-hello.wav\t안녕하세요\n", encoding="utf-8")
    flags = [flag.format(manifest=manifest) for flag in flags]
    with pytest.raises(ConfigurationError, match=message):
        evaluate.main([str(manifest), "--demo", *flags])


def test_tuning_finds_weights_that_help(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(with_libsndfile(tones(1, 16_000), 16_000, "WAV"))
    (tmp_path / "m.tsv").write_text("path\ttext\na.wav\tab\ngone.wav\tab\n")
    (tmp_path / "ko.arpa").write_text(PREFERS_AB)
    utterances = read_manifest(tmp_path / "m.tsv")
    model = replace(load_language_model(tmp_path / "ko.arpa"), alpha=0.0, beta=0.0)
    plan = Plan(Decoding(language_model=model))
    language = SUPPORTED_LANGUAGES["KR"]
    with LocalRecognizer(Mumbles(), language, load_settings(), plan=plan) as recognizer:
        assert evaluate.evaluate(utterances, recognizer, Comparison()).results[0].hypothesis == "ac"
        table = tune(utterances, recognizer, Comparison())
        assert recognizer.plan is plan
    best = table.splitlines()[1].split()
    assert float(best[0]) > 0
    assert best[2] == "0.00%"
    assert "on 1 recordings" in table
    assert json.loads(table.splitlines()[-1])["alpha"] == float(best[0])
    with (
        LocalRecognizer(Mumbles(), language, load_settings()) as recognizer,
        pytest.raises(ConfigurationError, match="no language model to tune"),
    ):
        tune(utterances, recognizer, Comparison())
