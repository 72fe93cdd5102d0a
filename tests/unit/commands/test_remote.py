"""The client against a scripted server, for answers that a real service rarely gives."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from stt.asked import Asked
from stt.commands import transcribe
from stt.commands.outputs import FORMATS, render_json
from stt.commands.recognition import RecognitionFailed
from stt.commands.remote import MAX_TRIES, RemoteRecognizer
from stt.errors import ConfigurationError

ANSWER = {
    "text": "가 나",
    "language": "KR",
    "model": "m",
    "duration_seconds": 2.0,
    "words": [{"word": "가", "start": 0.1, "end": 0.5, "confidence": 0.9}],
}
Reply = tuple[int, dict[str, str], Any]


class StandIn(HTTPServer):
    """Gives scripted answers, repeating the last one, and records the forms it receives."""

    def __init__(self, replies: list[Reply], *, reads: bool) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies, self.reads = replies, reads
        self.keys: list[str | None] = []
        self.forms: list[dict[str | None, tuple[str | None, bytes]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/"


class Handler(BaseHTTPRequestHandler):
    server: StandIn

    def do_POST(self) -> None:
        assert self.path == "/api/transcribe"
        self.server.keys.append(self.headers["Authorization"])
        if self.server.reads:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            self.server.forms.append(
                dict(map(field, message_from_bytes(head + body).get_payload()))
            )
        replies = self.server.replies
        status, headers, answer = replies.pop(0) if len(replies) > 1 else replies[0]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    def log_message(self, *_: object) -> None:
        pass


def field(part: Any) -> tuple[str | None, tuple[str | None, bytes]]:
    assert isinstance(part, Message)
    name = part.get_param("name", header="content-disposition")
    return str(name), (part.get_filename(), part.get_payload(decode=True))  # type: ignore[return-value]


@contextmanager
def stand_in(*replies: Reply, reads: bool = True) -> Iterator[StandIn]:
    with StandIn(list(replies), reads=reads) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_form_and_the_answer() -> None:
    with stand_in((200, {}, ANSWER)) as server:
        recognition = RemoteRecognizer(server.url, "ko").recognize(BytesIO(b"\0RIFF"), 'x/a"b.wav')
    assert server.forms == [
        {
            "response_format": (None, b"verbose_json"),
            "lang": (None, b"ko"),
            "file": ("a%22b.wav", b"\0RIFF"),
        }
    ]
    assert (recognition.text, recognition.language, recognition.model) == ("가 나", "KR", "m")
    assert recognition.transcript.duration_seconds == 2.0
    assert [word.text for word in recognition.transcript.words] == ["가"]


def test_words_keep_the_spaces_that_they_have() -> None:
    words = [
        {"word": "今", "start": 0.1, "end": 0.2, "confidence": 0.9, "space_before": False},
        {"word": "日", "start": 0.2, "end": 0.3, "confidence": 0.9, "space_before": False},
        {"word": "OK", "start": 0.4, "end": 0.5, "confidence": 0.9},
    ]
    with stand_in((200, {}, ANSWER | {"text": "今日 OK", "words": words})) as server:
        recognition = RemoteRecognizer(server.url).recognize(BytesIO(b"x"), "a")
    assert recognition.transcript.text == recognition.text


def test_what_is_not_asked_for_the_service_chooses() -> None:
    with stand_in((200, {}, ANSWER), (200, {}, ANSWER)) as server:
        RemoteRecognizer(server.url).recognize(BytesIO(b"x"), "a")
        asked = Asked("가나:2", language_model=False, written=True, spacing="restored", vad="off")
        RemoteRecognizer(server.url, asked=asked).recognize(BytesIO(b"x"), "a")
    assert set(server.forms[0]) == {"response_format", "file"}
    assert server.forms[1]["hotwords"] == (None, "가나:2".encode())
    assert server.forms[1]["language_model"] == (None, b"false")
    assert server.forms[1]["written"] == (None, b"true")
    assert server.forms[1]["spacing"] == (None, b"restored")
    assert server.forms[1]["vad"] == (None, b"off")


def test_speakers_are_asked_for_and_stay_in_every_format() -> None:
    words = [
        {"word": "네", "start": 0.1, "end": 0.5, "confidence": 0.9, "channel": 1},
        {"word": "아니요", "start": 0.3, "end": 0.9, "confidence": 0.9, "channel": 2},
    ]
    answer = ANSWER | {"text": "네\n아니요", "words": words, "channels": 2}
    with stand_in((200, {}, answer), (200, {}, ANSWER)) as server:
        asked = Asked(channels="split")
        recognition = RemoteRecognizer(server.url, asked=asked).recognize(BytesIO(b"x"), "a")
        asked = Asked(diarize=True, num_speakers=2)
        RemoteRecognizer(server.url, asked=asked).recognize(BytesIO(b"x"), "a")
    assert server.forms[0]["channels"] == (None, b"split")
    assert (server.forms[1]["diarize"], server.forms[1]["num_speakers"]) == (
        (None, b"true"), (None, b"2"),
    )  # fmt: skip
    assert recognition.transcript.report.n_channels == 2
    assert FORMATS["txt"](recognition, "a") == "[1] 네\n[2] 아니요\n"
    assert "\n[2] 아니요\n" in FORMATS["srt"](recognition, "a")
    assert "<v Channel 1>네\n" in FORMATS["vtt"](recognition, "a")
    assert "SPEAKER recording 2 0.300 0.600 " in FORMATS["rttm"](recognition, "a")
    found = json.loads(FORMATS["json"](recognition, "a"))
    assert (found["words"], found["channels"]) == (words, 2)


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["--diarize", "--channels", "split"], "exclude each other"),
        (["--num-speakers", "2"], "needs --diarize"),
        (["--format", "rttm"], "it needs --diarize or --channels split"),
    ],
)
def test_contradictions_are_refused_before_anything_is_sent(
    tmp_path: Path, flags: list[str], reason: str
) -> None:
    recording = tmp_path / "a.wav"
    recording.write_bytes(b"x")
    with stand_in((200, {}, ANSWER)) as server:
        with pytest.raises(ConfigurationError, match=reason):
            transcribe.main([str(recording), "--url", server.url, *flags])
        assert server.forms == []


@pytest.mark.parametrize(
    "flags",
    [
        ["--max-line-width", "9"], ["--max-line-count", "11"], ["--max-line-count", "x"],
        ["--num-speakers", "51"], ["--channels", "both"],
    ],
)  # fmt: skip
def test_flags_have_bounds(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        transcribe.main(["a.wav", *flags])
    assert caught.value.code == 2
    assert flags[0] in capsys.readouterr().err


def test_what_was_said_stays_beside_what_is_written() -> None:
    three = {"word": "3시", "start": 0.1, "end": 0.4, "confidence": 0.9, "spoken": "세 시"}
    with stand_in((200, {}, ANSWER | {"words": [three]})) as server:
        recognition = RemoteRecognizer(server.url).recognize(BytesIO(b"x"), "a")
    assert json.loads(render_json(recognition, "a"))["words"] == [three]


def test_retries_wait_as_long_as_the_service_asks_and_send_the_whole_file(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    slept: list[float] = []
    with stand_in(
        (503, {"Retry-After": "5"}, {"detail": "Not yet."}),
        (429, {"Retry-After": "900"}, {"detail": "Full."}),
        (200, {}, ANSWER),
    ) as server:
        RemoteRecognizer(server.url, sleep=slept.append).recognize(BytesIO(b"xyz"), "a")
    assert slept == [5.0, 60.0]
    assert [form["file"][1] for form in server.forms] == [b"xyz"] * 3
    assert "a: Not yet. Waiting 5 s." in caplog.text


def test_retries_come_to_an_end() -> None:
    slept: list[float] = []
    with stand_in((503, {"Retry-After": "1"}, {"detail": "Not yet."})) as server:
        recognizer = RemoteRecognizer(server.url, sleep=slept.append)
        with pytest.raises(RecognitionFailed, match="Not yet"):
            recognizer.recognize(BytesIO(b"x"), "a")
    assert len(slept) == MAX_TRIES - 1


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        ((503, {}, {"detail": "The model is broken."}), "The model is broken."),
        ((415, {}, {"detail": "No audio."}), "No audio."),
        ((502, {}, b"<html>"), "answered 502 without a reason"),
        ((200, {}, {"text": "a"}), "not of the expected form"),
        ((200, {}, b"<html>"), "not of the expected form"),
    ],
)
def test_the_service_s_error_message_is_reported(reply: Reply, sentence: str) -> None:
    with stand_in(reply) as server, pytest.raises(RecognitionFailed, match=sentence):
        RemoteRecognizer(server.url).recognize(BytesIO(b"x"), "a")


def test_a_refusal_is_read_before_the_upload_ends() -> None:
    reply = (413, {"Connection": "close"}, {"detail": "Too large."})
    with stand_in(reply, reads=False) as server:
        recognizer = RemoteRecognizer(server.url)
        with pytest.raises(RecognitionFailed) as caught:
            recognizer.recognize(BytesIO(bytes(50_000_000)), "a")
    # The kernel decides which of the two: a reset may overtake the answer.
    assert caught.value.message in (
        "Too large.",
        "The service did not answer: Connection reset by peer.",
    )


def test_a_service_that_disappears_fails_the_recording() -> None:
    with stand_in((200, {}, ANSWER)) as server:
        recognizer = RemoteRecognizer(server.url)
    with pytest.raises(RecognitionFailed, match="did not answer: Connection refused"):
        recognizer.recognize(BytesIO(b"x"), "a")


def test_the_key_is_sent_as_bearer_token(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = tmp_path / "a.wav"
    clip.write_bytes(b"RIFF")
    monkeypatch.setenv("STT_API_KEY", "from-environment")
    with stand_in((200, {}, ANSWER)) as server:
        for flags in ([], ["--api-key", "from-flag"]):
            assert transcribe.main([str(clip), "--url", server.url, *flags]) == 0
    assert server.keys == ["Bearer from-environment", "Bearer from-flag"]
    assert capsys.readouterr().out == "가 나\n가 나\n"


def test_a_missing_key_is_reported_in_the_service_s_words() -> None:
    detail = {"detail": "The API key is missing or wrong."}
    with stand_in((401, {"WWW-Authenticate": "Bearer"}, detail)) as server:
        recognizer = RemoteRecognizer(server.url)
        with pytest.raises(RecognitionFailed, match="API key is missing"):
            recognizer.recognize(BytesIO(b"x"), "a")
    assert server.keys == [None]


def test_a_key_cannot_add_headers() -> None:
    with stand_in((200, {}, ANSWER)) as server, pytest.raises(ConfigurationError):
        RemoteRecognizer(server.url, api_key="a\r\nX-Other: b")
