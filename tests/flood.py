"""Floods a service with frames on WebSockets, as fast as it takes them.

``python -m tests.flood PORT KIND[,KIND...] CONNECTIONS_OF_EACH [KEY]``; runs until it is killed.
"""

import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import requests

MASK = bytes(4)
"""A mask that changes nothing."""


def frame(opcode: int, payload: bytes = b"", *, last: bool = True) -> bytes:
    """A frame of a client, of up to 65,535 bytes."""
    length = len(payload)
    size = bytes([0x80 | length]) if length < 126 else b"\xfe" + length.to_bytes(2, "big")
    return bytes([0x80 * last | opcode]) + size + MASK + payload


CONT, TEXT, BINARY, PING, PONG = 0, 1, 2, 9, 10
STREAM, REALTIME = "/stream", "/v1/realtime?intent=transcription"


@dataclass(frozen=True)
class Kind:
    """What a flood sends."""

    repeated: bytes
    first: bytes = b""
    path: str = STREAM


def realtime(name: str, fields: str = "") -> Kind:
    """A flood of one event of OpenAI's Realtime API."""
    text = f'{{"type":"{name}"{fields}}}'
    return Kind(frame(TEXT, text.encode()), path=REALTIME)


KEYWORDS = ",".join(['""'] * 15_000)
KINDS = {
    "ping": Kind(frame(PING)),
    "pong": Kind(frame(PONG)),
    "fragment": Kind(frame(CONT, last=False), first=frame(BINARY, last=False)),
    "message": Kind(frame(BINARY)),
    "reset": Kind(frame(TEXT, b'{"reset":1}')),
    "config": Kind(frame(TEXT, b'{"config":{"phrase_list":[' + b'"",' * 10_000 + b'""]}}')),
    "silence": Kind(frame(BINARY, bytes(4096))),
    "audio": Kind(frame(BINARY, bytes(65_000))),
    "event": realtime("response.create"),
    "update": realtime(
        "session.update",
        f',"session":{{"audio":{{"input":{{"transcription":{{"keywords":[{KEYWORDS}]}}}}}}}}',
    ),
    "append": realtime("input_audio_buffer.append", ',"audio":"' + "A" * 64_000 + '"'),
}
"""The frames that a flood begins with, and the one that it repeats."""


def upgrade(port: int, path: str, key: str) -> socket.socket:
    """Open a live stream."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(
        f"GET {path} HTTP/1.1".encode() + b"\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" + f"X-API-Key: {key}\r\n\r\n".encode()
    )
    connection.recv(1000)  # accepted, or refused and closed
    connection.setblocking(False)
    return connection


class Stream:
    """A connection that sends frames of one kind; a new one when it has ended."""

    def __init__(self, port: int, kind: str, key: str) -> None:
        self._port, self._key, self._kind = port, key, KINDS[kind]
        repeated = self._kind.repeated
        self._block = repeated * (100_000 // len(repeated) + 1)
        self.begin()

    def begin(self) -> None:
        """Open a connection."""
        self.connection = upgrade(self._port, self._kind.path, self._key)
        self._data = memoryview(self._kind.first + self._block)

    def move(self, events: int) -> None:
        """Discard what has come and send what there is room for.

        Raises:
            OSError: the connection has ended.
        """
        with suppress(BlockingIOError):
            if events & selectors.EVENT_READ and not self.connection.recv(100_000):
                raise ConnectionResetError
            if events & selectors.EVENT_WRITE:
                sent = self.connection.send(self._data)
                self._data = self._data[sent:] or memoryview(self._block)


def flood(port: int, kinds: list[str], n_connections: int, key: str = "") -> None:
    """Flood the service."""
    waiting = selectors.DefaultSelector()

    def watch(stream: Stream) -> None:
        waiting.register(stream.connection, selectors.EVENT_READ | selectors.EVENT_WRITE, stream)

    for kind in kinds * n_connections:
        watch(Stream(port, kind, key))
    print("flooding", flush=True)
    while True:
        for key, events in waiting.select():
            try:
                key.data.move(events)
            except OSError:
                waiting.unregister(key.fileobj)
                key.data.connection.close()
                key.data.begin()
                watch(key.data)


@contextmanager
def flooded(
    port: int, kinds: Iterable[str], n_connections: int, *key: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """Flood a service within the block, from another process, with connections of each kind."""
    command = [sys.executable, "-m", __name__, str(port), ",".join(kinds), str(n_connections)]
    with subprocess.Popen(
        [*command, *key], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"flooding\n"
            yield process
        finally:
            process.kill()


def livez_seconds(url: str, n_probes: int) -> list[float]:
    """Sorted response times of a probe."""
    times = []
    with requests.Session() as session:
        for _ in range(n_probes):
            began = time.perf_counter()
            assert session.get(url + "/livez", timeout=60).status_code == 200
            times.append(time.perf_counter() - began)
            time.sleep(0.01)
    return sorted(times)


if __name__ == "__main__":
    flood(int(sys.argv[1]), sys.argv[2].split(","), int(sys.argv[3]), *sys.argv[4:])
