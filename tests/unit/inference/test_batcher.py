import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from contextvars import ContextVar
from typing import Any

import numpy as np
import pytest

from stt.engines.limits import limits_of
from stt.engines.wants import BEST, F, Want
from stt.errors import InferenceFailed, Overloaded
from stt.frames import Frames
from stt.inference.batcher import Batcher
from stt.inference.observer import Stage
from stt.types import Waveform
from tests.fakes import FakeEngine


class Gate(FakeEngine):
    """Each forward waits for `open`; batches are recorded as lists of lengths in seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[float]] = []
        self.open = threading.Semaphore(0)

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        self.batches.append([len(waveform) / 16000 for waveform in waveforms])
        assert self.open.acquire(timeout=20)
        for waveform in waveforms:
            if waveform[0] == 666:
                raise RuntimeError("poison")
            if waveform[0] == 13:
                return []
        return super().forward(waveforms, want)


def clip(seconds: float, marker: float = 0) -> Waveform:
    waveform = np.zeros(round(seconds * 16000), np.float32)
    waveform[0] = marker
    return waveform


def run(scenario: Callable[[Batcher, Gate], Awaitable[None]], **options: Any) -> Gate:
    gate = Gate()

    async def main() -> None:
        batcher = Batcher(**options)
        try:
            await asyncio.wait_for(scenario(batcher, gate), 30)
        finally:
            batcher.close()

    asyncio.run(main())
    return gate


async def block_with(batcher: Batcher, gate: Gate, seconds: float = 1.0) -> asyncio.Task[Frames]:
    """Occupy the inference thread."""
    task = asyncio.create_task(batcher.submit(gate, clip(seconds), BEST))
    while not gate.batches:
        await asyncio.sleep(0.005)
    return task


def test_windows_that_arrive_while_a_batch_runs_form_the_next_batch() -> None:
    async def scenario(batcher: Batcher, gate: Gate) -> None:
        first = await block_with(batcher, gate)
        rest = [asyncio.create_task(batcher.submit(gate, clip(s), BEST)) for s in (2, 3, 2.5)]
        await asyncio.sleep(0.02)
        gate.open.release(5)
        results = await asyncio.gather(first, *rest)
        assert [len(r) for r in results] == [
            gate.grid.n_frames(16000 * s // 2) for s in (2, 4, 6, 5)
        ]

    assert run(scenario).batches == [[1.0], [2.0, 2.5, 3.0]]


def test_windows_of_similar_length_share_a_batch_within_the_padded_budget() -> None:
    async def scenario(batcher: Batcher, gate: Gate) -> None:
        first = await block_with(batcher, gate)
        rest = [
            asyncio.create_task(batcher.submit(gate, clip(s), BEST))
            for s in (2, 20, 3, 19, 2, 9, 20)
        ]
        await asyncio.sleep(0.02)
        gate.open.release(20)
        await asyncio.gather(first, *rest)

    batches = run(scenario, batch_seconds=40).batches
    # With the 9 s clip the batch of short ones costs 36 s, which fits; a 20 s clip would not.
    assert batches == [[1.0], [2.0, 2.0, 3.0, 9.0], [20.0, 20.0], [19.0]]
    assert all(max(batch) * len(batch) <= 40 for batch in batches)


def test_a_window_larger_than_the_budget_runs_alone() -> None:
    async def scenario(batcher: Batcher, gate: Gate) -> None:
        gate.open.release(9)
        await asyncio.gather(*(batcher.submit(gate, clip(20), BEST) for _ in range(2)))

    assert run(scenario, batch_seconds=10).batches == [[20.0], [20.0]]


@pytest.mark.parametrize(("device", "windows"), [("cpu", 1), ("cuda:0", 8)])
def test_the_device_sets_the_batch_size(device: str, windows: int) -> None:
    async def scenario(batcher: Batcher, gate: Gate) -> None:
        gate.limits = limits_of(device)
        first = await block_with(batcher, gate)
        rest = [asyncio.create_task(batcher.submit(gate, clip(20), BEST)) for _ in range(33)]
        await asyncio.sleep(0.02)
        with pytest.raises(Overloaded) if device == "cpu" else nullcontext():
            batcher.check_room()
        gate.open.release(99)
        await asyncio.gather(first, *rest)

    assert max(map(len, run(scenario).batches)) == windows


def test_a_batch_never_mixes_engines() -> None:
    async def scenario(batcher: Batcher, gate: Gate) -> None:
        other = Gate()
        other.open.release(9)
        first = await block_with(batcher, gate)
        rest = [asyncio.create_task(batcher.submit(e, clip(2), BEST)) for e in (other, gate, other)]
        await asyncio.sleep(0.02)
        gate.open.release(9)
        await asyncio.gather(first, *rest)
        assert other.batches == [[2.0, 2.0]]

    assert run(scenario).batches == [[1.0], [2.0]]


def test_cancelled_windows_are_not_computed_and_do_not_affect_others() -> None:
    async def scenario(batcher: Batcher, gate: Gate) -> None:
        first = await block_with(batcher, gate)
        gone, stays = (asyncio.create_task(batcher.submit(gate, clip(s), BEST)) for s in (5, 2))
        await asyncio.sleep(0.02)
        gone.cancel()
        first.cancel()  # leaves while it is being computed
        gate.open.release(9)
        assert len(await stays) == gate.grid.n_frames(32000)
        assert batcher.queued_seconds == 0

    assert run(scenario).batches == [[1.0], [2.0]]


@pytest.mark.parametrize("marker", [666, 13], ids=["raises", "too few results"])
def test_a_bad_window_fails_only_its_own_request(marker: float) -> None:
    async def scenario(batcher: Batcher, gate: Gate) -> None:
        first = await block_with(batcher, gate)
        clips = [clip(2), clip(2, marker), clip(2)]
        rest = [asyncio.create_task(batcher.submit(gate, each, BEST)) for each in clips]
        await asyncio.sleep(0.02)
        gate.open.release(9)
        results = await asyncio.gather(first, *rest, return_exceptions=True)
        assert [isinstance(each, InferenceFailed) for each in results] == [0, 0, 1, 0]

    assert run(scenario).batches == [[1.0], [2.0] * 3, [2.0], [2.0], [2.0]]


def test_new_recordings_are_refused_when_the_queue_is_full() -> None:
    async def scenario(batcher: Batcher, gate: Gate) -> None:
        batcher.check_room()
        first = await block_with(batcher, gate)
        rest = [asyncio.create_task(batcher.submit(gate, clip(4), BEST)) for _ in range(3)]
        await asyncio.sleep(0.02)
        assert batcher.queued_seconds == 12
        with pytest.raises(Overloaded, match="12 s of audio wait") as caught:
            batcher.check_room()
        assert 1 <= caught.value.retry_after_seconds <= 3600
        gate.open.release(9)
        await asyncio.gather(first, *rest)
        batcher.check_room()

    run(scenario, max_queue_seconds=10, batch_seconds=4)


def test_submitting_after_close_fails() -> None:
    async def scenario(batcher: Batcher, gate: Gate) -> None:
        batcher.close()
        with pytest.raises(InferenceFailed):
            await batcher.submit(gate, clip(1), BEST)

    run(scenario)


def test_forwards_share_one_thread_and_never_block_the_event_loop() -> None:
    async def scenario(batcher: Batcher, gate: Gate) -> None:
        task = await block_with(batcher, gate)
        started = time.perf_counter()
        for _ in range(20):
            await asyncio.sleep(0)
        assert time.perf_counter() - started < 0.5
        gate.open.release(50)
        await asyncio.gather(task, *(batcher.submit(gate, clip(1), BEST) for _ in range(20)))
        assert len(gate.threads) == 1
        assert threading.get_ident() not in gate.threads

    run(scenario)


class Record:
    """An observer that records its calls, and in whose context they came."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, Stage, float]] = []
        self.batches: list[int] = []

    def stage(self, stage: Stage, started: float, ended: float, busy_seconds: float) -> None:
        assert started <= ended
        self.stages.append((whose.get(), stage, busy_seconds))

    def batch(self, n_windows: int, seconds: float) -> None:
        assert seconds >= 0
        assert whose.get() == "nobody", "a batch belongs to no single request"
        self.batches.append(n_windows)

    def transcribed(self, audio_seconds: float, wall_seconds: float) -> None:
        raise AssertionError("the batcher does not know recordings")


whose: ContextVar[str] = ContextVar("whose", default="nobody")


def test_an_observer_gets_queue_and_forward_times_in_the_request_context() -> None:
    observer = Record()

    async def submit(batcher: Batcher, gate: Gate, name: str, seconds: float) -> None:
        whose.set(name)
        await batcher.submit(gate, clip(seconds), BEST)

    async def scenario(batcher: Batcher, gate: Gate) -> None:
        whose.set("first")
        first = await block_with(batcher, gate)
        a, b, gone = [
            asyncio.create_task(submit(batcher, gate, name, 1.0)) for name in ("a", "b", "gone")
        ]
        await asyncio.sleep(0.05)
        gone.cancel()
        gate.open.release(2)
        await asyncio.gather(first, a, b)

    run(scenario, observer=observer)
    assert observer.batches == [1, 2]
    told = {(name, stage) for name, stage, _ in observer.stages}
    both = (Stage.QUEUE, Stage.FORWARD)
    assert told == {(name, stage) for name in ("first", "a", "b") for stage in both}
    waits = {name: seconds for name, stage, seconds in observer.stages if stage is Stage.QUEUE}
    assert waits["a"] >= 0.04


def test_retry_after_counts_live_windows_and_the_measured_speed() -> None:
    async def scenario(batcher: Batcher, gate: Gate) -> None:
        first = await block_with(batcher, gate)
        waiting = [asyncio.create_task(batcher.submit(gate, clip(10.0), BEST)) for _ in range(3)]
        await asyncio.sleep(0.01)
        assert (batcher.n_queued, batcher.queued_seconds) == (3, 30.0)
        assert batcher.retry_after_seconds == 30.0  # before the first measurement
        waiting.pop().cancel()
        await asyncio.sleep(0.01)
        assert (batcher.n_queued, batcher.queued_seconds) == (2, 20.0)
        batcher._rtfx = 4.0
        assert batcher.retry_after_seconds == 5.0
        batcher._rtfx = 1e6
        assert batcher.retry_after_seconds == 1.0
        batcher._rtfx = 1e-6
        assert batcher.retry_after_seconds == 3600.0
        gate.open.release(9)
        await asyncio.gather(first, *waiting)
        assert (batcher.n_queued, batcher.retry_after_seconds) == (0, 1.0)

    run(scenario)
