"""Hotwords and language models, on every way in, in one process and through a cluster."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketTestSession

from stt.errors import ConfigurationError
from tests.api.conftest import Serve, serve_app
from tests.fakes import PREFERS_AB, Mumbles

CODE = "unused_prompt"


@pytest.fixture(scope="module")
def mumbler() -> Iterator[TestClient]:
    with serve_app(engine=Mumbles()) as client:
        yield client


def text_of(client: TestClient, wav: bytes, path: str, **form: str) -> dict[str, Any]:
    name = "audio_file" if path.startswith("/asr") else "file"
    answer = client.post(path, files={name: ("a.wav", wav)}, data=form)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/transcribe", {"hotwords": "ab"}),
        ("/transcribe", {"hotwords": "ab:2, ba"}),
        ("/transcribe?hotwords=ab", {}),
        ("/v1/audio/transcriptions", {"hotwords": "ab"}),
        ("/v1/audio/transcriptions", {"prompt": "ab"}),
        ("/v1/audio/transcriptions", {"prompt": "Ba, AB"}),
        ("/asr?output=json&hotwords=ab", {}),
        ("/asr?output=json&initial_prompt=ba%2C%20ab", {}),
    ],
)
def test_hotwords_count_on_every_way_in(
    mumbler: TestClient, wav: bytes, path: str, form: dict[str, str]
) -> None:
    assert text_of(mumbler, wav, path.partition("?")[0] + "?output=json")["text"] == "ac"
    answer = text_of(mumbler, wav, path, **form)
    assert answer["text"] == "ab"
    assert "warnings" not in answer


def test_hotwords_count_in_server_sent_events(mumbler: TestClient, wav: bytes) -> None:
    form = {"stream": "true", "hotwords": "ab"}
    answer = mumbler.post("/v1/audio/transcriptions", files={"file": wav}, data=form)
    events = [
        json.loads(line.removeprefix("data: "))
        for line in answer.text.splitlines()
        if line.startswith("data: {")
    ]
    assert events[-1]["text"] == "ab"


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ("This is a conversation about cabs.", "prose"),
        ("a conversation", "prose"),
        ("ab, zoo", "1 of 2 words of the prompt cannot be written"),
    ],
)
def test_what_of_a_prompt_is_not_used_is_said(
    mumbler: TestClient, wav: bytes, prompt: str, sentence: str
) -> None:
    for path, name in (
        ("/v1/audio/transcriptions", "prompt"),
        ("/asr?output=json&initial_prompt=" + prompt, "unused"),
    ):
        answer = text_of(mumbler, wav, path, **{name: prompt})
        assert answer["text"] == ("ab" if "ab," in prompt else "ac")
        (warning,) = answer["warnings"]
        assert warning["code"] == CODE
        assert sentence in warning["message"]


def hear(socket: WebSocketTestSession, config: dict[str, Any], wav: bytes) -> str:
    socket.send_text(json.dumps({"config": {"sample_rate": 16000, **config}}))
    socket.send_bytes(wav[44 : 44 + 16_000])
    socket.receive_json()
    socket.send_text('{"reset": 1}')
    return str(socket.receive_json()["text"])


def test_hotwords_count_in_live_streams(mumbler: TestClient, wav: bytes) -> None:
    with mumbler.websocket_connect("/stream") as socket:
        assert hear(socket, {}, wav) == "ac"
        assert hear(socket, {"hotwords": "ab, ba"}, wav) == "ab"
        assert hear(socket, {"phrase_list": ["ba", "ab"]}, wav) == "ab"
        assert hear(socket, {}, wav) == "ac"


BAD = [
    ("zebra", "cannot write 'z', 'e', 'r' of the hotword 'zebra'"),
    ("ab:100", "expected a number from 0.1 to 10"),
    ("a" * 101, "the limit is 100"),
    ("\n".join(map(str, range(1001))), "There are 1001 hotwords"),
]


@pytest.mark.parametrize(("hotwords", "sentence"), BAD)
def test_bad_hotwords_get_422_with_a_sentence(
    mumbler: TestClient, wav: bytes, hotwords: str, sentence: str
) -> None:
    answer = mumbler.post("/transcribe", files={"file": wav}, data={"hotwords": hotwords})
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_hotwords"
    assert sentence in answer.json()["detail"]
    form = {"hotwords": hotwords, "stream": "true"}
    answer = mumbler.post("/v1/audio/transcriptions", files={"file": wav}, data=form)
    assert answer.status_code == 400  # as OpenAI answers
    assert sentence in answer.json()["error"]["message"]
    assert answer.json()["error"]["param"] == "hotwords"
    with mumbler.websocket_connect("/stream") as socket:
        config = {"sample_rate": 16000, "phrase_list": hotwords.split("\n")[:1000]}
        socket.send_text(json.dumps({"config": config}))
        socket.send_bytes(wav[44 : 44 + 16_000])
        refused = socket.receive_json()
        if len(config["phrase_list"]) == 1:  # type: ignore[arg-type]
            assert sentence in refused["error"]
            assert refused["code"] == "invalid_hotwords"


def test_a_language_model_that_is_not_there_is_refused(mumbler: TestClient, wav: bytes) -> None:
    answer = mumbler.post("/transcribe", files={"file": wav}, data={"language_model": "true"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "not_supported"
    assert "Korean has no language model here" in answer.json()["detail"]
    answer = mumbler.post("/transcribe", files={"file": wav}, data={"language_model": "maybe"})
    assert answer.status_code == 422
    assert "language_model" in answer.json()["detail"]


def test_hotwords_of_the_service_count_in_all_requests(
    serve: Serve, wav: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "hotwords.txt"
    file.write_text("\ufeffba\r\nab:2\n", encoding="utf-8")
    with serve("--hotword-files", f"ko={file}", engine=Mumbles()) as client:
        assert text_of(client, wav, "/transcribe")["text"] == "ab"
        with client.websocket_connect("/stream") as socket:
            assert hear(socket, {}, wav) == "ab"


@pytest.mark.parametrize("content", ["ab:many", None])
def test_a_bad_file_of_hotwords_stops_the_start(
    serve: Serve, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "hotwords.txt"
    if content is not None:
        file.write_text(content)
    with (
        pytest.raises(ConfigurationError, match=r"hotwords\.txt"),
        serve("--hotword-files", f"KR={file}", engine=Mumbles()),
    ):
        pass


def test_a_language_model_counts_unless_it_is_switched_off(
    serve: Serve, wav: bytes, tmp_path: Path
) -> None:
    (tmp_path / "ko.arpa").write_text(PREFERS_AB)
    with serve("--lms", f"KR={tmp_path / 'ko.arpa'}", engine=Mumbles()) as client:
        (korean,) = client.get("/languages").json()["languages"]
        assert korean["language_model"] == "on"
        assert text_of(client, wav, "/transcribe")["text"] == "ab"
        assert text_of(client, wav, "/transcribe", language_model="false")["text"] == "ac"
        with client.websocket_connect("/stream") as socket:
            assert hear(socket, {}, wav) == "ab"
            assert hear(socket, {"language_model": False}, wav) == "ac"
