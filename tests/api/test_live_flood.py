"""Live streams and uploads share the queue: how a flood of streams delays an upload."""

import json
import subprocess
import sys
import threading
import time
from contextlib import ExitStack

import pytest
import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.audio_files import tones, with_libsndfile
from tests.live import WAIT_SECONDS, BlockedEngine, live, wait_until

N_SESSIONS = 6
SECOND = (tones(1.0, 16_000)[:, 0] * 32_767).astype("<i2").tobytes()
CONFIG = json.dumps({"config": {"sample_rate": 16000}})


def test_a_flood_of_live_streams_delays_an_upload_by_one_window_each() -> None:
    engine = BlockedEngine()
    flags = ("--max-live-sessions", str(N_SESSIONS), "--max-queue-requests", "1")
    with live(*flags, "--batch-seconds", "0.1", engine=engine) as running, ExitStack() as stack:
        url = running.url.replace("http", "ws") + "/stream"

        def begin() -> ClientConnection:
            session = stack.enter_context(connect(url, close_timeout=1))
            session.send(CONFIG)
            return session

        engine.hold()
        sessions = [begin() for _ in range(N_SESSIONS)]
        for _ in range(4):  # faster than real time and than inference
            for session in sessions:
                session.send(SECOND)
        wait_until(lambda: engine.running.is_set() and running.n_queued == N_SESSIONS - 1)
        time.sleep(0.3)
        assert running.n_queued == N_SESSIONS - 1, (
            "one window per stream, however much audio has arrived"
        )

        extra = stack.enter_context(connect(url, close_timeout=1))
        assert json.loads(extra.recv(WAIT_SECONDS))["code"] == "overloaded"
        with pytest.raises(ConnectionClosed) as end:
            extra.recv(WAIT_SECONDS)
        assert end.value.rcvd is not None
        assert end.value.rcvd.code == 1013

        answers: list[requests.Response] = []
        clip = with_libsndfile(tones(0.5, 16_000), 16_000, "WAV")
        upload = threading.Thread(target=lambda: answers.append(running.post(clip)))
        upload.start()  # streams do not count towards the limit of one request
        wait_until(lambda: running.n_queued == N_SESSIONS)
        n_forwards = 0
        while upload.is_alive():
            if engine.running.wait(0.1) and upload.is_alive():
                engine.step()
                n_forwards += 1
                time.sleep(0.05)
        assert answers[0].json()["text"] == "ab"
        assert n_forwards <= N_SESSIONS + 2  # its own, and perhaps one that had begun
        engine.release()


FLOOD = """
import socket, sys
port, first, frame = int(sys.argv[1]), bytes.fromhex(sys.argv[2]), bytes.fromhex(sys.argv[3])
connection = socket.create_connection(("127.0.0.1", port))
connection.sendall(
    b"GET /stream HTTP/1.1\\r\\nHost: localhost\\r\\nUpgrade: websocket\\r\\n"
    b"Connection: Upgrade\\r\\nSec-WebSocket-Version: 13\\r\\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\\r\\n\\r\\n"
)
assert b" 101 " in connection.recv(1000)
connection.settimeout(0.05)
data = memoryview(first + frame * 200_000)
print("flooding", flush=True)
while True:
    try:
        data = data[connection.send(data):] or memoryview(frame * 200_000)
    except TimeoutError:
        pass
    try:
        connection.recv(100_000)
    except TimeoutError:
        pass
"""
"""Writes frames as fast as it can, in a process of its own."""
EMPTY = {"ping": "8980", "fragment": "0080", "message": "8280"}
"""The first two bytes of an empty masked frame."""


@pytest.mark.parametrize("kind", EMPTY)
def test_a_flood_of_empty_frames_delays_nobody(kind: str) -> None:
    mask = "00000000"
    first = f"0280{mask}" if kind == "fragment" else ""
    with live() as running:
        arguments = [str(running.port), first, EMPTY[kind] + mask]
        with subprocess.Popen(
            [sys.executable, "-c", FLOOD, *arguments], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as flood:  # fmt: skip
            assert flood.stdout is not None
            assert flood.stdout.readline() == b"flooding\n"
            started = time.monotonic()
            for _ in range(20):
                assert running.get("/livez").status_code == 200
            seconds = time.monotonic() - started
            flood.kill()
    assert seconds < 10
