"""Reading ahead, with a function that reads when it is told to."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from stt.recognition.ahead import ReadAhead


class Source:
    """Returns 0, 1, 2, ... and then None; or fails with one of them."""

    def __init__(self, n_items: int, fails_at: int | None = None) -> None:
        self._n_items, self._fails_at = n_items, fails_at
        self.n_read = 0
        self.inside = 0
        self.threads: set[int] = set()
        self.open = threading.Semaphore(0)

    def read(self) -> int | None:
        self.inside += 1
        assert self.inside == 1, "two threads read at a time"
        self.threads.add(threading.get_ident())
        assert self.open.acquire(timeout=20)
        number = self.n_read
        self.n_read += 1
        self.inside -= 1
        if number == self._fails_at:
            raise ValueError("broken here")
        return number if number < self._n_items else None


def run(scenario: Callable[[ThreadPoolExecutor], Awaitable[None]]) -> None:
    with ThreadPoolExecutor(4) as threads:
        asyncio.run(asyncio.wait_for(scenario(threads), 30))


async def settled(source: Source, n_read: int) -> None:
    while source.n_read < n_read:
        await asyncio.sleep(0.002)
    await asyncio.sleep(0.03)


@pytest.mark.parametrize("n_ahead", [1, 4])
def test_so_many_items_are_read_before_they_are_needed_and_no_more(n_ahead: int) -> None:
    async def scenario(threads: ThreadPoolExecutor) -> None:
        source = Source(10)
        source.open.release(99)
        items = ReadAhead(source.read, threads, n_ahead)
        await settled(source, n_ahead)
        assert source.n_read == n_ahead
        taken = []
        async for item in items:
            taken.append(item)
            await settled(source, min(11, len(taken) + n_ahead))
            assert source.n_read == min(11, len(taken) + n_ahead)
        assert taken == list(range(10))
        await items.stop()

    run(scenario)


@pytest.mark.parametrize("n_items", [0, 1, 5, 200])
def test_all_items_come_in_order(n_items: int) -> None:
    async def scenario(threads: ThreadPoolExecutor) -> None:
        source = Source(n_items)
        source.open.release(999)
        items = ReadAhead(source.read, threads, 3)
        assert [item async for item in items] == list(range(n_items))
        await items.stop()

    run(scenario)


def test_what_was_read_before_an_error_comes_before_it() -> None:
    async def scenario(threads: ThreadPoolExecutor) -> None:
        source = Source(10, fails_at=2)
        source.open.release(99)
        items = ReadAhead(source.read, threads, 4)
        reading = aiter(items)
        assert [await anext(reading), await anext(reading)] == [0, 1]
        with pytest.raises(ValueError, match="broken here"):
            await anext(reading)
        await items.stop()

    run(scenario)


def test_stopping_waits_for_the_thread_and_reads_no_more() -> None:
    async def scenario(threads: ThreadPoolExecutor) -> None:
        source = Source(10)
        items = ReadAhead(source.read, threads, 4)
        await asyncio.sleep(0.02)
        stopping = asyncio.ensure_future(items.stop())
        await asyncio.sleep(0.02)
        assert not stopping.done()
        source.open.release(99)
        await stopping
        assert source.n_read == 1

    run(scenario)
