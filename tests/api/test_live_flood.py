"""Live streams and uploads share the queue: how a flood of streams delays an upload."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median

import pytest
import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from stt.server.websocket_protocol import REST_SECONDS, TURN_SECONDS, InputTurns
from tests.audio_files import tones, with_libsndfile
from tests.flood import KINDS, flooded, livez_seconds
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


def test_floods_of_frames_of_every_kind_at_once_delay_nobody() -> None:
    with live() as running, flooded(running.port, KINDS, 3):
        assert median(livez_seconds(running.url, 60)) < 0.2


def test_between_two_turns_of_connections_everything_else_has_one() -> None:
    order = []

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        turns = InputTurns()

        class Flooding:
            def __init__(self, name: str) -> None:
                self.loop, self._name, self._left = loop, name, 3

            def take_turn(self) -> None:
                order.append(self._name)
                self._left -= 1
                if self._left:
                    turns.add(self)  # type: ignore[arg-type]

        for name in "abc":
            turns.add(Flooding(name))  # type: ignore[arg-type]
        for _ in range(12):
            await asyncio.sleep(0)
            order.append(".")

    asyncio.run(scenario())
    assert "".join(order).strip(".") == "a.b.c.a.b.c.a.b.c"


def test_after_some_input_the_event_loop_rests_for_other_threads() -> None:
    planned = []
    now = 0.0

    class Loop:
        def call_soon(self, call: Callable[[], None]) -> None:
            planned.append((0.0, call))

        def call_later(self, seconds: float, call: Callable[[], None]) -> None:
            planned.append((seconds, call))

    class Busy:
        loop = Loop()

        def take_turn(self) -> None:
            nonlocal now
            now += 0.6 * TURN_SECONDS
            turns.add(self)  # type: ignore[arg-type]

    turns = InputTurns(clock=lambda: now)
    for _ in range(3):
        turns.add(Busy())  # type: ignore[arg-type]
    for position in range(6):
        planned[position][1]()
    waits = [seconds for seconds, _ in planned]
    assert waits == [0, 0, REST_SECONDS, 0, REST_SECONDS, 0, REST_SECONDS]
