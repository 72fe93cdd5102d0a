"""A thread that runs forwards, and how it survives errors.

An exception in an engine fails as few windows as possible. If the thread itself dies, it fails the
current batch and is replaced once; after a second death the process must be restarted. A lost
device requires a restart at once, since some CUDA errors disable it for the whole process.
"""

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.thread import BrokenThreadPool

from stt.engines.base import Engine
from stt.engines.faults import DeviceLost
from stt.engines.fitting import Fitting
from stt.engines.wants import Want
from stt.frames import AnyFrames
from stt.inference.health import Health, died, died_for_good
from stt.inference.surviving import Outcome, forward_surviving
from stt.types import Waveform

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""How often the event loop checks that the thread is alive."""


class InferenceWorker:
    """Runs batches one at a time on its own thread."""

    def __init__(
        self,
        health: Health,
        *,
        stall_seconds: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            health: Shared by all workers of the process.
            stall_seconds: A forward that runs longer counts as stuck.
            clock: Returns seconds; replaced in tests.
        """
        self._health = health
        self._stall_seconds = stall_seconds
        self._clock = clock
        self._running = False
        self._progressed = 0.0
        """Clock time when the current batch started, or its last forward ended."""
        self._thread: threading.Thread | None = None
        self._executor = self._start()

    @property
    def stall(self) -> str | None:
        """Why the forward that runs counts as stuck, or None."""
        seconds = self._clock() - self._progressed
        if self._running and seconds >= self._stall_seconds:
            return (
                f"A forward has been running for {seconds:.0f} s. If that is normal on this "
                f"machine, raise STT_STALL_SECONDS ({self._stall_seconds:g})."
            )
        return None

    async def forward(
        self,
        engine: Engine,
        waveforms: Sequence[Waveform],
        want: Want[AnyFrames],
        fitting: Fitting | None = None,
    ) -> list[Outcome]:
        """Each waveform's frames or exception: `InferenceDied` if the thread died.

        Only one call may be awaited at a time.

        Raises:
            RuntimeError: after `close`.
        """
        if self._health.dead:
            return [died_for_good() for _ in waveforms]

        def compute() -> list[Outcome]:
            return forward_surviving(
                engine, waveforms, want, fitting=fitting, progress=self._note_progress
            )

        self._progressed, self._running = self._clock(), True
        try:
            outcomes = await self._compute_alive(compute)
        finally:
            self._running = False
        if outcomes is not None:
            return outcomes
        if self._health.lost is not None:
            return [died_for_good() for _ in waveforms]
        self._health.n_deaths += 1
        self._executor.shutdown(wait=False, cancel_futures=True)
        if not self._health.dead:
            self._executor = self._start()
        return [died() for _ in waveforms]

    def close(self) -> None:
        """Start no other forward; the current one may end."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> ThreadPoolExecutor:
        self._thread = None  # it starts with the first batch
        return ThreadPoolExecutor(1, thread_name_prefix="inference", initializer=self._prepare)

    def _prepare(self) -> None:
        self._thread = threading.current_thread()

    async def _compute_alive(self, compute: Callable[[], list[Outcome]]) -> list[Outcome] | None:
        """The outcomes, or None if the thread died."""
        loop = asyncio.get_running_loop()
        try:
            coming = loop.run_in_executor(self._executor, self._compute, compute)
            while True:
                await asyncio.wait([coming], timeout=LOOK_SECONDS)
                if coming.done():
                    return coming.result()
                if self._thread is not None and not self._thread.is_alive():
                    logger.critical("the inference thread is gone")
                    return None
        except BrokenThreadPool:  # the thread did not start; the executor has logged why
            return None

    def _compute(self, compute: Callable[[], list[Outcome]]) -> list[Outcome] | None:
        """Runs in the thread. Returns None for what would end the event loop if raised there."""
        try:
            return compute()
        except DeviceLost as error:
            logger.critical("the device is lost, restart the process: %s", error, exc_info=True)
            self._health.lost = str(error)
            return None
        except BaseException:
            logger.critical("the inference thread died", exc_info=True)
            return None

    def _note_progress(self) -> None:
        self._progressed = self._clock()
