"""The pool of reader processes that the service uses."""

import logging
import sys
import threading
import time
from typing import BinaryIO

from stt.audio.processes import ANSWER_SECONDS, Template, Worker, as_descriptor
from stt.audio.reading import Blocks, read_audio
from stt.audio.worker import MEMORY_BYTES
from stt.errors import Overloaded
from stt.notices import Report
from stt.settings import Settings
from stt.types import Waveform

logger = logging.getLogger(__name__)

AVAILABLE = sys.platform == "linux"
"""Workers need memfd, descriptors over sockets and death with the parent, which only Linux has.
Elsewhere recordings are read in this process."""
PATIENCE_SECONDS = 1.0
"""After this, a recording that waits for memory counts only what others use, not their limits."""


class ReaderPool:
    """Reads recordings in worker processes; thread-safe.

    Each recording has a worker to itself, so that a long one never delays others. Workers start on
    demand, and up to ``decode_threads`` of them stay while idle.

    All workers share ``decode_memory_mb``. What a worker will need shows while it opens a file, so
    until its first block it counts with its limit, and after that with what it has allocated.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        target: str = "stt.audio.reading:read_audio",
        recordings_per_worker: int = 1000,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        """
        Args:
            settings: The number of workers, and their timeout.
            target: ``MODULE:FUNCTION`` of a `stt.audio.reading.ReadAudio`; tests pass a faulty one.
            recordings_per_worker: A worker is replaced after so many, in case decoders leak memory.
            answer_seconds: A template that does not answer for so long is replaced.
        """
        self._recordings_per_worker = recordings_per_worker
        # One for each request, and as many again for abandoned ones that are still ending.
        self._max_open = 2 * settings.max_queue_requests
        self._max_idle = settings.decode_threads
        self._timeout_seconds = settings.decode_timeout_seconds
        self._target, self._answer_seconds = target, answer_seconds
        self._max_bytes = settings.decode_memory_mb * 1e6
        self._lock = threading.Lock()
        self._less_used = threading.Condition(self._lock)
        self._idle: list[Worker] = []
        self._reading: set[Worker] = set()
        """Workers that have sent a block of the recording that they have."""
        self._open: set[Worker] = set()
        self._n_open = 0
        """Those in `_open`, and those that are starting."""
        self._last_patient = 0.0
        self._closed = False
        self._starting = threading.Lock()
        self._template: Template | None = None

    def start(self) -> None:
        """Start the template, which imports the decoders; returns at once."""
        if AVAILABLE and self._template is None:
            self._template = self._new_template()

    def read(
        self,
        source: BinaryIO,
        *,
        max_seconds: float,
        track: int | None = None,
        split: bool = False,
    ) -> Blocks:
        """Run `stt.audio.reading.read_audio` in a worker.

        Callers that stop early must close the blocks. Any thread may do so: it ends the worker at
        once, and wakes a thread that waits for a block.

        Raises:
            DecodeFailed: the worker died, or took over ``decode_timeout_seconds`` for a block.
            Overloaded: twice ``max_queue_requests`` recordings are open, or they use all memory
                that they may.
            AudioError: as `stt.audio.reading.read_audio`.
        """
        if not AVAILABLE:
            return read_audio(source, max_seconds=max_seconds, track=track, split=split)
        return _Recording(self, source, max_seconds, track, split=split)

    def close(self) -> None:
        """End all workers; recordings that are still open fail."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()
        # Without the lock: its holder may be waiting for the template.
        if template := self._template:
            template.close()

    def take(self) -> Worker:
        """Return an idle or new worker; raises the errors of `read`."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the pool is closed")
            if self._n_open >= self._max_open:
                raise Overloaded(
                    f"{self._n_open} recordings are being read, which is the limit. Try again "
                    "later.",
                    retry_after_seconds=5.0,
                )
            self._wait_for_memory()
            self._n_open += 1
            worker = self._idle.pop() if self._idle else None
        try:
            if worker and worker.has_died():
                worker.end()
                worker = None
            worker = worker or self._start_worker()
            with self._lock:
                self._open.add(worker)
            return worker
        except BaseException:
            with self._lock:
                self._n_open -= 1
                self._less_used.notify_all()
            raise

    def _wait_for_memory(self) -> None:
        started = time.monotonic()
        while (self._n_open + 1) * MEMORY_BYTES > self._max_bytes:  # else there is no need to look
            now = time.monotonic()
            if self._has_memory(patient=now - started > PATIENCE_SECONDS):
                return
            if self._closed:
                raise RuntimeError("the pool is closed")
            if now - started > self._timeout_seconds:
                raise Overloaded(
                    "The recordings that are being read use all the memory that they may. Try "
                    "again later.",
                    retry_after_seconds=5.0,
                )
            self._less_used.wait(0.1)

    def _has_memory(self, *, patient: bool) -> bool:
        """Whether another worker may start.

        Args:
            patient: Count workers that still open a file with what they use, not with their limit,
                so that slow ones keep nobody waiting; then workers start one at a time.
        """
        now = time.monotonic()
        patient = patient and now - self._last_patient > PATIENCE_SECONDS / 10
        counted = self._open if patient else self._reading
        opening = 0 if patient else self._n_open - len(self._reading)
        used = sum(worker.allocated_bytes() for worker in counted)
        if used + (opening + 1) * MEMORY_BYTES > self._max_bytes:
            return False
        if patient:
            self._last_patient = now
        return True

    def has_opened(self, worker: Worker) -> None:
        """Note that a worker from `take` has sent its first block."""
        with self._lock:
            self._reading.add(worker)
            self._less_used.notify_all()

    def _new_template(self) -> Template:
        return Template(self._target, self._answer_seconds)

    def _start_worker(self) -> Worker:
        with self._starting:
            for _ in range(2):  # the second time if the template was killed or stopped
                template = self._template = self._template or self._new_template()
                if self._closed:
                    template.close()
                    break
                try:
                    return template.fork(self._timeout_seconds)
                except OSError:
                    logger.warning(
                        "the template of the reader processes died or is stuck; starting another",
                        exc_info=True,
                    )
                    template.close()
                    self._template = None
        raise RuntimeError("cannot start a reader process")

    def put_back(self, worker: Worker) -> None:
        """Return a worker from `take`; it is kept for the next recording, or ended."""
        with self._lock:
            self._n_open -= 1
            self._open.discard(worker)
            self._reading.discard(worker)
            self._less_used.notify_all()
            keep = worker.is_free and not self._closed and len(self._idle) < self._max_idle
            if keep and worker.n_recordings < self._recordings_per_worker:
                self._idle.append(worker)
                return
        worker.end()


class _Recording:
    """The blocks of one recording: read by one thread at a time, closed by any thread."""

    def __init__(
        self,
        pool: ReaderPool,
        source: BinaryIO,
        max_seconds: float,
        track: int | None,
        *,
        split: bool,
    ) -> None:
        self._pool, self._source = pool, source
        self._max_seconds, self._track, self._split = max_seconds, track, split
        self.report = Report()
        self.expected_seconds = 0.0
        """See `stt.audio.reading.Blocks`."""
        self._has_block = False
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._waiting = False
        """Whether a thread waits for a block; that thread then puts the worker back."""
        self._closed = False

    def __iter__(self) -> "_Recording":
        return self

    def __next__(self) -> Waveform:
        with self._lock:
            if self._closed:
                raise StopIteration
            self._waiting = True
        block = None
        try:
            worker = self._worker or self._begin()
            block = None if worker is None else worker.receive()
            if worker is not None:
                self._note(worker, block)
        finally:
            with self._lock:
                self._waiting = False
                self._closed |= block is None
                done = self._closed
            if done:
                self._end()
        if block is None:
            raise StopIteration
        return block

    def _note(self, worker: Worker, block: Waveform | None) -> None:
        self.expected_seconds = worker.expected_seconds
        if block is None:
            self.report = worker.report
        elif not self._has_block:
            self._has_block = True
            self._pool.has_opened(worker)

    def close(self) -> None:
        """Stop reading: ends a busy worker, and wakes a thread that waits for it."""
        with self._lock:
            self._closed = True
            if self._waiting:
                if self._worker is not None:
                    self._worker.give_up()
                return
        self._end()

    def _begin(self) -> Worker | None:
        """Hand the source to a worker; returns None if it was closed meanwhile."""
        worker = self._pool.take()
        with self._lock:
            self._worker = worker
            if self._closed:
                return None
        with as_descriptor(self._source) as descriptor:
            worker.begin(descriptor, self._max_seconds, self._track, split=self._split)
        return worker

    def _end(self) -> None:
        with self._lock:
            worker, self._worker = self._worker, None
        if worker is not None:
            self._pool.put_back(worker)
