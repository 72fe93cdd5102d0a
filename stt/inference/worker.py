"""The thread that runs forwards, and how it survives errors.

An exception in an engine fails as few windows as possible. If the thread itself dies, it fails the
current batch and is replaced once; after a second death the process must be restarted. A lost
device requires a restart at once, since some CUDA errors disable it for the whole process.
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
from stt.engines.wants import Want
from stt.errors import InferenceDied, OutOfMemory
from stt.frames import AnyFrames
from stt.types import Waveform

logger = logging.getLogger(__name__)

Outcome: TypeAlias = AnyFrames | Exception

MAX_DEATHS = 2
"""A second death suggests that the cause persists."""
LOOK_SECONDS = 0.5
"""How often the event loop checks that the thread is alive."""


class DeviceLost(Exception):
    """The device is unusable for the rest of this process."""


class InferenceWorker:
    """Runs batches one at a time on its own thread."""

    def __init__(
        self,
        *,
        stall_seconds: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            stall_seconds: A forward that runs longer counts as stuck.
            clock: Returns seconds; replaced in tests.
        """
        self._stall_seconds = stall_seconds
        self._clock = clock
        self._running = False
        self._progressed = 0.0
        """Clock time when the current batch started, or its last forward ended."""
        self._n_deaths = 0
        self._lost: str | None = None
        """The error message of a lost device."""
        self._thread: threading.Thread | None = None
        self._executor = self._start()

    @property
    def dead(self) -> bool:
        """Whether this process can never compute again."""
        return self._n_deaths >= MAX_DEATHS or self._lost is not None

    @property
    def fault(self) -> str | None:
        """Why this process must be restarted, or None."""
        if self._lost is not None:
            return f"The device is unusable for the rest of this process: {self._lost}"
        if self.dead:
            return f"The inference thread has died {self._n_deaths} times."
        seconds = self._clock() - self._progressed
        if self._running and seconds >= self._stall_seconds:
            return (
                f"A forward has been running for {seconds:.0f} s. If that is normal on this "
                f"machine, raise STT_STALL_SECONDS ({self._stall_seconds:g})."
            )
        return None

    def check(self) -> None:
        """
        Raises:
            InferenceDied: this process can never compute again.
        """
        if self.dead:
            raise _died_for_good()

    async def forward(
        self, engine: Engine, waveforms: Sequence[Waveform], want: Want[AnyFrames]
    ) -> list[Outcome]:
        """Each waveform's frames or exception: `InferenceDied` if the thread died.

        Only one call may be awaited at a time.

        Raises:
            RuntimeError: after `close`.
        """
        if self.dead:
            return [_died_for_good() for _ in waveforms]
        self._progressed, self._running = self._clock(), True
        try:
            outcomes = await self._compute_alive(engine, waveforms, want)
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
        """Start no other forward; the current one may end."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> ThreadPoolExecutor:
        self._thread = None  # it starts with the first batch
        return ThreadPoolExecutor(1, thread_name_prefix="inference", initializer=self._prepare)

    def _prepare(self) -> None:
        self._thread = threading.current_thread()

    async def _compute_alive(
        self, engine: Engine, waveforms: Sequence[Waveform], want: Want[AnyFrames]
    ) -> list[Outcome] | None:
        """The outcomes, or None if the thread died."""
        loop = asyncio.get_running_loop()
        try:
            coming = loop.run_in_executor(self._executor, self._compute, engine, waveforms, want)
            while True:
                await asyncio.wait([coming], timeout=LOOK_SECONDS)
                if coming.done():
                    return coming.result()
                if self._thread is not None and not self._thread.is_alive():
                    logger.critical("the inference thread is gone")
                    return None
        except BrokenThreadPool:  # the thread did not start; the executor has logged why
            return None

    def _compute(
        self, engine: Engine, waveforms: Sequence[Waveform], want: Want[AnyFrames]
    ) -> list[Outcome] | None:
        """Runs in the thread. Returns None for what would end the event loop if raised there."""
        try:
            return forward_surviving(engine, waveforms, want, progress=self._note_progress)
        except DeviceLost as error:
            logger.critical("the device is lost, restart the process: %s", error, exc_info=True)
            self._lost = str(error)
            return None
        except BaseException:
            logger.critical("the inference thread died", exc_info=True)
            return None

    def _note_progress(self) -> None:
        self._progressed = self._clock()


def _died() -> InferenceDied:
    return InferenceDied(
        "The inference thread died while it computed this recording. Send it again.",
        retry_after_seconds=1.0,
    )


def _died_for_good() -> InferenceDied:
    return InferenceDied(
        "The service cannot compute any more and must be restarted. Try again after that.",
        retry_after_seconds=10.0,
    )


def free_memory() -> None:
    """Return the allocator's cached memory to the device."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def forward_surviving(
    engine: Engine,
    waveforms: Sequence[Waveform],
    want: Want[AnyFrames],
    *,
    progress: Callable[[], None] = lambda: None,
    free_memory: Callable[[], None] = free_memory,
) -> list[Outcome]:
    """Compute a batch; if it fails, retry its rows alone, so a bad window fails only its request.

    A batch that runs out of memory is halved until it fits.

    Args:
        engine: The model.
        waveforms: The batch.
        want: What is wanted of each frame.
        progress: Called after each forward.
        free_memory: Called after a forward that ran out of memory.

    Raises:
        DeviceLost: every retry would fail, too.
    """

    def again(waveforms: Sequence[Waveform]) -> list[Outcome]:
        return forward_surviving(
            engine, waveforms, want, progress=progress, free_memory=free_memory
        )

    n = len(waveforms)
    results = _try_forward(engine, waveforms, want)
    progress()
    if not isinstance(results, Exception):
        return results
    # The except block has ended and the traceback's frames are cleared: either would keep the
    # forward's tensors alive, with nothing left to free.
    if is_device_lost(results):
        raise DeviceLost(str(results).partition("\n")[0]) from results
    if is_out_of_memory(results):
        free_memory()
        if n == 1:
            failure = OutOfMemory(
                "There is too little memory for this recording, even alone. Try again later; the "
                "operator can lower STT_WINDOW_SECONDS."
            )
            failure.__cause__ = results
            return [failure]
        logger.warning("out of memory with a batch of %d, trying halves: %s", n, results)
        return again(waveforms[: n // 2]) + again(waveforms[n // 2 :])
    if n == 1:
        return [results]
    logger.warning("a batch of %d failed, retrying each row alone", n, exc_info=results)
    return [again([waveform])[0] for waveform in waveforms]


def _try_forward(
    engine: Engine, waveforms: Sequence[Waveform], want: Want[AnyFrames]
) -> list[Outcome] | Exception:
    """The engine's results, with an exception for each invalid row; or what it raised."""
    try:
        results = engine.forward(waveforms, want)
        if len(results) != len(waveforms):
            raise ValueError(f"expected {len(waveforms)} results, got {len(results)}")
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


def _checked(frames: AnyFrames, n_frames: int) -> Outcome:
    if len(frames) != n_frames:
        return ValueError(f"expected {n_frames} frames, got {len(frames)}")
    if not np.isfinite(frames.log_probs).all():
        return FloatingPointError("the model's output is not finite")
    return frames


def is_out_of_memory(error: Exception) -> bool:
    """Whether a smaller batch may succeed.

    torch has an exception class for CUDA's allocator only; for its CPU allocator, cuBLAS, cuDNN,
    CUDA itself and OpenVINO the message tells.
    """
    if isinstance(error, MemoryError):
        return True
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(error, torch.OutOfMemoryError):
        return True
    message = str(error).lower()
    return isinstance(error, RuntimeError) and any(
        sign in message
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
"""Messages of the CUDA errors that "leave the process in an inconsistent state":
https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html"""


def is_device_lost(error: Exception) -> bool:
    """Whether every later call to the device will fail, too."""
    message = str(error).lower()
    on_device = "cuda error" in message or "hip error" in message
    return isinstance(error, RuntimeError) and on_device and any(sign in message for sign in LOST)
