"""Web pages of other sites: posts, WebSockets, DNS rebinding, CORS and reverse proxies."""

import json
from collections.abc import Iterator

import pytest
import requests
import websockets.sync.client
from websockets.exceptions import InvalidStatus

from tests.live import Live, live

PAGE = "https://app.example.org"
REBOUND = "rebound.example.com"
"""A public name that its owner points at this machine."""


@pytest.fixture(scope="module")
def default(runtime: str) -> Iterator[Live]:
    with live() as running:
        yield running


@pytest.fixture(scope="module")
def configured(runtime: str) -> Iterator[Live]:
    with live("--cors-origins", PAGE, "--allowed-hosts", "stt.example.org,*.ours.test") as running:
        yield running


def post(running: Live, wav: bytes, **headers: str) -> tuple[int, str]:
    """Status and code of an upload with these headers; ``_`` stands for ``-``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = running.post(wav, headers=named)
    return answer.status_code, answer.json().get("code", "")


def stream(running: Live, origin: str | None, host: str = "127.0.0.1") -> int:
    """The status of a WebSocket's handshake."""
    url = f"ws://{host}:{running.port}/stream"
    with running.connect() as sock:
        try:
            with websockets.sync.client.connect(url, sock=sock, origin=origin) as connection:  # type: ignore[arg-type]
                connection.send('{"eof": 1}')
                assert json.loads(connection.recv()) == {"text": ""}
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code


FOREIGN = (403, "origin_not_allowed")
REFUSED_HOST = (403, "host_not_allowed")


def test_a_page_of_another_site_can_neither_post_nor_open_a_stream(
    default: Live, wav: bytes
) -> None:
    own = f"http://127.0.0.1:{default.port}"
    assert post(default, wav) == (200, "")
    assert post(default, wav, Origin=own) == (200, "")
    for origin in (PAGE, "http://localhost:1", "http://127.0.0.1", "null", "file://", "x"):
        assert post(default, wav, Origin=origin) == FOREIGN
        assert stream(default, origin) == 403
    assert post(default, wav, Sec_Fetch_Site="cross-site") == FOREIGN
    assert post(default, wav, Sec_Fetch_Site="cross-site", Origin=PAGE) == FOREIGN
    assert post(default, wav, Sec_Fetch_Site="same-site", Origin=PAGE) == FOREIGN
    assert stream(default, None) == stream(default, own) == 101
    # A page can load what is open to everybody, but not read it.
    assert default.get("/health", Origin=PAGE).status_code == 200


def test_a_name_that_its_owner_points_at_this_machine_is_refused(default: Live, wav: bytes) -> None:
    origin = f"http://{REBOUND}:{default.port}"
    host = f"{REBOUND}:{default.port}"
    assert post(default, wav, Host=host) == REFUSED_HOST
    assert post(default, wav, Host=host, Origin=origin) == REFUSED_HOST
    assert post(default, wav, Host=host, Origin=origin, X_Forwarded_For="x") == REFUSED_HOST
    assert default.get("/v1/models", Host=host).status_code == 403
    assert stream(default, origin, REBOUND) == stream(default, None, REBOUND) == 403


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8400", "127.0.0.1", "[::1]:8400", "10.1.2.3", "stt", "stt.local",
     "stt.default.svc.cluster.local:80", "host.docker.internal:8400", "laptop.home.arpa"],
)  # fmt: skip
def test_addresses_and_private_names_are_ours(default: Live, wav: bytes, host: str) -> None:
    assert post(default, wav, Host=host) == (200, "")
    assert post(default, wav, Host=host, Origin=f"http://{host.lower()}") == (200, "")


def test_pages_behind_a_reverse_proxy_work_without_settings(default: Live, wav: bytes) -> None:
    public = "stt.example.org"
    page = f"https://{public}"
    forwarded = {"X_Forwarded_For": "192.0.2.1"}
    assert post(default, wav, Host=public, Origin=page, **forwarded) == (200, "")
    assert post(default, wav, Host=public, **forwarded) == (200, "")  # curl
    # The proxy names the upstream instead, as nginx does unless told otherwise.
    assert post(default, wav, Origin=page, Sec_Fetch_Site="same-origin") == (200, "")
    assert post(default, wav, Origin=page, X_Forwarded_Host=public) == (200, "")


def test_listed_origins_and_hosts_are_allowed_and_no_others(configured: Live, wav: bytes) -> None:
    assert post(configured, wav, Origin=PAGE, Sec_Fetch_Site="cross-site") == (200, "")
    assert stream(configured, PAGE) == 101
    assert post(configured, wav, Origin="https://evil.example") == FOREIGN
    for host in ("stt.example.org", "a.ours.test:80", "127.0.0.1", "localhost"):
        assert post(configured, wav, Host=host) == (200, "")
    for host in ("stt", "example.org", "ours.test", "xours.test", "stt.example.org.evil.example"):
        assert post(configured, wav, Host=host, X_Forwarded_For="x") == REFUSED_HOST


def test_an_allowed_page_may_send_the_headers_that_it_asks_for(configured: Live) -> None:
    asked = "authorization,content-type,x-stainless-arch,x-stainless-retry-count,x-new-one"
    answer = requests.options(
        f"{configured.url}/v1/audio/transcriptions",
        headers={
            "Origin": PAGE,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": asked,
        },
        timeout=10,
    )
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-headers"] == asked


@pytest.mark.parametrize("path", ["/", "/livez", "/health", "/docs", "/metrics", "/v1/models",
                                  "/languages", "/openapi.json", "/static/app.js"])  # fmt: skip
def test_head_is_answered_on_every_route_of_get(default: Live, path: str) -> None:
    head = requests.head(default.url + path, timeout=10)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 0


def test_a_path_prefix_by_setting_or_from_a_trusted_proxy(wav: bytes) -> None:
    flags = ("--root-path", "/stt"), ("--trusted-proxies", "127.0.0.1")
    for flag, headers in ((flags[0], {}), (flags[1], {"X-Forwarded-Prefix": "/stt"})):
        with live(*flag, "--api-keys", "secret") as running:
            for base in ("", "/stt"):  # the proxy strips the prefix or does not
                assert running.get(f"{base}/livez", **headers).status_code == 200
                answer = running.get(f"{base}/v1/models", **headers)
                assert (answer.status_code, "error" in answer.json()) == (401, True)
                spec = running.get(f"{base}/openapi.json", **headers).json()
                assert spec["servers"] == [{"url": "/stt"}]


def test_nobody_else_can_set_a_prefix(default: Live) -> None:
    spec = default.get("/openapi.json", **{"X-Forwarded-Prefix": "/evil"}).json()
    assert "servers" not in spec
