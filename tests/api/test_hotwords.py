"""Hotwords and language models, on every route, in one process and through a cluster."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketTestSession

from stt.engines.wants import F, Want
from stt.errors import ConfigurationError
from stt.types import Vocabulary, Waveform
from tests.api.conftest import Serve, post_recording, serve_app
from tests.fakes import PREFERS_AB, FakeEngine, Mumbles

CODE = "unused_prompt"


@pytest.fixture(scope="module")
def mumbler(runtime: str) -> Iterator[TestClient]:
    with serve_app(engine=Mumbles()) as client:
        yield client


def text_of(client: TestClient, wav: bytes, path: str, **form: str) -> dict[str, Any]:
    answer = post_recording(client, path, wav, **form)
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


class MishearsNames(FakeEngine):
    """Says 스리엠, which might also be 쓰리엠."""

    vocabulary = Vocabulary(symbols=("<pad>", "|", "스", "쓰", "리", "엠"), blank=0)

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        results = []
        for waveform in waveforms:
            probs = np.full((self.grid.n_frames(len(waveform)), 6), 1e-6, np.float32)
            probs[:, 0] = 1
            for frame, column in ((2, 2), (3, 4), (4, 5)):
                probs[frame], probs[frame, column] = 1e-3, 0.99
            probs[2, 3] = 0.4
            results.append(want.reduce(np.log(probs / probs.sum(axis=1, keepdims=True))))
        return results


@pytest.mark.parametrize("field", ["hotwords", "prompt"])
def test_hotwords_that_the_model_cannot_write_count_as_they_are_said(
    serve: Serve, wav: bytes, field: str
) -> None:
    path = "/v1/audio/transcriptions"
    form = {"response_format": "verbose_json", "timestamp_granularities[]": "word"}
    with serve("--languages", "KR,EN", engine=MishearsNames()) as client:
        assert text_of(client, wav, path, **form)["text"] == "스리엠"
        assert text_of(client, wav, path, **form, **{field: "3M"})["text"] == "쓰리엠"
        written = text_of(client, wav, path, **form, **{field: "3M"}, written="true")
        assert written["text"] == "3M"
        [word] = written["words"]
        assert (word["word"], word["spoken"]) == ("3M", "쓰리엠")
        with client.websocket_connect("/stream") as socket:
            assert hear(socket, {"hotwords": "3M"}, wav) == "쓰리엠"
            assert hear(socket, {"phrase_list": ["3M"], "written": True}, wav) == "3M"
        answer = text_of(client, wav, path, prompt="3M, Wi-Fi")
        assert answer["text"] == "쓰리엠"
        assert "1 of 2 words of the prompt" in answer["warnings"][0]["message"]
        for lang, hotword in (("KR", "Wi-Fi"), ("EN", "3M")):
            form = {"lang": lang, "hotwords": hotword}
            refused = client.post("/transcribe", files={"file": wav}, data=form)
            assert refused.status_code == 422
            assert f"of the hotword '{hotword}'" in refused.json()["detail"]


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
