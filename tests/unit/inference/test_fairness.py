"""Shares of a queue and turns between clients, by hand-sized examples."""

import asyncio
import itertools
import threading
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stt.engines.wants import BEST, F, Want
from stt.errors import Overloaded
from stt.frames import Frames
from stt.inference.batcher import Batcher
from stt.inference.fairness import (
    JOB,
    JOB_PATIENCE,
    LIVE,
    Turns,
    current_client,
    is_full,
    refuse_when_full,
)
from stt.types import Waveform
from tests.fakes import FakeEngine
from tests.unit.inference.test_batcher import Gate, block_with, clip


def test_one_client_may_use_everything_until_another_comes() -> None:
    assert not is_full({"a": 9}, "a", 10)
    assert is_full({"a": 10}, "a", 10)
    assert not is_full({"a": 10}, "b", 10)
    assert not is_full({"a": 10, "b": 4}, "b", 10)
    assert is_full({"a": 10, "b": 5}, "b", 10)
    assert is_full({"a": 10, "b": 5}, "a", 10)
    assert not is_full({"a": 10, "b": 5}, "c", 10)


def test_many_clients_together_cannot_exceed_twice_the_limit() -> None:
    held: dict[str, float] = {}
    for client in map(str, range(100)):
        while not is_full(held, client, 10):
            held[client] = held.get(client, 0) + 1
    assert 10 <= sum(held.values()) <= 20


def test_what_grew_after_it_was_admitted_keeps_no_other_client_out() -> None:
    held = {"a": 1000.0, "b": 1000.0}
    assert is_full(held, "c", 600)
    assert not is_full(held, "c", 600, least=20)
    assert is_full(held, "a", 600, least=20)
    many = {str(n): 20.0 for n in range(60)}
    assert is_full(many, "c", 600, least=20)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 20)), max_size=60))
def test_clients_that_all_wait_get_equal_parts(works: list[tuple[str, int]]) -> None:
    turns, used = Turns(), dict.fromkeys("abc", 0)
    queues = {name: [cost for client, cost in works if client == name] for name in "abc"}
    while all(queues.values()):
        client = turns.next(queues)
        cost = queues[client].pop(0)
        turns.charge(client, cost)
        used[client] += cost
    assert max(used.values()) - min(used.values()) <= 20


def test_a_client_saves_nothing_up_while_it_is_away() -> None:
    turns = Turns()
    for _ in range(100):
        assert turns.next(["a"]) == "a"
        turns.charge("a", 1)
    order = []
    for _ in range(6):
        order.append(turns.next(["a", "b"]))
        turns.charge(order[-1], 1)
    assert order in (["b", "a", "b", "a", "b", "a"], ["b", "b", "a", "b", "a", "b"])


def test_a_short_clip_waits_for_one_batch_beside_a_flood_of_another_client() -> None:
    gate = Gate()

    async def scenario(batcher: Batcher) -> None:
        def submit(client: str, seconds: float) -> asyncio.Task[Frames]:
            current_client.set(client)
            return asyncio.create_task(batcher.submit(gate, clip(seconds), BEST))

        current_client.set("flood")
        running = await block_with(batcher, gate, 20)
        flood = [submit("flood", 20) for _ in range(40)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="the limit is 600 s"):
            batcher.check_room()
        current_client.set("other")
        batcher.check_room()
        mine = submit("other", 2)
        await asyncio.sleep(0)
        gate.open.release(2)
        assert np.shape((await mine).columns) == (gate.grid.n_frames(2 * 16000),)
        assert gate.batches[1] == [2.0]
        gate.open.release(40)
        await asyncio.gather(running, *flood)

    async def main() -> None:
        batcher = Batcher(batch_seconds=30, max_queue_seconds=600)
        try:
            await asyncio.wait_for(scenario(batcher), 30)
        finally:
            batcher.close()

    asyncio.run(main())


class Clock(FakeEngine):
    """Computes 100 s of audio a second on a clock of its own, which `run` moves."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._n_begun, self._may_end = 0, threading.Semaphore(0)

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        self._n_begun += 1
        assert self._may_end.acquire(timeout=20)
        self.now += sum(map(len, waveforms)) / 16000 / 100
        return super().forward(waveforms, want)

    async def run(self) -> None:
        """End each forward once whoever got a result has sent what follows."""
        for n_ended in itertools.count():
            while self._n_begun == n_ended:
                await asyncio.sleep(0)
            for _ in range(3):
                await asyncio.sleep(0)
            self._may_end.release()


Load = tuple[str, float, int]
"""Name of a client, length of its windows, and how many of them it keeps queued."""


def waits(others: Sequence[Load], probe: Load, n_times: int) -> list[float]:
    """How long the windows of a client take beside others, each sent ``n_times``."""
    engine, times = Clock(), []

    async def keep_sending(batcher: Batcher, load: Load) -> None:
        current_client.set(load[0])
        while True:
            await batcher.submit(engine, clip(load[1]), BEST)

    async def measure(batcher: Batcher) -> None:
        current_client.set(probe[0])
        for _ in range(n_times):
            began = engine.now
            await batcher.submit(engine, clip(probe[1]), BEST)
            times.append(engine.now - began)

    async def main() -> None:
        batcher = Batcher(batch_seconds=30)
        sending = [keep_sending(batcher, load) for load in others for _ in range(load[2])]
        tasks = [asyncio.create_task(each) for each in (*sending, engine.run())]
        try:
            while engine.now < 2:
                await asyncio.sleep(0)
            await asyncio.gather(*(measure(batcher) for _ in range(probe[2])))
        finally:
            for task in tasks:
                task.cancel()
            engine._may_end.release(99)
            batcher.close()

    asyncio.run(main())
    return times


def test_live_windows_wait_for_one_batch_of_files_however_many_clients_send_files() -> None:
    uploads = [(f"192.0.2.{n}", 20.0, 2) for n in range(64)]
    times = waits(uploads, ("198.51.100.1" + LIVE, 6.0, 5), 20)
    # A batch of files takes 0.2 s, one with the windows of all five streams 0.3 s.
    assert len(times) == 100
    assert max(times) == pytest.approx(0.5)


def test_a_clip_waits_for_one_batch_of_live_windows_however_many_streams_there_are() -> None:
    mine = ("198.51.100.1", 2.0, 1)
    flood = [("192.0.2.1" + LIVE, 20.0, 32), ("192.0.2.2" + LIVE, 20.0, 32)]
    assert max(waits(flood, mine, 5)) == pytest.approx(0.22)
    # With the rest of the batch of files that runs.
    assert waits([*flood, ("192.0.2.1", 20.0, 64)], mine, 1)[0] <= 0.421


def test_clients_with_live_streams_take_turns() -> None:
    others = [("192.0.2.1" + LIVE, 20.0, 32), ("192.0.2.2", 20.0, 10)]
    times = waits(others, ("198.51.100.1" + LIVE, 6.0, 1), 9)
    # A batch of files, now and then a window of the other client, files again, and its own.
    assert max(times) == pytest.approx(0.66)


def test_a_clip_beside_a_hundred_jobs_waits_for_at_most_two_windows() -> None:
    jobs = [(f"key {n}{JOB}", 20.0, 1) for n in range(100)]
    times = waits(jobs, ("192.0.2.1", 2.0, 1), 3 * JOB_PATIENCE)
    # A window of a job takes 0.2 s, the clip 0.02 s.
    assert max(times) <= 0.421
    assert sorted(times)[len(times) // 2] <= 0.221


def test_jobs_end_beside_clients_that_never_stop() -> None:
    files = [(f"192.0.2.{n}", 20.0, 2) for n in range(5)]
    times = waits(files, ("key 1" + JOB, 20.0, 1), 3)
    # Patience counts from the moment that a job waits.
    assert max(times) == pytest.approx(0.2 * (JOB_PATIENCE + 2), abs=0.21)


def test_jobs_fill_no_queue_and_are_never_refused() -> None:
    token = current_client.set("192.0.2.1")
    try:
        refuse_when_full({"key 1" + JOB: 1e6, "192.0.2.1": 10.0}, 600, 1)
        current_client.set("key 1" + JOB)
        refuse_when_full({"192.0.2.1": 1e6}, 600, 1)
    finally:
        current_client.reset(token)
