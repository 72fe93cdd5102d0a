"""The workers that decode, for the whole service."""

import logging
import sys
import threading
from collections.abc import Callable
from typing import BinaryIO

from stt.audio.processes import Template, Worker, as_descriptor
from stt.audio.reading import Blocks, read_audio
from stt.errors import Overloaded
from stt.settings import Settings
from stt.types import Waveform

logger = logging.getLogger(__name__)

AVAILABLE = sys.platform == "linux"
"""Elsewhere recordings are decoded in this process: what workers are made of (memfd, descriptors
through sockets, death with the parent) is Linux's."""


class ReaderPool:
    """Workers that decode; may be used from any thread.

    A recording has a worker to itself from its first block to its last, so that a long one does
    not make others wait. Workers are started as they are needed, and ``decode_threads`` of them
    are kept when they are not.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        target: str = "stt.audio.reading:read_audio",
        recordings_per_worker: int = 1000,
    ) -> None:
        """
        Args:
            settings: How many workers, and how long they may take.
            target: ``MODULE:FUNCTION``, a `stt.audio.reading.ReadAudio`; tests put one here that
                misbehaves.
            recordings_per_worker: Then a new one takes over, whatever the decoders have leaked.
        """
        self._recordings_per_worker = recordings_per_worker
        # One for each request, and for as many that were given up and take a while to end.
        self._max_open = 2 * settings.max_queue_requests
        self._max_idle = settings.decode_threads
        self._timeout_seconds = settings.decode_timeout_seconds
        self._target = target
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._n_open = 0
        self._closed = False
        self._starting = threading.Lock()
        self._template: Template | None = None

    def start(self) -> None:
        """Begin to import the decoders, in the template; returns at once."""
        if AVAILABLE and self._template is None:
            self._template = Template(self._target)

    def read(self, source: BinaryIO, *, max_seconds: float) -> Blocks:
        """`stt.audio.reading.read_audio`, in a worker.

        A caller that stops early closes it, which ends the worker at once, whatever it is doing and
        whichever thread waits for it.

        Raises:
            DecodeFailed: the worker died, or sent nothing for ``decode_timeout_seconds`` while
                this waited for the next block.
            Overloaded: twice ``max_queue_requests`` recordings are open.
            AudioError: as `stt.audio.reading.read_audio`.
        """
        if not AVAILABLE:
            return read_audio(source, max_seconds=max_seconds)
        return _Recording(self.take, self.put_back, source, max_seconds)

    def close(self) -> None:
        """End all workers; what they are decoding fails."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()
        # Not under the lock: who has it may be waiting for the template.
        if template := self._template:
            template.close()

    def take(self) -> Worker:
        """A worker that is free; errors are those of `read`."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the pool is closed")
            if self._n_open >= self._max_open:
                raise Overloaded(
                    f"{self._n_open} recordings are being decoded, the limit here. Try again a "
                    "little later.",
                    retry_after_seconds=5.0,
                )
            self._n_open += 1
            worker = self._idle.pop() if self._idle else None
        if worker and not worker.has_died():
            return worker
        try:
            if worker:
                worker.end()
            return self._start_worker()
        except BaseException:
            with self._lock:
                self._n_open -= 1
            raise

    def _start_worker(self) -> Worker:
        with self._starting:
            for _ in range(2):  # should the template have been killed, a new one is started
                template = self._template = self._template or Template(self._target)
                if self._closed:
                    template.close()
                    break
                try:
                    return template.fork(self._timeout_seconds)
                except OSError:
                    logger.warning("the template of the decode workers has died", exc_info=True)
                    template.close()
                    self._template = None
        raise RuntimeError("no process for decoding can be started")

    def put_back(self, worker: Worker) -> None:
        """What `take` gave; it is kept for another recording if it is free."""
        with self._lock:
            self._n_open -= 1
            keep = worker.is_free and not self._closed and len(self._idle) < self._max_idle
            if keep and worker.n_recordings < self._recordings_per_worker:
                self._idle.append(worker)
                return
        worker.end()


class _Recording:
    """The blocks of one recording: asked for by one thread at a time, closed by any."""

    def __init__(
        self,
        take: Callable[[], Worker],
        put_back: Callable[[Worker], None],
        source: BinaryIO,
        max_seconds: float,
    ) -> None:
        self._take, self._put_back = take, put_back
        self._source, self._max_seconds = source, max_seconds
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._waiting = False
        """Whether a thread waits for a block; then the worker is its to put back."""
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

    def close(self) -> None:
        """Read no further; a worker that decodes is ended, and a thread that waits for it wakes."""
        with self._lock:
            self._closed = True
            if self._waiting:
                if self._worker is not None:
                    self._worker.give_up()
                return
        self._end()

    def _begin(self) -> Worker | None:
        """Hand the source to a worker; None if it was closed meanwhile."""
        worker = self._take()
        with self._lock:
            self._worker = worker
            if self._closed:
                return None
        with as_descriptor(self._source) as descriptor:
            worker.begin(descriptor, self._max_seconds)
        return worker

    def _end(self) -> None:
        with self._lock:
            worker, self._worker = self._worker, None
        if worker is not None:
            self._put_back(worker)
