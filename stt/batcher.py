"""The way from many requests to one inference thread, in batches.

torch computes one forward on all cores, or on all of a GPU, so two at a time would only be in each
other's way: every window of every request goes through one queue and one thread. While a batch is
computed the next one gathers; nothing ever waits for a batch to fill.
"""

import asyncio
import logging
import os
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import psutil

from stt.engine import Engine
from stt.errors import InferenceFailed, Overloaded
from stt.transcript import SAMPLE_RATE, LogProbs, Waveform

logger = logging.getLogger(__name__)

Outcome: TypeAlias = LogProbs | Exception


@dataclass(eq=False, frozen=True)
class _Entry:
    """A window that waits, and who waits for it."""

    engine: Engine
    waveform: Waveform
    future: asyncio.Future[LogProbs]


class Batcher:
    """Runs forwards on one thread of its own; `submit` may be awaited by many at once."""

    def __init__(
        self,
        *,
        cpu_threads: int = 0,
        batch_seconds: float = 30.0,
        max_queue_seconds: float = 600.0,
    ) -> None:
        """
        Args:
            cpu_threads: Threads that one forward is computed with; 0 is one for each core.
            batch_seconds: Largest batch, in seconds of audio once padded: longest x rows.
            max_queue_seconds: Seconds of audio that may wait before newcomers are refused.
        """
        self.cpu_threads = cpu_threads or available_cores()
        self._batch_samples = batch_seconds * SAMPLE_RATE
        self._max_queue_seconds = max_queue_seconds
        self._queue: deque[_Entry] = deque()
        self._consumer: asyncio.Task[None] | None = None
        self._rtfx = 1.0
        """Audio seconds for each second of forward, as measured lately."""
        self._thread = ThreadPoolExecutor(
            1, thread_name_prefix="inference", initializer=self._set_threads
        )

    @property
    def queued_seconds(self) -> float:
        """Seconds of audio that wait; what is being computed is not among them."""
        return sum(len(entry.waveform) for entry in self._queue) / SAMPLE_RATE

    def check_room(self) -> None:
        """Ask before a recording is begun; once begun, its windows are always taken.

        Raises:
            Overloaded: too much audio waits already.
        """
        queued = self.queued_seconds
        if queued >= self._max_queue_seconds:
            raise Overloaded(
                f"{queued:.0f} s of audio wait to be transcribed, the limit here is "
                f"{self._max_queue_seconds:g} s. Try again a little later.",
                retry_after_seconds=min(60.0, max(1.0, queued / self._rtfx)),
            )

    async def submit(self, engine: Engine, waveform: Waveform) -> LogProbs:
        """One window's log-probs, ``[grid.n_frames(len(waveform)), n_vocab]``.

        If the caller is cancelled while the window waits, it is never computed.

        Raises:
            InferenceFailed: the engine raised for this window.
        """
        future: asyncio.Future[LogProbs] = asyncio.get_running_loop().create_future()
        self._queue.append(_Entry(engine, waveform, future))
        if self._consumer is None or self._consumer.done():
            self._consumer = asyncio.create_task(self._consume())
        return await future

    def close(self) -> None:
        """Let the forward that runs end; start no other."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _consume(self) -> None:
        """Compute batch after batch until nothing waits."""
        loop = asyncio.get_running_loop()
        while batch := self._next_batch():
            engine, waveforms = batch[0].engine, [entry.waveform for entry in batch]
            started = time.perf_counter()
            outcomes: Sequence[Outcome]
            try:
                outcomes = await loop.run_in_executor(
                    self._thread, forward_surviving, engine, waveforms
                )
            except Exception as error:  # the thread takes no more work: the service is stopping
                outcomes = [error] * len(batch)
            seconds = sum(map(len, waveforms)) / SAMPLE_RATE
            speed = seconds / max(1e-6, time.perf_counter() - started)
            self._rtfx += 0.2 * (speed - self._rtfx)
            for entry, outcome in zip(batch, outcomes, strict=True):
                if entry.future.done():  # the caller has gone
                    continue
                if isinstance(outcome, Exception):
                    failure = InferenceFailed("The model failed on this recording.")
                    failure.__cause__ = outcome
                    entry.future.set_exception(failure)
                else:
                    entry.future.set_result(outcome)

    def _next_batch(self) -> list[_Entry]:
        """The entry that has waited longest, and those most like it in length.

        What a batch costs is its longest row times its rows, as the others are padded to it; so
        neighbours in length go together, as many as the budget holds.
        """
        self._queue = deque(entry for entry in self._queue if not entry.future.done())
        if not self._queue:
            return []
        head = self._queue[0]
        candidates = sorted(
            (entry for entry in self._queue if entry.engine is head.engine and entry is not head),
            key=lambda entry: abs(len(entry.waveform) - len(head.waveform)),
        )
        batch, longest = [head], len(head.waveform)
        for entry in candidates:
            longest_with = max(longest, len(entry.waveform))
            if longest_with * (len(batch) + 1) > self._batch_samples:
                break
            batch.append(entry)
            longest = longest_with
        taken = set(batch)
        self._queue = deque(entry for entry in self._queue if entry not in taken)
        return batch

    def _set_threads(self) -> None:
        # torch keeps this number for each thread, so it is set on the one that computes.
        import torch

        torch.set_num_threads(self.cpu_threads)


def forward_surviving(engine: Engine, waveforms: Sequence[Waveform]) -> list[Outcome]:
    """A batch's log-probs; if it fails as a whole, each row's own, or what that row raised.

    One window that the model cannot take costs only its own request.
    """
    try:
        results = engine.forward(waveforms)
        if len(results) != len(waveforms):
            raise RuntimeError(f"{len(waveforms)} waveforms gave {len(results)} results")
        return list(results)
    except Exception as error:
        if len(waveforms) == 1:
            return [error]
        logger.warning("a batch of %d failed, trying each alone", len(waveforms), exc_info=True)
        return [forward_surviving(engine, [waveform])[0] for waveform in waveforms]


def available_cores() -> int:
    """Cores that this process may keep busy: physical ones, within its affinity and its quota."""
    counts = [psutil.cpu_count(logical=False) or 1]
    if hasattr(os, "sched_getaffinity"):
        counts.append(len(os.sched_getaffinity(0)))
    try:
        # A container's quota and period, "200000 100000" for two cores, "max" for none.
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        counts.append(max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass
    return min(counts)
