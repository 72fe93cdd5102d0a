"""Batches the windows of all requests for one inference thread.

One forward uses all cores, or all of a GPU, so concurrent forwards would only slow each other down.
The next batch gathers while the current one runs; no window waits for a batch to fill.
"""

import asyncio
import logging
import math
import time
from collections import Counter, deque
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any

from stt.engines.base import Engine
from stt.engines.wants import F, Want
from stt.errors import InferenceFailed, QueueTimeout, SttError
from stt.frames import AnyFrames
from stt.inference.fairness import Lanes, current_client, is_live, refuse_when_full
from stt.inference.observer import NoObserver, Observer, Stage
from stt.inference.scheduler import seconds_until_room
from stt.inference.worker import InferenceWorker
from stt.settings import Settings
from stt.types import SAMPLE_RATE, Waveform

logger = logging.getLogger(__name__)


@dataclass(eq=False, frozen=True)
class _Entry:
    """A queued window and its caller's future."""

    engine: Engine
    waveform: Waveform
    want: Want[AnyFrames]
    future: asyncio.Future[Any]
    client: str
    timing: "_Timing" = field(default_factory=lambda: _Timing(time.perf_counter()))

    def fits(self, other: "_Entry") -> bool:
        """Whether both may share a batch; live windows do not take part in one of files."""
        same_lane = is_live(self.client) == is_live(other.client)
        return self.engine is other.engine and self.want == other.want and same_lane

    def fail(self, error: Exception) -> None:
        """Pass the error to the caller, unless it has gone."""
        if self.future.done():
            return
        if not isinstance(error, SttError):
            cause, error = error, InferenceFailed("The model failed on this recording.")
            error.__cause__ = cause
        self.future.set_exception(error)


@dataclass
class _Timing:
    """One window's times, in ``time.perf_counter`` seconds."""

    queued: float
    started: float | None = None
    ended: float | None = None


class Batcher:
    """A `stt.inference.scheduler.Scheduler` that runs forwards on its own thread.

    `submit` may be awaited concurrently.
    """

    def __init__(
        self,
        *,
        batch_seconds: float | None = None,
        max_queue_seconds: float | None = None,
        queue_timeout_seconds: float = math.inf,
        stall_seconds: float = math.inf,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            batch_seconds: Largest batch, in seconds of padded audio (longest x rows); None: the
                engine's limit.
            max_queue_seconds: Seconds of audio that may wait before new recordings are refused;
                None: the engine's limit.
            queue_timeout_seconds: Longest time that a window waits.
            stall_seconds: A forward that runs longer counts as stuck.
            observer: Receives the times that windows wait and batches take.
            clock: Returns seconds; replaced in tests.
        """
        self._observer = observer or NoObserver()
        self._batch_seconds = batch_seconds
        self._max_queue_seconds = max_queue_seconds
        self._queue_timeout_seconds = queue_timeout_seconds
        self._queue: deque[_Entry] = deque()
        self._turns = Lanes()
        self._consumer: asyncio.Task[None] | None = None
        self._rtfx = 1.0
        """Audio seconds per second of forward, as a moving average."""
        self._worker = InferenceWorker(stall_seconds=stall_seconds, clock=clock)

    @classmethod
    def of(cls, settings: Settings, observer: Observer | None = None) -> "Batcher":
        """Create one from the settings."""
        return cls(
            batch_seconds=settings.batch_seconds,
            max_queue_seconds=settings.max_queue_seconds,
            queue_timeout_seconds=settings.queue_timeout_seconds,
            stall_seconds=settings.stall_seconds,
            observer=observer,
        )

    @property
    def fault(self) -> str | None:
        """See `stt.inference.scheduler.Scheduler`."""
        return self._worker.fault

    @property
    def n_queued(self) -> int:
        """Windows in the queue whose callers still wait."""
        return sum(not entry.future.done() for entry in self._queue)

    @property
    def queued_seconds(self) -> float:
        """Seconds of audio in the queue, without the batch that runs."""
        waiting = (entry.waveform for entry in self._queue if not entry.future.done())
        return sum(map(len, waiting)) / SAMPLE_RATE

    @property
    def rtfx(self) -> float:
        """Audio seconds per second of forward, as a moving average."""
        return self._rtfx

    @property
    def retry_after_seconds(self) -> float:
        """See `stt.inference.scheduler.Scheduler`."""
        return seconds_until_room(self.queued_seconds, self._rtfx)

    def check_room(self) -> None:
        """See `stt.inference.scheduler.Scheduler`."""
        self._worker.check()
        if not self._queue:
            return
        limit = self._max_queue_seconds or self._queue[0].engine.limits.max_queue_seconds
        queued: Counter[str] = Counter()
        for entry in self._queue:
            if not entry.future.done():
                queued[entry.client] += len(entry.waveform)
        seconds = {client: samples / SAMPLE_RATE for client, samples in queued.items()}
        refuse_when_full(seconds, limit, self.retry_after_seconds)

    async def submit(self, engine: Engine, waveform: Waveform, want: Want[F]) -> F:
        """See `stt.inference.scheduler.Scheduler`."""
        self._worker.check()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[F] = loop.create_future()
        entry = _Entry(engine, waveform, want, future, current_client.get())
        self._queue.append(entry)
        if self._consumer is None or self._consumer.done():
            # In an empty context, as it works for all requests.
            self._consumer = asyncio.create_task(self._consume(), context=Context())
        patience = None
        if math.isfinite(self._queue_timeout_seconds):
            patience = loop.call_later(self._queue_timeout_seconds, self._give_up, entry)
        try:
            return await future
        finally:
            if patience is not None:
                patience.cancel()
            self._report(entry.timing)

    def close(self) -> None:
        """Start no other forward; the current one may end."""
        self._worker.close()

    def _give_up(self, entry: _Entry) -> None:
        """Time a window out, unless it is being computed."""
        if entry.timing.started is None and not entry.future.done():
            failure = QueueTimeout(
                f"The recording waited for the model longer than the limit of "
                f"{self._queue_timeout_seconds:g} s. Try again later.",
                retry_after_seconds=self.retry_after_seconds,
            )
            entry.future.set_exception(failure)

    def _report(self, timing: _Timing) -> None:
        """Report how long a window waited and was computed, in the context of its request."""
        started, ended = timing.started, timing.ended
        if started is not None:
            waited = started - timing.queued
            self._observer.stage(Stage.QUEUE, timing.queued, started, waited)
            if ended is not None:
                self._observer.stage(Stage.FORWARD, started, ended, ended - started)

    async def _consume(self) -> None:
        """Compute batches until the queue is empty, and settle every future on any failure."""
        while batch := self._next_batch():
            try:
                await self._compute(batch)
            except Exception as error:
                logger.exception("a batch of %d failed", len(batch))
                for entry in batch:
                    entry.fail(error)
            finally:
                for entry in batch:  # a no-op unless this task was cancelled
                    entry.future.cancel()

    async def _compute(self, batch: list[_Entry]) -> None:
        """Give each entry of a batch its frames or its error."""
        started = time.perf_counter()
        for entry in batch:
            entry.timing.started = started
        waveforms = [entry.waveform for entry in batch]
        outcomes = await self._worker.forward(batch[0].engine, waveforms, batch[0].want)
        ended = time.perf_counter()
        seconds = sum(map(len, waveforms)) / SAMPLE_RATE
        speed = seconds / max(1e-6, ended - started)
        self._rtfx += 0.2 * (speed - self._rtfx)
        for entry, outcome in zip(batch, outcomes, strict=True):
            entry.timing.ended = ended
            if isinstance(outcome, Exception):
                entry.fail(outcome)
            elif not entry.future.done():  # the caller still waits
                entry.future.set_result(outcome)
        self._observer.batch(len(batch), ended - started)

    def _next_batch(self) -> list[_Entry]:
        """The oldest entry of the client whose turn it is, and the entries closest to it in length.

        As many as the budget allows: rows are padded to the longest, so a batch costs its longest
        row times its rows.
        """
        self._queue = deque(entry for entry in self._queue if not entry.future.done())
        if not self._queue:
            return []
        client = self._turns.next(entry.client for entry in self._queue)
        head = next(entry for entry in self._queue if entry.client == client)
        candidates = sorted(
            (entry for entry in self._queue if head.fits(entry) and entry is not head),
            key=lambda entry: abs(len(entry.waveform) - len(head.waveform)),
        )
        batch, longest = [head], len(head.waveform)
        capacity = self._batch_seconds or head.engine.limits.batch_seconds
        for entry in candidates:
            longest_with = max(longest, len(entry.waveform))
            if longest_with * (len(batch) + 1) > capacity * SAMPLE_RATE:
                break
            batch.append(entry)
            longest = longest_with
        for entry in batch:
            self._turns.charge(entry.client, len(entry.waveform))
        taken = set(batch)
        self._queue = deque(entry for entry in self._queue if entry not in taken)
        return batch
