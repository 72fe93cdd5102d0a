"""Batches the windows of all requests for one device.

One forward uses all cores, or all of a GPU, so concurrent forwards would only slow each other down.
The next batch gathers while the current one runs; no window waits for a batch to fill. A GPU gets
the next batch just before it has computed the current one, so that it never waits.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from contextvars import Context
from weakref import WeakKeyDictionary

from stt.engines.base import Engine
from stt.engines.fitting import Fitting
from stt.engines.limits import GPU
from stt.engines.wants import F, Want
from stt.errors import QueueTimeout
from stt.inference.fairness import current_client, refuse_when_full
from stt.inference.health import Health
from stt.inference.observer import NoObserver, Observer, Stage
from stt.inference.pace import Flight, Pace
from stt.inference.queue import Entry, Queue, Timing
from stt.inference.scheduler import seconds_until_room
from stt.inference.worker import InferenceWorker
from stt.settings import Settings
from stt.types import SAMPLE_RATE, Waveform

logger = logging.getLogger(__name__)

MOST_IN_FLIGHT = GPU.batches_in_flight


class Batcher:
    """A `stt.inference.scheduler.Scheduler` that runs forwards on threads of its own.

    One thread for each batch in flight: one on a CPU, two on a GPU. `submit` may be awaited
    concurrently.
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
        pace: Pace | None = None,
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
            pace: Says when the next batch is due; replaced in tests.
        """
        self._observer = observer or NoObserver()
        self._batch_seconds = batch_seconds
        self._max_queue_seconds = max_queue_seconds
        self._queue_timeout_seconds = queue_timeout_seconds
        self._queue = Queue()
        self._rtfx = 1.0
        """Audio seconds per second of forward, as a moving average."""
        self._health = Health()
        self._pace = pace or Pace()
        self._fittings: WeakKeyDictionary[Engine, Fitting] = WeakKeyDictionary()
        self._workers = [
            InferenceWorker(self._health, stall_seconds=stall_seconds, clock=clock)
            for _ in range(MOST_IN_FLIGHT)
        ]
        self._idle = list(self._workers)
        self._running: dict[Flight, Engine] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._coming: asyncio.Handle | None = None
        """The next look at the queue, while batches or windows make one necessary."""

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
        stalls = (worker.stall for worker in self._workers)
        return self._health.fault or next(filter(None, stalls), None)

    @property
    def n_queued(self) -> int:
        """Windows in the queue whose callers still wait."""
        return len(self._queue.waiting)

    @property
    def queued_seconds(self) -> float:
        """Seconds of audio in the queue, without the batches that run."""
        return self._queue.seconds

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
        self._health.check()
        waiting = self._queue.waiting
        if waiting:
            limit = self._max_queue_seconds or waiting[0].engine.limits.max_queue_seconds
            refuse_when_full(self._queue.seconds_by_client, limit, self.retry_after_seconds)

    async def submit(self, engine: Engine, waveform: Waveform, want: Want[F]) -> F:
        """See `stt.inference.scheduler.Scheduler`."""
        self._health.check()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[F] = loop.create_future()
        entry = Entry(engine, waveform, want, future, current_client.get())
        self._queue.append(entry)
        if self._coming is None and self._has_room():
            # Whatever else is submitted in this turn of the event loop shares the batch.
            self._coming = loop.call_soon(self._advance, context=Context())
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
        """Start no other forward; the current ones may end."""
        for worker in self._workers:
            worker.close()

    def _give_up(self, entry: Entry) -> None:
        """Time a window out, unless it is being computed."""
        if entry.timing.started is None and not entry.future.done():
            failure = QueueTimeout(
                f"The recording waited for the model longer than the limit of "
                f"{self._queue_timeout_seconds:g} s. Try again later.",
                retry_after_seconds=self.retry_after_seconds,
            )
            entry.future.set_exception(failure)

    def _report(self, timing: Timing) -> None:
        """Report how long a window waited and was computed, in the context of its request."""
        started, ended = timing.started, timing.ended
        if started is not None:
            waited = started - timing.queued
            self._observer.stage(Stage.QUEUE, timing.queued, started, waited)
            if ended is not None:
                self._observer.stage(Stage.FORWARD, started, ended, ended - started)

    def _has_room(self) -> bool:
        """Whether another batch may be launched beside those that run."""
        limits = (engine.limits.batches_in_flight for engine in self._running.values())
        return len(self._running) < min([MOST_IN_FLIGHT, *limits])

    def _advance(self) -> None:
        """Launch the batches that are due. In an empty context, as it works for all requests."""
        self._coming = None
        while self._has_room() and self._queue.waiting:
            pause = self._pace.seconds_until_next()
            if pause > 0:
                loop = asyncio.get_running_loop()
                self._coming = loop.call_later(pause, self._advance)
                return
            head = self._queue.choose_head()
            if head is None:
                return
            batch = self._queue.take(head, self._capacity(head.engine))
            longest = max(len(entry.waveform) for entry in batch)
            padded_seconds = longest * len(batch) / SAMPLE_RATE
            flight = self._pace.began(id(head.engine), padded_seconds)
            self._running[flight] = head.engine
            task = asyncio.create_task(self._run(batch, flight, self._idle.pop()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _capacity(self, engine: Engine) -> float:
        """Padded samples of a batch."""
        seconds = self._batch_seconds or engine.limits.batch_seconds
        return min(seconds * SAMPLE_RATE, self._fitting(engine).most)

    def _fitting(self, engine: Engine) -> Fitting:
        return self._fittings.setdefault(engine, Fitting())

    async def _run(self, batch: list[Entry], flight: Flight, worker: InferenceWorker) -> None:
        """Compute a batch, settle every future on any failure, and go on."""
        try:
            await self._compute(batch, flight, worker)
        except Exception as error:
            logger.exception("a batch of %d failed", len(batch))
            for entry in batch:
                entry.fail(error)
        finally:
            for entry in batch:  # a no-op unless this task was cancelled
                entry.future.cancel()
            del self._running[flight]
            self._idle.append(worker)
        if self._coming is not None:
            self._coming.cancel()
        self._advance()

    async def _compute(self, batch: list[Entry], flight: Flight, worker: InferenceWorker) -> None:
        """Give each entry of a batch its frames or its error."""
        engine, started = batch[0].engine, time.perf_counter()
        for entry in batch:
            entry.timing.started = started
        waveforms = [entry.waveform for entry in batch]
        try:
            outcomes = await worker.forward(engine, waveforms, batch[0].want, self._fitting(engine))
        finally:
            busy_seconds = self._pace.ended(flight)
        ended = time.perf_counter()
        speed = sum(map(len, waveforms)) / SAMPLE_RATE / max(1e-6, busy_seconds)
        self._rtfx += 0.2 * (speed - self._rtfx)
        for entry, outcome in zip(batch, outcomes, strict=True):
            entry.timing.ended = ended
            if isinstance(outcome, Exception):
                entry.fail(outcome)
            elif not entry.future.done():  # the caller still waits
                entry.future.set_result(outcome)
        self._observer.batch(len(batch), busy_seconds)
