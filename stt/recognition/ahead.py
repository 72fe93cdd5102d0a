"""Reads items that take time in threads, a few before they are needed, and measures that time."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Executor
from typing import Generic, TypeVar

T = TypeVar("T")


class ReadAhead(Generic[T]):
    """Iterates asynchronously over what a function returns, called in one thread at a time.

    While there is room, the thread goes on at once: it waits for the event loop only if that is
    several items behind.
    """

    def __init__(self, read: Callable[[], T | None], executor: Executor, n_ahead: int) -> None:
        """
        Args:
            read: Returns the next item, or None after the last one. May block and raise.
            executor: Its threads call ``read``.
            n_ahead: The most items that are read and not yet taken.
        """
        self._read, self._executor, self._n_ahead = read, executor, n_ahead
        self._loop = asyncio.get_running_loop()
        self._ready: deque[T] = deque()
        self._room = threading.Semaphore(n_ahead)
        self._changed = asyncio.Event()
        self._stopped = False
        self._reading = self._start()

    async def __aiter__(self) -> AsyncGenerator[T]:
        """The items; raises what ``read`` raises, after the items before that."""
        while True:
            while self._ready:
                item = self._ready.popleft()
                self._room.release()
                if self._reading.done() and not self._has_ended:
                    self._reading = self._start()
                yield item
            if self._reading.done() and self._has_ended:
                self._reading.result()
                return
            self._changed.clear()
            await self._changed.wait()

    async def stop(self) -> None:
        """Read no more, and wait until no thread reads."""
        self._stopped = True
        # A running thread cannot be cancelled, only awaited.
        await asyncio.wait([self._reading])
        if not self._reading.cancelled():
            self._reading.exception()  # marks it as retrieved

    @property
    def _has_ended(self) -> bool:
        """Whether nothing follows what is ready; once the thread has returned."""
        failed = self._reading.cancelled() or self._reading.exception() is not None
        return self._stopped or failed or self._reading.result()

    def _start(self) -> asyncio.Future[bool]:
        reading = self._loop.run_in_executor(self._executor, self._read_some)
        reading.add_done_callback(self._go_on)
        return reading

    def _read_some(self) -> bool:
        """In a thread: read while there is room; return whether that was all."""
        while not self._stopped and self._room.acquire(blocking=False):
            item = self._read()
            if item is None:
                return True
            self._loop.call_soon_threadsafe(self._add, item)
        return False

    def _add(self, item: T) -> None:
        self._ready.append(item)
        self._changed.set()

    def _go_on(self, reading: asyncio.Future[bool]) -> None:
        """After the thread has returned: room may have come just too late for it."""
        if reading is self._reading and not self._has_ended and len(self._ready) < self._n_ahead:
            self._reading = self._start()
        self._changed.set()


class Stopwatch:
    """Measures the time that iterators take to compute, in any thread."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.ended = 0.0
        """`time.perf_counter` after the last item."""

    def next(self, items: Iterator[T]) -> T | None:
        """Return the next item, or None after the last one."""
        started = time.perf_counter()
        try:
            return next(items, None)
        finally:
            self.ended = time.perf_counter()
            self.seconds += self.ended - started
