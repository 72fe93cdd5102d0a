"""API keys on every route, and CORS."""

import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import websockets
import websockets.exceptions
import websockets.sync.client
from fastapi import WebSocket
from fastapi.testclient import TestClient

from stt.errors import ConfigurationError
from stt.observability.logs import FALSE_ALARM, JsonFormatter
from stt.server.keys import Key, KeyRing
from stt.settings import load_settings
from tests.api.conftest import Serve
from tests.fakes import FakeEngine
from tests.live import Live, head, live, read_answer

KEY, OTHER = "correct-horse-1", "battery~staple/2="
FLAGS = ("--api-keys", f"{KEY}, {OTHER}")


@pytest.fixture(scope="module")
def running(runtime: str) -> Iterator[Live]:
    with live(*FLAGS) as running:

        @running.app.websocket("/echo")
        async def echo(socket: WebSocket) -> None:
            await socket.accept()
            await socket.send_text(await socket.receive_text())

        yield running


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": f"bearer  {OTHER} "},
        {"X-API-Key": KEY},
        {"x-api-key": OTHER},
        {"Authorization": "Basic Og==", "X-API-Key": KEY},
    ],
)
def test_a_valid_key_is_accepted(running: Live, wav: bytes, headers: dict[str, str]) -> None:
    assert running.post(wav, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "line",
    [
        "X-Nothing: 1",
        "Authorization: Bearer",
        "Authorization: Bearer ",
        f"Authorization: {KEY}",
        f"Authorization: Basic {KEY}",
        f"Authorization: Bearer {KEY[:-1]}",
        f"Authorization: Bearer {KEY}x",
        f"Authorization: Bearer {KEY.upper()}",
        f"Authorization: Bearer {KEY},{OTHER}",
        f"Authorization: Bearer {KEY} {OTHER}",
        f"Authorization: Bearer {KEY}, Bearer {OTHER}",
        "X-API-Key:",
        "X-API-Key: \u00ff\u00fe",
        f"X-API-Key: Bearer {KEY}",
        f"X-API-Key: {KEY}\x0b{KEY}",
        f"X_API_KEY: {KEY}",
        f"Cookie: X-API-Key={KEY}",
    ],
)
def test_no_key_or_a_wrong_one_is_401_before_the_body_is_read(running: Live, line: str) -> None:
    with running.connect() as connection:
        connection.sendall(head("Content-Length: 1000000000", line))
        answer = read_answer(connection)
    if answer.headers["content-type"].startswith("text/plain"):
        assert answer.status == 400  # uvicorn rejects it as malformed
        return
    assert (answer.status, answer.problem["code"]) == (401, "invalid_api_key")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert running.app.state.admission.n_inside == 0


@pytest.mark.parametrize(
    "path", ["/livez", "/readyz", "/health", "/", "/static/app.js", "/docs", "/v2/health/ready"]
)
def test_probes_and_the_page_need_no_key(running: Live, path: str) -> None:
    assert running.get(path).status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "/transcribe",
        "/metrics",
        "/nothing",
        "/static/../transcribe",
        "/static",
        "//transcribe",
        "/livez/../transcribe",
        "/%74ranscribe",
        "/transcribe?x=/livez",
        "/livez;/transcribe",
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_everything_else_needs_a_key(running: Live, target: str, method: str) -> None:
    with running.connect() as connection:
        connection.sendall(head("Content-Length: 0", target=target, method=method))
        # Paths below /static/ are open, but this file does not exist.
        inside = method == "GET" and target.startswith("/static/")
        assert read_answer(connection).status == (404 if inside else 401)


def test_open_paths_are_open_to_get_only(running: Live) -> None:
    with running.connect() as connection:
        connection.sendall(head("Content-Length: 0", target="/livez"))
        assert read_answer(connection).status == 401


def test_a_websocket_needs_a_key_too(running: Live, caplog: pytest.LogCaptureFixture) -> None:
    url = f"ws://127.0.0.1:{running.port}/echo"
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
            websockets.sync.client.connect(url, additional_headers=headers)
        response = refused.value.response
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        assert json.loads(response.body or b"")["code"] == "invalid_api_key"
    # uvicorn logs the refusal as an error; the service's log drops it.
    errors = [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]
    assert set(errors) <= {FALSE_ALARM}
    for headers in ({"Authorization": f"Bearer {KEY}"}, {"X-API-Key": OTHER}):
        with websockets.sync.client.connect(url, additional_headers=headers) as connection:
            connection.send("hello")
            assert connection.recv() == "hello"


def as_subprotocol(key: str) -> websockets.Subprotocol:
    encoded = base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")
    return websockets.Subprotocol(f"base64url.bearer.{encoded}")


PLAIN = websockets.Subprotocol("vosk")


@pytest.mark.parametrize("path", ["/stream", "/"])
def test_a_browsers_websocket_sends_its_key_as_a_subprotocol(
    running: Live, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = f"ws://127.0.0.1:{running.port}{path}"
    for key in (KEY, OTHER):
        asked = [PLAIN, as_subprotocol(key)]
        with websockets.sync.client.connect(url, subprotocols=asked) as connection:
            # Browsers require one of the subprotocols that they offered; the key is not echoed.
            assert connection.subprotocol == PLAIN
            connection.send('{"eof": 1}')
            assert json.loads(connection.recv()) == {"text": ""}
    wrong = [
        [PLAIN],
        [PLAIN, as_subprotocol("wrong-guess")],
        [PLAIN, as_subprotocol(KEY[:-1])],
        [PLAIN, as_subprotocol("")],
        [PLAIN, websockets.Subprotocol("base64url.bearer.")],
        [PLAIN, websockets.Subprotocol(f"base64url.bearer.{KEY}")],
        [PLAIN, websockets.Subprotocol("base64url.bearer.a")],
        [PLAIN, as_subprotocol("\u00ff")],
        [PLAIN, websockets.Subprotocol(KEY)],
        [websockets.Subprotocol(as_subprotocol(KEY).upper())],
    ]
    for asked in wrong:
        with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
            websockets.sync.client.connect(url, subprotocols=asked)
        response = refused.value.response
        assert response.status_code == 401
        assert b"subprotocol" in (response.body or b"")
        assert "sec-websocket-protocol" not in response.headers
    # The client's own log may contain the key.
    ours = [record for record in caplog.records if not record.name.startswith("websockets")]
    shown = "".join(JsonFormatter().format(record) for record in ours)
    assert f"WEBSOCKET {path} 401" in shown
    for key in (KEY, OTHER, "wrong-guess"):
        assert key not in shown
        assert as_subprotocol(key) not in shown


def test_the_key_works_as_the_only_subprotocol(running: Live) -> None:
    url = f"ws://127.0.0.1:{running.port}/stream"
    with websockets.sync.client.connect(url, subprotocols=[as_subprotocol(KEY)]) as connection:
        assert connection.subprotocol is None


def test_keys_are_never_logged_or_shown(
    serve: Serve, wav: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = load_settings(FLAGS)
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    with serve(*FLAGS, engine=FakeEngine()) as client:
        headers = {"Authorization": f"Bearer {KEY}", "X-API-Key": "wrong-guess"}
        answer = client.post("/transcribe", files={"file": ("a.wav", wav)}, headers=headers)
        assert answer.status_code == 200
        wrong = client.post("/transcribe", headers={"X-API-Key": "wrong-guess"})
        assert wrong.status_code == 401
        shown += wrong.text + str(wrong.headers)
    shown += "".join(JsonFormatter().format(record) for record in caplog.records)
    assert "POST /transcribe 401" in shown
    for secret in (KEY, OTHER, "wrong-guess"):
        assert secret not in shown


def test_keys_come_from_the_setting_and_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("one\r\n\n  two  \n")
    keys = KeyRing(load_settings(["--api-keys", "zero", "--api-keys-file", str(file)]))
    assert len(keys) == 3
    assert all(keys.find([key]) == Key.parse(key) for key in ("zero", "one", "two"))
    assert keys.find(["three", ""]) is None
    assert len(KeyRing(load_settings())) == 0


@pytest.mark.parametrize(
    "content", [None, b"", b"\n \n", b"two words\n", b"two requests_per_minute=x\n", b"\xff\xfe\n"]
)
def test_a_file_without_keys_does_not_open_the_service(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "keys"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match="STT_API_KEYS_FILE") as failure:
        KeyRing(load_settings(["--api-keys-file", str(file)]))
    assert "two words" not in failure.value.message


@pytest.mark.parametrize("value", [",", " , ", "a secret", "s\u00e9cret"])
def test_an_invalid_list_of_keys_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(ConfigurationError, match="STT_API_KEYS") as failure:
        KeyRing(load_settings(["--api-keys", value]))
    assert "cret" not in failure.value.message


def test_the_openapi_page_requires_a_key_if_keys_are_set(serve: Serve, client: TestClient) -> None:
    with serve(*FLAGS, engine=FakeEngine()) as guarded:
        route = guarded.get("/openapi.json").json()["paths"]["/transcribe"]["post"]
    assert route["security"] == [{"HTTPBearer": []}, {"APIKeyHeader": []}]
    assert "security" not in client.get("/openapi.json").json()["paths"]["/transcribe"]["post"]


def test_other_origins_are_refused_unless_configured(
    serve: Serve, client: TestClient, wav: bytes
) -> None:
    origin = {"Origin": "https://example.org"}
    asked = {**origin, "Access-Control-Request-Method": "POST"}
    answer = client.post("/transcribe", files={"file": ("a.wav", wav)}, headers=origin)
    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-origin" not in client.options("/transcribe", headers=asked).headers

    with serve(*FLAGS, "--cors-origins", "https://example.org", engine=FakeEngine()) as ours:
        # The preflight request carries no key.
        asked["Access-Control-Request-Headers"] = "authorization"
        allowed = ours.options("/transcribe", headers=asked)
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == "https://example.org"
        assert "access-control-allow-credentials" not in allowed.headers
        # The page must be able to read the refusal.
        refused = ours.post("/transcribe", headers=origin)
        assert refused.status_code == 401
        assert refused.headers["access-control-allow-origin"] == "https://example.org"
        assert "X-Request-ID" in refused.headers["access-control-expose-headers"]
        foreign = {**asked, "Origin": "https://evil.example"}
        assert ours.options("/transcribe", headers=foreign).status_code == 400
        other = ours.get("/health", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize("origin", ["example.org", "https://example.org/page", "null"])
def test_an_invalid_origin_is_a_configuration_error(origin: str) -> None:
    with pytest.raises(ConfigurationError, match=r"expected https://example\.org"):
        load_settings(["--cors-origins", origin])
