"""Computes a batch so that what fails, fails as few of its windows as possible."""

import logging
import sys
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from stt.engines.base import Engine
from stt.engines.faults import DeviceLost, is_out_of_memory, release
from stt.engines.fitting import Fitting
from stt.engines.wants import Want
from stt.errors import OutOfMemory
from stt.frames import AnyFrames
from stt.types import SAMPLE_RATE, Waveform

logger = logging.getLogger(__name__)

Outcome: TypeAlias = AnyFrames | Exception


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
    fitting: Fitting | None = None,
    progress: Callable[[], None] = lambda: None,
    free_memory: Callable[[], None] = free_memory,
) -> list[Outcome]:
    """Each waveform's frames, or why it has none.

    If a batch fails, its rows are retried alone, so a bad window fails only its request. If it runs
    out of memory, its longest row is tried alone: what does not fit alone fails, and the rest is
    computed in parts that fit.

    Args:
        engine: The model.
        waveforms: The batch.
        want: What is wanted of each frame.
        fitting: What is known of the engine's memory, and learns more.
        progress: Called after each forward.
        free_memory: Called after a forward that ran out of memory.

    Raises:
        DeviceLost: every retry would fail, too.
    """
    batch = _Batch(waveforms, fitting or Fitting())
    while rows := batch.next():
        results = _try_forward(engine, [waveforms[row] for row in rows], want)
        progress()
        if not isinstance(results, Exception):
            batch.succeeded(rows, results)
        elif isinstance(results, DeviceLost):
            raise results
        elif is_out_of_memory(results):
            # The except block has ended and the traceback's frames are cleared: either would keep
            # the forward's tensors alive, with nothing left to free.
            free_memory()
            batch.ran_out_of_memory(rows, results)
        else:
            batch.failed(rows, results)
    return [batch.outcomes[row] for row in range(len(waveforms))]


class _Batch:
    """The rows of a batch that are still to compute, in parts."""

    def __init__(self, waveforms: Sequence[Waveform], fitting: Fitting) -> None:
        self.outcomes: dict[int, Outcome] = {}
        self._lengths = [len(waveform) for waveform in waveforms]
        self._fitting = fitting
        self._parts = deque([list(range(len(waveforms)))])
        self._fits_alone = 0
        """Samples of the longest row that was computed alone."""
        self._too_many: float | None = None
        """Padded samples of a part that did not fit, if its longest row does alone."""

    def next(self) -> list[int]:
        """The rows to compute next, as many as fit; none at the end."""
        rows: list[int] = []
        while self._parts and not rows:
            rows = [row for row in self._parts.popleft() if row not in self.outcomes]
        n_rows = len(rows)
        while n_rows > 1 and self._padded(rows[:n_rows]) > self._fitting.most:
            n_rows -= 1
        if n_rows < len(rows):
            self._parts.appendleft(rows[n_rows:])
        return rows[:n_rows]

    def succeeded(self, rows: list[int], results: list[Outcome]) -> None:
        """Note the results of some rows."""
        self.outcomes.update(zip(rows, results, strict=True))
        if len(rows) == 1:
            self._fits_alone = max(self._fits_alone, self._lengths[rows[0]])
            if self._too_many is not None:
                self._learn(self._too_many)

    def failed(self, rows: list[int], error: Exception) -> None:
        """Note an error that may be due to any of the rows."""
        if len(rows) == 1:
            self.outcomes[rows[0]] = error
            return
        logger.warning("a batch of %d failed, retrying each row alone", len(rows), exc_info=error)
        self._parts.extendleft([row] for row in reversed(rows))

    def ran_out_of_memory(self, rows: list[int], error: Exception) -> None:
        """Find out whether the longest row or their number is too much."""
        longest = max(rows, key=self._lengths.__getitem__)
        if len(rows) == 1:
            self._too_many = None
            for row, length in enumerate(self._lengths):
                if length >= self._lengths[longest] and row not in self.outcomes:
                    self.outcomes[row] = _too_long(error)
            return
        logger.warning("out of memory with a batch of %d: %s", len(rows), error)
        self._parts.appendleft(rows)
        if self._lengths[longest] > self._fits_alone:
            self._too_many = self._padded(rows)
            self._parts.appendleft([longest])
        else:
            self._learn(self._padded(rows))

    def _learn(self, samples: float) -> None:
        self._too_many = None
        self._fitting.failed(samples)
        logger.warning(
            "from now on batches have at most %.0f s of audio", self._fitting.most / SAMPLE_RATE
        )

    def _padded(self, rows: list[int]) -> int:
        return max(self._lengths[row] for row in rows) * len(rows)


def _too_long(cause: Exception) -> OutOfMemory:
    failure = OutOfMemory(
        "There is too little memory for this recording, even alone. Try again later; the operator "
        "can lower STT_WINDOW_SECONDS."
    )
    failure.__cause__ = cause
    return failure


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
        release(error)
        return error


def _checked(frames: AnyFrames, n_frames: int) -> Outcome:
    if len(frames) != n_frames:
        return ValueError(f"expected {n_frames} frames, got {len(frames)}")
    if not np.isfinite(frames.log_probs).all():
        return FloatingPointError("the model's output is not finite")
    return frames
