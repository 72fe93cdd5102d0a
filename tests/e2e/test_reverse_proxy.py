"""The service behind the reverse proxies of ``deploy/proxy``: the real nginx and Caddy."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import websockets.sync.client
from websockets.exceptions import InvalidStatus

from tests.deployment import DEPLOY
from tests.e2e.samples import SAMPLES
from tests.live import BlockedEngine, Live, form, live, wait_until

PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
NAME = "stt.example.org"
CLIP = (SAMPLES / "en-library.wav").read_bytes()


@dataclass(frozen=True)
class Proxied:
    """A service and the address of the proxy in front of it."""

    service: Live
    engine: BlockedEngine
    port: int
    certificate: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/stt"

    def post(self, **options: object) -> requests.Response:
        url = f"{self.url}/v1/audio/transcriptions"
        files = {"file": ("a.wav", CLIP)}
        return requests.post(url, files=files, verify=self.certificate, timeout=60, **options)  # type: ignore[arg-type]

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(self.url + path, headers=headers, verify=self.certificate, timeout=60)


def nginx(folder: Path, port: int, upstream: int) -> list[str]:
    """The command for nginx, with its example inside the rest of a configuration."""
    example = (DEPLOY / "proxy" / "nginx.conf").read_text()
    example = example.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    example = example.replace("server 127.0.0.1:8400", f"server 127.0.0.1:{upstream}")
    example = example.replace("/etc/ssl/stt", str(folder)).replace(NAME, "localhost")
    spools = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/log warn; worker_processes 1;\n"
        f"events {{}}\nhttp {{ access_log off;\n{spools}{example}}}\n"
    )
    return ["nginx", "-p", str(folder), "-e", str(folder / "log"), "-c", str(folder / "nginx.conf")]


def caddy(folder: Path, port: int, upstream: int) -> list[str]:
    """The command for Caddy, with a certificate that it need not fetch."""
    example = (DEPLOY / "proxy" / "Caddyfile").read_text()
    example = example.replace("{\n\tservers", "{\n\tadmin off\n\tauto_https off\n\tservers", 1)
    example = example.replace("127.0.0.1:8400", f"127.0.0.1:{upstream}")
    tls = f"\ttls {folder}/certificate.pem {folder}/key.pem\n"
    example = example.replace(f"\n{NAME} {{\n", f"\nhttps://localhost:{port} {{\n{tls}", 1)
    (folder / "Caddyfile").write_text(example)
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


COMMANDS: dict[str, Callable[[Path, int, int], list[str]]] = {"nginx": nginx, "caddy": caddy}


@pytest.fixture(scope="module", params=COMMANDS)
def proxied(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxied]:
    program = shutil.which(request.param, path=PATH)
    if program is None:
        pytest.skip(f"{request.param} is not installed (apt-get install {request.param})")
    folder = tmp_path_factory.mktemp("proxy")
    certificate = folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", str(folder / "key.pem"), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    engine = BlockedEngine()
    flags = ("--trusted-proxies", "127.0.0.1", "--keep-alive-seconds", "0.2")
    with live(*flags, engine=engine) as service:
        _, *arguments = COMMANDS[request.param](folder, port, service.port)
        environment = {**os.environ, "HOME": str(folder)}
        with subprocess.Popen(
            [program, *arguments], env=environment, stderr=subprocess.DEVNULL
        ) as process:
            try:
                wait_until(lambda: process.poll() is None and is_listening(port))
                yield Proxied(service, engine, port, certificate)
            finally:
                process.terminate()


def is_listening(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_uploads_and_the_page_work_below_the_prefix(proxied: Proxied) -> None:
    assert proxied.post().json()["text"] == "ab"
    own = f"https://localhost:{proxied.port}"
    assert proxied.post(headers={"Origin": own}).status_code == 200
    assert proxied.post(headers={"Origin": "https://evil.example"}).status_code == 403
    page = proxied.get("/", Accept="text/html").text
    files = re.findall(r'(?:src|href)="(static/[^"]+)"', page)
    assert len(files) > 2
    assert all(proxied.get(f"/{file}").status_code == 200 for file in files)
    assert proxied.get("/openapi.json").json()["servers"] == [{"url": "/stt"}]
    assert proxied.get("/nothing").json()["code"] == "not_found"


def test_events_arrive_one_by_one(proxied: Proxied) -> None:
    proxied.engine.hold()
    try:
        with proxied.post(data={"stream": "true"}, stream=True) as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith(b":"), "a comment while the model still computes"
            proxied.engine.release()
            assert any(b"transcript.text.done" in line for line in lines)
    finally:
        proxied.engine.release()


def test_a_live_stream_passes_the_proxy_and_a_foreign_page_does_not(proxied: Proxied) -> None:
    context = ssl.create_default_context(cafile=proxied.certificate)
    url = f"wss://localhost:{proxied.port}/stt/stream"

    def connect(origin: str) -> websockets.sync.client.ClientConnection:
        return websockets.sync.client.connect(url, ssl=context, origin=origin)  # type: ignore[arg-type]

    with connect(f"https://localhost:{proxied.port}") as connection:
        connection.send(bytes(1600))
        assert json.loads(connection.recv()) == {"partial": ""}
        connection.send('{"eof": 1}')
        assert json.loads(connection.recv()) == {"text": ""}
    with pytest.raises(InvalidStatus) as refused:
        connect("https://evil.example")
    assert refused.value.response.status_code == 403


def test_the_service_learns_the_client_and_not_what_it_claims(proxied: Proxied) -> None:
    """Two uploads are open, of which one says that it comes from elsewhere: one client."""
    held = proxied.service.app.state.admission.uploads
    context = ssl.create_default_context(cafile=proxied.certificate)
    sockets = []
    for claimed in ("192.0.2.1", "192.0.2.2"):
        plain = socket.create_connection(("127.0.0.1", proxied.port), 30)
        sockets.append(context.wrap_socket(plain, server_hostname="localhost"))
        head = [
            "POST /stt/transcribe HTTP/1.1", f"Host: localhost:{proxied.port}",
            "Content-Type: multipart/form-data; boundary=x", "Content-Length: 100000",
            f"X-Forwarded-For: {claimed}", "\r\n",
        ]  # fmt: skip
        sockets[-1].sendall("\r\n".join(head).encode() + form(b"")[:40])
    wait_until(lambda: len(held) == 2)
    assert held.clients == {"127.0.0.1"}
    for each in sockets:
        each.close()
    wait_until(lambda: len(held) == 0)
