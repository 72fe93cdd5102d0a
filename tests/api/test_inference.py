"""How clients see engine failures, over real sockets with all middleware."""

import math
import struct
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
import requests

from stt.engines.faults import DeviceLost
from stt.engines.wants import F, Want
from stt.frames import Frames
from stt.types import Waveform
from tests.fakes import FakeEngine, spell
from tests.live import WAIT_SECONDS, BlockedEngine, Live, live, wait_until

MARK = 0.9
"""First sample of the recording that triggers the failure."""


def clip(seconds: float, first: float = 0.0) -> bytes:
    """A 16 kHz float32 WAV file, which decoding leaves unchanged."""
    samples = [first] + [0.1] * (round(seconds * 16000) - 1)
    data = struct.pack(f"<{len(samples)}f", *samples)
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 3, 1,
                       16000, 64000, 4, 32)  # fmt: skip
    return head + struct.pack("<4sI", b"data", len(data)) + data


def marked(waveform: Waveform) -> bool:
    return math.isclose(waveform[0], MARK, abs_tol=1e-4)


class Marked(BlockedEngine):
    """Gives each length its own text, and calls `act` for a marked waveform."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[float]] = []

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        self.batches.append([len(waveform) / 16000 for waveform in waveforms])
        results = super().forward(waveforms, want)
        results = [self.say(waveform) for waveform in waveforms]
        for index, waveform in enumerate(waveforms):
            if marked(waveform):
                self.act(waveforms, results, index)
        return results

    def say(self, waveform: Waveform) -> Frames:
        n_frames = self.grid.n_frames(len(waveform))
        columns = [0] * n_frames
        for bit in range(round(n_frames / 25)):  # "a" or "b" per half second
            columns[2 * bit + 1] = 2 + bit % 2
        return spell(columns)

    def act(self, waveforms: Sequence[Waveform], results: list[Any], index: int) -> None:
        raise RuntimeError("poison")


SECONDS = (1.0, 1.5, 2.0, 2.5)
TEXTS = ["ab", "aba", "abab", "ababa"]


def post_as_one_batch(
    running: Live, engine: Marked, bad: float | None
) -> dict[float, requests.Response]:
    """Post clips of all lengths in one batch; one of them is marked."""
    with ThreadPoolExecutor() as pool:
        engine.hold()
        blocker = pool.submit(running.post, clip(0.5))
        assert engine.running.wait(WAIT_SECONDS)
        answers: dict[float, Future[requests.Response]] = {
            seconds: pool.submit(running.post, clip(seconds, MARK if seconds == bad else 0))
            for seconds in SECONDS
        }
        wait_until(lambda: running.queued_seconds == sum(SECONDS))
        engine.release()
        assert blocker.result().status_code == 200
        return {seconds: answer.result() for seconds, answer in answers.items()}


def check_batch_mates(answers: dict[float, requests.Response], status: int, code: str) -> None:
    """The 2 s clip failed with this status and code, the others have their texts."""
    for (seconds, answer), text in zip(answers.items(), TEXTS, strict=True):
        if seconds == 2.0:
            assert (answer.status_code, answer.json()["code"]) == (status, code)
            assert answer.headers["content-type"] == "application/problem+json"
        else:
            assert (answer.status_code, answer.json()["text"]) == (200, text)


def test_without_faults_each_recording_gets_its_text() -> None:
    engine = Marked()
    with live(engine=engine) as running:
        answers = post_as_one_batch(running, engine, bad=None)
    assert [answer.json()["text"] for answer in answers.values()] == TEXTS
    assert sorted(engine.batches[-1]) == list(SECONDS)


def test_a_failing_recording_is_500_and_the_rest_of_the_batch_is_unchanged() -> None:
    engine = Marked()
    with live(engine=engine) as running:
        answers = post_as_one_batch(running, engine, bad=2.0)
        check_batch_mates(answers, 500, "inference_failed")
        assert "poison" not in answers[2.0].text
        assert running.get("/livez").status_code == running.get("/readyz").status_code == 200


def test_a_result_of_the_wrong_length_is_500_and_the_rest_of_the_batch_is_unchanged() -> None:
    class Short(Marked):
        def act(self, waveforms: Sequence[Waveform], results: list[Any], index: int) -> None:
            results[index] = results[index][:-1]

    engine = Short()
    with live(engine=engine) as running:
        check_batch_mates(post_as_one_batch(running, engine, bad=2.0), 500, "inference_failed")


def test_a_missing_result_is_500_and_the_rest_of_the_batch_is_unchanged() -> None:
    class Drops(Marked):
        def act(self, waveforms: Sequence[Waveform], results: list[Any], index: int) -> None:
            del results[index]

    engine = Drops()
    with live(engine=engine) as running:
        check_batch_mates(post_as_one_batch(running, engine, bad=2.0), 500, "inference_failed")


def test_a_recording_too_large_for_memory_is_503_and_the_rest_of_the_batch_is_200() -> None:
    class Small(Marked):
        def act(self, waveforms: Sequence[Waveform], results: list[Any], index: int) -> None:
            import torch

            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB.")

    engine = Small()
    with live(engine=engine) as running:
        answers = post_as_one_batch(running, engine, bad=2.0)
        check_batch_mates(answers, 503, "out_of_memory")
        assert "CUDA" not in answers[2.0].text
        assert running.post(clip(1.0)).json()["text"] == "ab"
        assert running.get("/livez").status_code == running.get("/readyz").status_code == 200


def test_a_batch_too_large_for_memory_is_split() -> None:
    class TwoAtMost(Marked):
        def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
            if len(waveforms) > 2:
                self.batches.append([])
                raise MemoryError
            return super().forward(waveforms, want)

    engine = TwoAtMost()
    with live(engine=engine) as running:
        answers = post_as_one_batch(running, engine, bad=None)
    assert [answer.json()["text"] for answer in answers.values()] == TEXTS
    assert [len(batch) for batch in engine.batches[-4:]] == [0, 1, 2, 1]


class Ends(Marked):
    def act(self, waveforms: Sequence[Waveform], results: list[Any], index: int) -> None:
        raise SystemExit(1)


def test_a_dead_inference_thread_answers_503_and_is_restarted_once() -> None:
    engine = Ends()
    with live(engine=engine) as running:
        answers = post_as_one_batch(running, engine, bad=2.0)
        for answer in answers.values():
            assert (answer.status_code, answer.json()["code"]) == (503, "engine_died")
            assert answer.headers["retry-after"] == "1"
        assert running.get("/livez").status_code == running.get("/readyz").status_code == 200
        assert running.post(clip(1.0)).json()["text"] == "ab"

        assert running.post(clip(2.0, MARK)).json()["code"] == "engine_died"
        alive = running.get("/livez")
        assert alive.status_code == 503
        assert alive.json() == {
            "status": "failed",
            "reason": "The inference thread has died 2 times.",
        }
        assert running.get("/readyz").status_code == running.get("/health").status_code == 503
        assert running.get("/health").json()["status"] == "failed"
        n_batches = len(engine.batches)
        answer = running.post(clip(1.0))
        assert (answer.status_code, answer.json()["code"]) == (503, "engine_died")
        assert int(answer.headers["retry-after"]) >= 1
        assert len(engine.batches) == n_batches
        assert running.n_inside == 0


def test_a_lost_device_is_503_for_all_requests_and_livez() -> None:
    class Loses(FakeEngine):
        lost = False

        def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
            if self.lost:
                raise DeviceLost("CUDA error: an illegal memory access was encountered")
            return super().forward(waveforms, want)

    engine = Loses()
    with live(engine=engine) as running:
        engine.lost = True
        for _ in range(2):
            answer = running.post(clip(1.0))
            assert (answer.status_code, answer.json()["code"]) == (503, "engine_died")
        alive = running.get("/livez")
        assert alive.status_code == 503
        assert "an illegal memory access" in alive.json()["reason"]
        assert running.get("/readyz").status_code == 503


def test_a_dead_inference_thread_fails_long_recordings_within_a_second() -> None:
    """Halfway through, with windows in the queue and more being decoded."""

    class EndsAtTheThird(Marked):
        died_at = 0.0

        def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
            if len(self.batches) >= 4:
                self.died_at = time.monotonic()
                raise KeyboardInterrupt
            return super().forward(waveforms, want)

    engine = EndsAtTheThird()
    with live(engine=engine) as running, ThreadPoolExecutor() as pool:
        answers = list(pool.map(running.post, [clip(200)] * 2))
        late = time.monotonic() - engine.died_at
        assert {answer.json()["code"] for answer in answers} == {"engine_died"}
        assert late < 1 + 4, "one second, plus slack for a busy machine"
        wait_until(lambda: running.n_inside == 0)
        assert running.queued_seconds == 0


def test_livez_is_503_when_inference_is_stuck_but_not_when_idle() -> None:
    engine = BlockedEngine()
    with live("--stall-seconds", "1.5", engine=engine) as running, ThreadPoolExecutor() as pool:
        time.sleep(2)
        assert running.get("/livez").status_code == 200, "idle"
        engine.hold()
        answer = pool.submit(running.post, clip(1.0))
        assert engine.running.wait(WAIT_SECONDS)
        assert running.get("/livez").status_code == 200, "busy"
        wait_until(lambda: running.get("/livez").status_code == 503)
        assert "raise STT_STALL_SECONDS (1.5)" in running.get("/livez").json()["reason"]
        assert running.get("/readyz").status_code == 503
        engine.release()
        assert answer.result().status_code == 200
        assert running.get("/livez").status_code == running.get("/readyz").status_code == 200


def test_a_request_that_waits_too_long_is_503_and_never_runs() -> None:
    engine = Marked()
    flags = ("--queue-timeout-seconds", "0.5")
    with live(*flags, engine=engine) as running, ThreadPoolExecutor() as pool:
        engine.hold()
        first = pool.submit(running.post, clip(1.0))
        assert engine.running.wait(WAIT_SECONDS)
        answer = running.post(clip(2.0))
        assert (answer.status_code, answer.json()["code"]) == (503, "queue_timeout")
        assert int(answer.headers["retry-after"]) >= 1
        assert running.n_inside == 1
        engine.release()
        assert first.result().json()["text"] == "ab"
        assert running.post(clip(1.5)).json()["text"] == "aba"
        assert [2.0] not in engine.batches


@pytest.mark.parametrize("error", [RuntimeError, MemoryError, SystemExit])
def test_a_model_whose_warm_up_fails_reports_the_reason(
    error: type[BaseException],
) -> None:
    def fail() -> None:
        raise error

    from tests.api.conftest import serve_app

    with serve_app(engine=FakeEngine(fail), ready=False) as client:
        wait_until(lambda: client.get("/health").json()["status"] == "failed")
        reason = client.get("/health").json()["models"][0]["reason"]
        expected = "too little memory" if error is MemoryError else "see the service's log"
        assert expected in reason
        assert client.get("/livez").status_code == 200
        answer = client.post("/transcribe", files={"file": clip(1.0)})
        assert (answer.status_code, answer.json()["code"]) == (503, "model_failed")


def test_no_inference_threads_are_left_behind() -> None:
    """Not even after inference threads have died."""
    with suppress(AssertionError):
        wait_until(lambda: not [t for t in threading.enumerate() if "inference" in t.name])
    left = [thread.name for thread in threading.enumerate() if "inference" in thread.name]
    assert left == []
