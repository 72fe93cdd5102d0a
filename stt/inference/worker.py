"""The one thread that runs forwards: what it survives, and how its end is noticed.

What an engine raises costs as few windows as can be. What ends the thread costs the batch that was
computed, once; after the second time somebody has to start the process anew, and is told so. The
same is said at once where the device is lost: after some of its errors nothing works there any more
in the same process.
"""

import asyncio
import logging
import math
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.thread import BrokenThreadPool
from typing import TypeAlias

import numpy as np

from stt.engines.base import Engine
from stt.errors import InferenceDied, OutOfMemory
from stt.types import Frames, Waveform

logger = logging.getLogger(__name__)

Outcome: TypeAlias = Frames | Exception

MAX_DEATHS = 2
"""The first is an accident; the second says that it would go on like this."""
LOOK_SECONDS = 0.5
"""How often somebody looks whether a thread that computes is still there."""


class DeviceLost(Exception):
    """The device computes nothing any more for this process."""


class InferenceWorker:
    """Runs batches, one at a time, on a thread of its own."""

    def __init__(
        self,
        *,
        stall_seconds: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            stall_seconds: A forward that runs longer is taken for stuck.
            clock: Seconds, for tests.
        """
        self._stall_seconds = stall_seconds
        self._clock = clock
        self._running = False
        self._progressed = 0.0
        """When the batch that runs was begun, or a forward of it last ended; the clock's."""
        self._n_deaths = 0
        self._lost: str | None = None
        """What the device said when it was lost."""
        self._thread: threading.Thread | None = None
        self._executor = self._start()

    @property
    def dead(self) -> bool:
        """Nothing can be computed any more."""
        return self._n_deaths >= MAX_DEATHS or self._lost is not None

    @property
    def fault(self) -> str | None:
        """Why the process should be started anew; None while all is well, or nothing to do."""
        if self._lost is not None:
            return f"The device computes nothing any more for this process: {self._lost}"
        if self.dead:
            return f"The inference thread has died {self._n_deaths} times."
        seconds = self._clock() - self._progressed
        if self._running and seconds >= self._stall_seconds:
            return (
                f"A forward has been running for {seconds:.0f} s. If that can be on this machine, "
                f"raise STT_STALL_SECONDS ({self._stall_seconds:g})."
            )
        return None

    def check(self) -> None:
        """Ask before anything is begun.

        Raises:
            InferenceDied: for good.
        """
        if self.dead:
            raise _died_for_good()

    async def forward(self, engine: Engine, waveforms: Sequence[Waveform]) -> list[Outcome]:
        """Each waveform's frames, or what was raised for it; to be awaited by one at a time.

        Where the thread ended, now or before, that is `InferenceDied`.

        Raises:
            RuntimeError: after `close`.
        """
        if self.dead:
            return [_died_for_good() for _ in waveforms]
        self._progressed, self._running = self._clock(), True
        try:
            outcomes = await self._compute_alive(engine, waveforms)
        finally:
            self._running = False
        if outcomes is not None:
            return outcomes
        if self._lost is not None:
            return [_died_for_good() for _ in waveforms]
        self._n_deaths += 1
        self._executor.shutdown(wait=False, cancel_futures=True)
        if not self.dead:
            self._executor = self._start()
        return [_died() for _ in waveforms]

    def close(self) -> None:
        """Let the forward that runs end; start no other."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> ThreadPoolExecutor:
        self._thread = None  # it begins with the first batch
        return ThreadPoolExecutor(1, thread_name_prefix="inference", initializer=self._prepare)

    def _prepare(self) -> None:
        self._thread = threading.current_thread()

    async def _compute_alive(
        self, engine: Engine, waveforms: Sequence[Waveform]
    ) -> list[Outcome] | None:
        """The outcomes; None if the thread ended."""
        loop = asyncio.get_running_loop()
        try:
            coming = loop.run_in_executor(self._executor, self._compute, engine, waveforms)
            while True:
                await asyncio.wait([coming], timeout=LOOK_SECONDS)
                if coming.done():
                    return coming.result()
                if self._thread is not None and not self._thread.is_alive():
                    logger.critical("the inference thread is gone")
                    return None
        except BrokenThreadPool:  # it could not even begin; the executor has logged why
            return None

    def _compute(self, engine: Engine, waveforms: Sequence[Waveform]) -> list[Outcome] | None:
        """In the thread. None instead of raising what would end the event loop with the thread."""
        try:
            return forward_surviving(engine, waveforms, progress=self._note_progress)
        except DeviceLost as error:
            logger.critical("the device is lost, start the process anew: %s", error, exc_info=True)
            self._lost = str(error)
            return None
        except BaseException:
            logger.critical("the inference thread died", exc_info=True)
            return None

    def _note_progress(self) -> None:
        self._progressed = self._clock()


def _died() -> InferenceDied:
    return InferenceDied(
        "The thread that computes ended while it had this recording. Send it again.",
        retry_after_seconds=1.0,
    )


def _died_for_good() -> InferenceDied:
    return InferenceDied(
        "The service cannot compute any more and has to be started anew. Try again once that is "
        "done.",
        retry_after_seconds=10.0,
    )


def free_memory() -> None:
    """Give back to the device what its allocator keeps for later."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def forward_surviving(
    engine: Engine,
    waveforms: Sequence[Waveform],
    *,
    progress: Callable[[], None] = lambda: None,
    free_memory: Callable[[], None] = free_memory,
) -> list[Outcome]:
    """A batch's frames; if it fails as a whole, each row's own, or what that row raised.

    One window that the model cannot take costs only its own request. Where the memory does not
    suffice the batch is halved, as often as it takes.

    Args:
        engine: The model.
        waveforms: A batch of them.
        progress: Called after each forward.
        free_memory: Called between a forward that ran out of memory and the next.

    Raises:
        DeviceLost: there is no use in trying anything again.
    """

    def again(waveforms: Sequence[Waveform]) -> list[Outcome]:
        return forward_surviving(engine, waveforms, progress=progress, free_memory=free_memory)

    n = len(waveforms)
    results = _try_forward(engine, waveforms)
    progress()
    if not isinstance(results, Exception):
        return results
    # Outside the except block, and with the frames of the traceback cleared: either would keep
    # the forward's tensors, and there would be nothing to free.
    if is_device_lost(results):
        raise DeviceLost(str(results).partition("\n")[0]) from results
    if is_out_of_memory(results):
        free_memory()
        if n == 1:
            failure = OutOfMemory(
                "There is too little memory for this recording, even alone. Try again when there "
                "is less to do; whoever runs the service can lower STT_WINDOW_SECONDS."
            )
            failure.__cause__ = results
            return [failure]
        logger.warning("out of memory with a batch of %d, trying halves: %s", n, results)
        return again(waveforms[: n // 2]) + again(waveforms[n // 2 :])
    if n == 1:
        return [results]
    logger.warning("a batch of %d failed, trying each alone", n, exc_info=results)
    return [again([waveform])[0] for waveform in waveforms]


def _try_forward(engine: Engine, waveforms: Sequence[Waveform]) -> list[Outcome] | Exception:
    """What the engine gives, row by row what cannot be true replaced; or what it raises."""
    try:
        results = engine.forward(waveforms)
        if len(results) != len(waveforms):
            raise ValueError(f"{len(waveforms)} waveforms gave {len(results)} results")
        return [
            _checked(frames, engine.grid.n_frames(len(waveform)))
            for frames, waveform in zip(results, waveforms, strict=True)
        ]
    except Exception as error:
        link: BaseException | None = error
        while link is not None:
            traceback.clear_frames(link.__traceback__)
            link = link.__cause__ or link.__context__
        return error


def _checked(frames: Frames, n_frames: int) -> Outcome:
    if len(frames) != n_frames:
        return ValueError(f"{n_frames} frames were due, {len(frames)} came")
    if not np.isfinite(frames.log_posteriors).all():
        return FloatingPointError("the model's output is not finite")
    return frames


def is_out_of_memory(error: Exception) -> bool:
    """Whether less at a time may help.

    torch has a class for CUDA's allocator only; others say it in words: its CPU allocator, cuBLAS
    and cuDNN, CUDA itself, OpenVINO.
    """
    if isinstance(error, MemoryError):
        return True
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(error, torch.OutOfMemoryError):
        return True
    words = str(error).lower()
    return isinstance(error, RuntimeError) and any(
        sign in words
        for sign in ("out of memory", "can't allocate memory", "bad_alloc", "alloc_failed")
    )


LOST = (
    "device-side assert",
    "illegal memory access",
    "illegal instruction",
    "misaligned address",
    "invalid program counter",
    "operation not supported on global/shared address space",
    "hardware stack error",
    "unspecified launch failure",
    "launch timed out",
    "uncorrectable ecc error",
    "uncorrectable nvlink error",
)
"""CUDA's words for those of its errors that "leave the process in an inconsistent state", as
https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html says."""


def is_device_lost(error: Exception) -> bool:
    """Whether every later call to the device will fail, too, whatever it is asked to do."""
    words = str(error).lower()
    on_device = "cuda error" in words or "hip error" in words
    return isinstance(error, RuntimeError) and on_device and any(sign in words for sign in LOST)
