"""Text in NFD, as macOS writes it, gives the same answer as in NFC on every route."""

import json
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from fastapi.testclient import TestClient

from stt.alignment.pipeline import MAX_TEXT_BYTES, prepare
from stt.commands import lm
from stt.commands.align import find_pairs
from stt.commands.arguments import given_path
from stt.commands.calibration import read_clips
from stt.commands.evaluate import evaluate
from stt.commands.inputs import find_recordings
from stt.commands.outputs import plan_outputs
from stt.commands.recognition import LocalRecognizer
from stt.decoding.spelling import Speller
from stt.engines.vocabulary import read_vocabulary
from stt.engines.wants import F, Want
from stt.evaluation.comparison import Comparison
from stt.evaluation.manifests import read_manifest
from stt.languages import SUPPORTED_LANGUAGES, choose_languages
from stt.normalisation import PathFinder, compose
from stt.settings import load_settings
from stt.settings.parsing import parse_models
from stt.types import SAMPLE_RATE, Vocabulary, Waveform
from tests.api.conftest import post_recording, serve_app
from tests.audio_files import tones, with_libsndfile
from tests.fakes import PREFERS_AB, FakeEngine

WAV = with_libsndfile(tones(1.5, SAMPLE_RATE), SAMPLE_RATE, "WAV")
Form: TypeAlias = Callable[[str], str]
"""Puts a text into NFC or NFD."""
Way: TypeAlias = Callable[[Form, Path], object]
"""Hands the same text in, in a form, and returns what comes out."""


class MishearsHangul(FakeEngine):
    """Says 판고, which might also be 판교."""

    vocabulary = Vocabulary(symbols=("<pad>", "|", "판", "교", "고"), blank=0)

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        results = []
        for waveform in waveforms:
            probs = np.full((self.grid.n_frames(len(waveform)), 5), 1e-6, np.float32)
            probs[:, 0] = 1
            probs[2:3], probs[3:4] = [0.01, 0.01, 0.96, 0.01, 0.01], [0.01, 0.01, 0.01, 0.4, 0.57]
            results.append(want.reduce(np.log(probs / probs.sum(axis=1, keepdims=True))))
        return results


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


# ---- the service


def post(path: str, *flags: str, **form: str) -> Any:
    """The answer of a service, without what differs from call to call."""
    with serve_app(*flags, engine=MishearsHangul()) as client:
        answer = post_recording(client, path, WAV, **form)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    found.pop("processing_time_seconds", None)
    return found


def upload(form: Form, folder: Path) -> object:
    with serve_app(engine=MishearsHangul()) as client:
        answer = client.post("/transcribe", files={"file": (form("회의.wav"), WAV)})
        assert "회의" not in compose(answer.text + str(answer.headers))  # names are not echoed
        return answer.json()["text"]


def live(config: Callable[[Form], dict[str, object]]) -> Way:
    def way(form: Form, folder: Path) -> object:
        with (
            serve_app(engine=MishearsHangul()) as client,
            client.websocket_connect("/stream") as socket,
        ):
            socket.send_text(json.dumps({"config": {"sample_rate": SAMPLE_RATE} | config(form)}))
            socket.send_bytes(WAV[44 : 44 + 16_000])
            socket.receive_json()
            socket.send_text('{"eof": 1}')
            return socket.receive_json()["text"]

    return way


def written_file(form: Form, folder: Path, name: str, content: str) -> str:
    """A file with a name and a content in a form."""
    file = folder / form(name)
    file.write_text(form(content), encoding="utf-8")
    return str(file)


ARPA = PREFERS_AB.replace("ab", "판교").replace("ac", "판고")


def language_code(form: Form, folder: Path) -> object:
    languages = choose_languages([form("제주어")], parse_models(form("제주어=a/b")), demo=False)
    assert languages.find_model(form("제주어")) is languages.default
    return languages.resolve(form("제주어")), languages.codes


def model_folder(form: Form, folder: Path) -> object:
    (folder / nfd("모델")).mkdir(exist_ok=True)
    source = parse_models(f"KR={folder}/{form('모델')}")["KR"]
    languages = choose_languages([], {"KR": source}, demo=False)
    assert languages.find_model(form("모델")) is languages.default
    return source


SERVICE: dict[str, tuple[Way, object]] = {
    "name of an upload": (upload, "판고"),
    "field hotwords": (
        lambda form, _: post("/transcribe", hotwords=form("판교:2"))["text"],
        "판교",
    ),
    "query hotwords": (
        lambda form, _: post(f"/transcribe?hotwords={form('판교')}")["text"],
        "판교",
    ),
    "OpenAI's hotwords": (
        lambda form, _: post("/v1/audio/transcriptions", hotwords=form("판교"))["text"],
        "판교",
    ),
    "OpenAI's prompt": (
        lambda form, _: post("/v1/audio/transcriptions", prompt=form("판교"))["text"],
        "판교",
    ),
    "prompt of prose": (
        lambda form, _: post("/v1/audio/transcriptions", prompt=form("오늘은 판교입니다."))["text"],
        "판고",
    ),
    "Whisper's hotwords": (
        lambda form, _: post(f"/asr?output=json&hotwords={form('판교')}")["text"],
        "판교",
    ),
    "Whisper's prompt": (
        lambda form, _: post(f"/asr?output=json&initial_prompt={form('판교')}")["text"],
        "판교",
    ),
    "live hotwords": (live(lambda form: {"hotwords": form("판교")}), "판교"),
    "Vosk's phrase list": (live(lambda form: {"phrase_list": [form("판교")]}), "판교"),
    "STT_HOTWORD_FILES": (
        lambda form, folder: post(
            "/transcribe",
            "--hotword-files",
            f"KR={written_file(form, folder, '단어.txt', '판교')}",
        )["text"],
        "판교",
    ),
    "STT_LMS": (
        lambda form, folder: post(
            "/transcribe", "--lms", f"KR={written_file(form, folder, '언어.arpa', ARPA)}"
        )["text"],
        "판교",
    ),
    "STT_ABBREVIATIONS": (
        lambda form, folder: post(
            "/transcribe",
            "--abbreviations",
            written_file(form, folder, "약어.txt", "판고 PG"),
            written="true",
        )["text"],
        "PG",
    ),
    "text to align": (
        lambda form, _: [word["word"] for word in post("/align", text=form("판고, 끝."))["words"]],
        ["판고,", "끝."],
    ),
    "captions to align": (
        lambda form, _: post("/align", text=form("1\n00:00:00,000 --> 00:00:01,000\n판고\n"))[
            "segments"
        ][0]["text"],
        "판고",
    ),
    "code of a language": (language_code, None),
    "folder of a model": (model_folder, None),
}


# ---- the command line and the files it reads


def recordings(form: Form, folder: Path) -> object:
    (folder / nfd("녹음")).mkdir(exist_ok=True)
    (folder / nfd("녹음") / nfd("회의.wav")).write_bytes(WAV)
    found = find_recordings([str(folder / form("녹음")), str(folder / form("녹음/회의.wav"))])
    targets = plan_outputs(found, Path("out"), "txt").values()
    assert all(recording.path and recording.path.is_file() for recording in found)
    return [(each.name, each.relative) for each in found], list(targets)


def pairs(form: Form, folder: Path) -> object:
    for kind, other in (("audio", form), ("texts", nfd)):
        (folder / kind).mkdir(exist_ok=True)
        suffix, content = (".wav", WAV) if kind == "audio" else (".txt", b"text")
        (folder / kind / other(f"회의{suffix}")).write_bytes(content)
    found = find_pairs(str(folder / "audio"), folder / "texts", folder / "out", "srt")
    return [(each.recording.name, each.text.read_text(), each.target) for each in found]


def manifest(suffix: str, content: str) -> Way:
    def way(form: Form, folder: Path) -> object:
        (folder / nfd("회의.wav")).write_bytes(WAV)
        utterances = read_manifest(Path(written_file(form, folder, f"목록{suffix}", content)))
        with LocalRecognizer(MishearsHangul(), SUPPORTED_LANGUAGES["KR"], load_settings()) as used:
            report = evaluate(utterances, used, Comparison("none"))
        return [
            (each.utterance.name, each.utterance.reference, each.scores) for each in report.results
        ]

    return way


def calibration(form: Form, folder: Path) -> object:
    (folder / nfd("회의.wav")).write_bytes(WAV)
    written_file(form, folder, "texts.tsv", "file\ttext\n회의.wav\t판교\n")
    clips = read_clips(folder, SUPPORTED_LANGUAGES["KR"], 10, 20.0)
    return [(clip.name, clip.text) for clip in clips]


def language_model(form: Form, folder: Path) -> object:
    texts = written_file(form, folder, "글.txt", "오늘은 판교에서\n판교 사람들\n" * 5)
    target = folder / "ko.arpa"
    assert lm.main(["build", texts, "--unit", "word", "-o", str(target)]) == 0
    return target.read_text(encoding="utf-8")


def named_on_the_command_line(form: Form, folder: Path) -> object:
    written_file(nfd, folder, "단어.txt", "")
    return given_path(str(folder / form("단어.txt")))


def vocabulary(form: Form, folder: Path) -> object:
    symbols = ["<pad>", "<unk>", "|", "값", "é", "가"]
    (folder / "vocab.json").write_text(
        json.dumps({form(symbol): column for column, symbol in enumerate(symbols)})
    )
    read = read_vocabulary(folder, None, None)
    speller = Speller(read)
    return [speller.pieces(column) for column in range(len(symbols))]


FILES: dict[str, tuple[Way, object]] = {
    "recordings and the names of their results": (recordings, None),
    "pairs of recordings and texts": (pairs, None),
    "manifest in TSV": (manifest(".tsv", "file\ttext\n회의.wav\t판교\n"), None),
    "manifest in JSONL": (
        manifest(".jsonl", '{"audio_filepath": "회의.wav", "text": "판교"}'),
        None,
    ),
    "texts for stt optimize": (calibration, [("회의.wav", "판교")]),
    "texts for a language model": (language_model, None),
    "files named on the command line": (named_on_the_command_line, None),
    "vocabulary of a checkpoint": (vocabulary, None),
}


@pytest.mark.parametrize("name", [*SERVICE, *FILES])
def test_both_forms_give_the_same(name: str, tmp_path: Path) -> None:
    way, expected = (SERVICE | FILES)[name]
    answers = []
    for form in (nfc, nfd):
        folder = tmp_path / "same"
        folder.mkdir()
        answers.append(way(form, folder))
        folder.rename(tmp_path / form.__name__)
    assert answers[0] == answers[1]
    assert expected is None or answers[0] == expected


def test_hangul_in_jamo_is_written_in_syllables() -> None:
    """A checkpoint may spell with conjoining jamo, of which NFC makes syllables."""
    speller = Speller(Vocabulary(symbols=("<pad>", "|", *nfd("값")), blank=0))
    whole = ""
    for letter in nfd("값"):
        whole = speller.join(whole, letter) or "" if whole else letter
    assert whole == "값"


def test_a_text_to_align_has_the_same_limit_in_both_forms() -> None:
    text = "판고 " * (MAX_TEXT_BYTES // 14)
    assert len(nfd(text).encode()) > MAX_TEXT_BYTES > len(text.encode())
    given, _, _ = prepare(nfd(text), MishearsHangul(), SUPPORTED_LANGUAGES["KR"])
    assert len(given.words) == MAX_TEXT_BYTES // 14


def test_a_file_of_another_form_is_found_only_if_there_is_no_exact_one(tmp_path: Path) -> None:
    (tmp_path / nfd("가")).mkdir()
    (tmp_path / nfd("가") / nfd("나.wav")).touch()
    finder = PathFinder()
    assert finder.find(tmp_path / "가" / "나.wav") == tmp_path / nfd("가") / nfd("나.wav")
    assert finder.find(tmp_path / "가" / "다.wav") == tmp_path / "가" / "다.wav"
    assert finder.find(tmp_path / "없음" / "나.wav") == tmp_path / "없음" / "나.wav"
    (tmp_path / "가").mkdir()
    (tmp_path / "가" / "나.wav").touch()
    for form in (nfc, nfd):
        exact = tmp_path / form("가") / form("나.wav")
        assert finder.find(exact) == exact


def test_the_service_is_asked_with_the_name_of_a_model_in_both_forms(tmp_path: Path) -> None:
    (tmp_path / nfd("모델")).mkdir()
    flags = ("--models", f"KR={tmp_path}/모델")
    with serve_app(*flags, engine=MishearsHangul()) as client:
        assert isinstance(client, TestClient)
        found = [client.get(f"/v1/models/{form('모델')}").json()["id"] for form in (nfc, nfd)]
    assert found == ["모델", "모델"]
