"""Shares of a queue and turns between clients, by hand-sized examples."""

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stt.engines.wants import BEST
from stt.errors import Overloaded
from stt.frames import Frames
from stt.inference.batcher import Batcher
from stt.inference.fairness import Turns, current_client, is_full
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
