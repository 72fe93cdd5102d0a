"""Short-lived secrets: what they open, for how long, and as whom."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

from stt.errors import InvalidKey, InvalidParameter
from stt.server.client_secrets import ClientSecrets
from stt.server.keys import Key
from stt.settings import load_settings
from tests.api.conftest import Serve
from tests.fakes import EchoEngine
from tests.live import wait_until

PATH = "/v1/realtime?intent=transcription"
KEY = "correct-horse-1"
ENGLISH = {"type": "transcription", "audio": {"input": {"transcription": {"language": "en"}}}}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def issue(client: TestClient, key: str = KEY, **body: Any) -> dict[str, Any]:
    answer = client.post("/v1/realtime/client_secrets", json=body, headers=bearer(key))
    assert answer.status_code == 200, answer.text
    issued: dict[str, Any] = answer.json()
    return issued


def first_event(client: TestClient, key: str) -> dict[str, Any]:
    with client.websocket_connect(PATH, headers=bearer(key)) as socket:
        event: dict[str, Any] = json.loads(socket.receive_text())
        return event


def language(event: dict[str, Any]) -> str:
    """Of the session that an event shows."""
    name: str = event["session"]["audio"]["input"]["transcription"]["language"]
    return name


def refused(client: TestClient, key: str) -> str:
    """The message of a handshake's refusal."""
    with pytest.raises(WebSocketDenialResponse) as refusal:
        first_event(client, key)
    assert refusal.value.status_code == 401
    error: dict[str, str] = refusal.value.json()["error"]
    assert error["code"] == "invalid_api_key"
    return error["message"]


def test_a_secret_opens_sessions_as_configured_and_nothing_else(serve: Serve) -> None:
    with serve("--languages", "KR,EN", "--api-keys", KEY, engine=EchoEngine()) as client:
        issued = issue(client, session=ENGLISH)
        assert issued["value"].startswith("ek_")
        assert language({"session": issued["session"]}) == "en"
        for _ in range(2):
            assert language(first_event(client, issued["value"])) == "en"
        assert language(first_event(client, KEY)) == "ko"
        for path in ("/v1/realtime/client_secrets", "/transcribe", "/v1/audio/transcriptions"):
            answer = client.post(path, json={}, headers=bearer(issued["value"]))
            assert answer.status_code == 401, path
        with pytest.raises(WebSocketDenialResponse):
            client.websocket_connect("/stream", headers=bearer(issued["value"])).__enter__()
        body, _, signature = issued["value"].partition(".")
        for wrong in (body, f"{body}.", f"{body}x.{signature}", "ek_"):
            refused(client, wrong)


def test_the_betas_route(serve: Serve) -> None:
    with serve("--languages", "KR,EN", "--api-keys", KEY, engine=EchoEngine()) as client:
        answer = client.post(
            "/v1/realtime/transcription_sessions",
            json={"input_audio_transcription": {"model": "whisper-1", "language": "en"}},
            headers=bearer(KEY),
        )
        shown = answer.json()
        assert shown["input_audio_format"] == "pcm16"
        assert language(first_event(client, shown["client_secret"]["value"])) == "en"


def test_a_secret_ends_with_its_time_and_with_its_key(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"{KEY}\nother\n")
    signing = ("--client-secret-key", "0123456789abcdef")
    early = ClientSecrets(load_settings(signing), clock=lambda: 1e9)
    expired, _ = early.issue(Key.parse(KEY).id, {}, 600)
    with serve("--api-keys-file", str(file), *signing, engine=EchoEngine()) as client:
        assert "expired" in refused(client, expired)
        secret = issue(client, expires_after={"anchor": "created_at", "seconds": 7200})["value"]
        assert first_event(client, secret)["type"] == "session.created"
        file.write_text("other\n")

        def is_gone() -> bool:
            try:
                first_event(client, secret)
            except WebSocketDenialResponse:
                return True
            return False

        wait_until(is_gone)


def test_a_secret_counts_towards_the_limits_of_its_key(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"{KEY} requests_per_minute=3\n")
    with serve("--api-keys-file", str(file), engine=EchoEngine()) as client:
        secret = issue(client)["value"]
        for _ in range(2):
            first_event(client, secret)
        with pytest.raises(WebSocketDenialResponse) as refusal:
            first_event(client, secret)
        assert refusal.value.status_code == 429


def test_without_keys_a_secret_still_configures(serve: Serve) -> None:
    with serve("--languages", "KR,EN", engine=EchoEngine()) as client:
        secret = issue(client, "none", session=ENGLISH)["value"]
        assert language(first_event(client, secret)) == "en"
        assert first_event(client, f"{secret}x")["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"expires_after": {"seconds": 9}}, "invalid_parameter", "seconds"),
        ({"expires_after": {"seconds": 7201}}, "invalid_parameter", "seconds"),
        ({"expires_after": {"anchor": "now"}}, "invalid_parameter", "anchor"),
        ({"session": {"type": "realtime"}}, "not_supported", None),
        ({"session": {"include": 1}}, "invalid_parameter", None),
        (
            {"session": {"audio": {"input": {"transcription": {"language": "xx"}}}}},
            "unsupported_language",
            "language",
        ),
        (
            {"session": {"audio": {"input": {"transcription": {"prompt": "x" * 4000}}}}},
            "invalid_parameter",
            None,
        ),
        ("[" * 16_000, "invalid_parameter", None),
        ('{"session": {"x": "\\ud800"}}', "invalid_parameter", None),
        ("x" * 20_000, "upload_too_large", "file"),
    ],
)
def test_what_is_asked_for_is_checked(
    client: TestClient, body: Any, code: str, param: str | None
) -> None:
    content = body if isinstance(body, str) else json.dumps(body)
    answer = client.post(
        "/v1/realtime/client_secrets",
        content=content,
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == (413 if code == "upload_too_large" else 400)
    error = answer.json()["error"]
    assert (error["code"], error["param"]) == (code, param)


def test_signing_keys_keep_services_apart() -> None:
    ours, theirs = ClientSecrets(load_settings()), ClientSecrets(load_settings())
    value, grant = ours.issue("id", {"include": ["x"]}, 10)
    assert ours.read(value) == grant
    for wrong in (value[:-1], "ek_\u00ff.\u00ff"):
        with pytest.raises(InvalidKey):
            ours.read(wrong)
    with pytest.raises(InvalidKey):
        theirs.read(value)
    same = ("--client-secret-key", "0123456789abcdef")
    value, _ = ClientSecrets(load_settings(same)).issue("id", {}, 10)
    assert ClientSecrets(load_settings(same)).read(value).key_id == "id"
    with pytest.raises(InvalidParameter):
        ours.issue("id", {"x": "y" * 4000}, 10)
