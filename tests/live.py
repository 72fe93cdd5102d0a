"""The real application on a real port in this process, and clients that misbehave."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import requests
import uvicorn
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from stt.commands.serve import make_config
from stt.settings import load_settings
from tests.fakes import FakeEngine
from tests.runtimes import make_app

WAIT_SECONDS, START_SECONDS = 60.0, 120.0
"""Longer than anything takes on a busy machine; pytest's timeout is the real limit."""


@dataclass
class Live:
    """A running server and the engine in it."""

    app: FastAPI
    server: uvicorn.Server
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(self.url + path, headers=headers, timeout=WAIT_SECONDS)

    def post(
        self, data: bytes, headers: dict[str, str] | None = None, **form: str
    ) -> requests.Response:
        return requests.post(
            self.url + "/transcribe",
            files={"file": ("clip.wav", data)},
            data=form,
            headers=headers,
            timeout=WAIT_SECONDS,
        )

    @property
    def n_inside(self) -> int:
        """Requests admitted and not yet answered."""
        n_inside: int = self.app.state.admission.n_inside
        return n_inside

    @property
    def n_working(self) -> int:
        """Recordings that are queued or running."""
        return len(self.app.state.admission.work)

    @property
    def n_queued(self) -> float:
        """Queued windows."""
        return self._metric("stt_queue_size")

    @property
    def queued_seconds(self) -> float:
        """Queued seconds of audio."""
        return self._metric("stt_queue_audio_seconds")

    def _metric(self, name: str) -> float:
        families = text_string_to_metric_families(self.get("/metrics").text)
        (value,) = [each.value for family in families for each in family.samples
                    if each.name == name]  # fmt: skip
        return float(value)

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        """Connect from this address of the loopback interface."""
        address = ("127.0.0.1", self.port)
        return socket.create_connection(address, WAIT_SECONDS, source_address=(source, 0))


@contextmanager
def live(*flags: str, engine: FakeEngine | None = None) -> Iterator[Live]:
    """Serve as `stt serve` is configured, until the block ends."""
    # What fake engines hear is no speech.
    settings = load_settings(["--vad", "off", *flags, "--host", "127.0.0.1", "--port", "0"])
    app = make_app(settings, engine=engine or FakeEngine())
    config = make_config(app, settings)
    listener = config.bind_socket()
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    port = listener.getsockname()[1]
    thread.start()
    try:
        running = Live(app, server, port)
        wait_until(
            lambda: reachable(running) and running.get("/readyz").status_code == 200,
            START_SECONDS,
        )
        yield running
    finally:
        server.should_exit = True
        thread.join(WAIT_SECONDS)
        server.force_exit = True
        thread.join(WAIT_SECONDS)


def reachable(running: Live) -> bool:
    with suppress(OSError):
        running.get("/livez")
        return True
    return False


def wait_until(condition: Any, seconds: float = WAIT_SECONDS) -> None:
    """Poll until the condition is true; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class BlockedEngine(FakeEngine):
    """Blocks each forward while held; `running` is set once one has started."""

    def __init__(self) -> None:
        self.running, self._steps, self._held = threading.Event(), threading.Semaphore(0), False
        super().__init__(self._wait)

    def _wait(self) -> None:
        if self._held:
            self.running.set()
            assert self._steps.acquire(timeout=WAIT_SECONDS)
            self.running.clear()

    def hold(self) -> None:
        self._held = True

    def step(self) -> None:
        """Let the running forward finish."""
        self._steps.release()

    def release(self) -> None:
        self._held = False
        self._steps.release(1000)


@dataclass
class Answer:
    """A response read from a plain socket."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    closed: bool = field(default=False)

    @property
    def problem(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/problem+json"
        parsed: dict[str, Any] = json.loads(self.body)
        assert isinstance(parsed["detail"], str)
        assert parsed["status"] == self.status
        assert parsed["request_id"] == self.headers["x-request-id"]
        return parsed


def head(*lines: str, target: str = "/transcribe", method: str = "POST") -> bytes:
    """The head of a multipart request, with boundary "x"."""
    return "\r\n".join(
        [
            f"{method} {target} HTTP/1.1",
            "Host: localhost",
            "Content-Type: multipart/form-data; boundary=x",
            *lines,
            "\r\n",
        ]
    ).encode()


def form(data: bytes) -> bytes:
    """A multipart body with boundary "x" and one file."""
    before = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    return before + data + b"\r\n--x--\r\n"


def read_answer(connection: socket.socket) -> Answer:
    """Read the next response on this connection."""
    response = http.client.HTTPResponse(connection, method="POST")
    response.begin()
    return Answer(response.status, response.headers, response.read())


def read_rest(connection: socket.socket) -> bytes:
    """Read until the server closes or resets the connection."""
    rest = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(10_000):
            rest += piece
    return rest


def is_closed(connection: socket.socket) -> bool:
    """Wait for the server to close the connection; whether it does."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
