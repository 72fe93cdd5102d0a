"""The windows that wait, and which of them share the next batch."""

import asyncio
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from stt.engines.base import Engine
from stt.engines.wants import Want
from stt.errors import InferenceFailed, SttError
from stt.frames import AnyFrames
from stt.inference.fairness import Lane, Lanes
from stt.types import SAMPLE_RATE, Waveform


@dataclass
class Timing:
    """One window's times, in ``time.perf_counter`` seconds."""

    queued: float = field(default_factory=time.perf_counter)
    started: float | None = None
    ended: float | None = None


@dataclass(eq=False, frozen=True)
class Entry:
    """A window and its caller's future."""

    engine: Engine
    waveform: Waveform
    want: Want[AnyFrames]
    future: asyncio.Future[Any]
    client: str
    timing: Timing = field(default_factory=Timing)

    def fits(self, other: "Entry") -> bool:
        """Whether both may share a batch; live windows do not take part in one of files."""
        same_lane = Lane.of(self.client) is Lane.of(other.client)
        return self.engine is other.engine and self.want == other.want and same_lane

    def fail(self, error: Exception) -> None:
        """Pass the error to the caller, unless it has gone."""
        if self.future.done():
            return
        if not isinstance(error, SttError):
            cause, error = error, InferenceFailed("The model failed on this recording.")
            error.__cause__ = cause
        self.future.set_exception(error)


class Queue:
    """Windows of all clients."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._turns = Lanes()

    def append(self, entry: Entry) -> None:
        """Add a window."""
        self._entries.append(entry)

    @property
    def waiting(self) -> list[Entry]:
        """The windows whose callers still wait, oldest first."""
        return [entry for entry in self._entries if not entry.future.done()]

    @property
    def seconds(self) -> float:
        """Their audio."""
        return sum(len(entry.waveform) for entry in self.waiting) / SAMPLE_RATE

    @property
    def seconds_by_client(self) -> dict[str, float]:
        """The same, of each client that waits."""
        samples: Counter[str] = Counter()
        for entry in self.waiting:
            samples[entry.client] += len(entry.waveform)
        return {client: count / SAMPLE_RATE for client, count in samples.items()}

    def choose_head(self) -> Entry | None:
        """The oldest window of the client whose turn it is; None if nothing waits."""
        self._entries = deque(self.waiting)
        if not self._entries:
            return None
        client = self._turns.next(entry.client for entry in self._entries)
        return next(entry for entry in self._entries if entry.client == client)

    def take(self, head: Entry, capacity_samples: float) -> list[Entry]:
        """The head and the windows closest to it in length, as many as the capacity allows.

        Rows are padded to the longest, so a batch costs its longest row times its rows.
        """
        candidates = sorted(
            (entry for entry in self._entries if head.fits(entry) and entry is not head),
            key=lambda entry: abs(len(entry.waveform) - len(head.waveform)),
        )
        batch, longest = [head], len(head.waveform)
        for entry in candidates:
            longest_with = max(longest, len(entry.waveform))
            if longest_with * (len(batch) + 1) > capacity_samples:
                break
            batch.append(entry)
            longest = longest_with
        for entry in batch:
            self._turns.charge(entry.client, len(entry.waveform))
        taken = set(batch)
        self._entries = deque(entry for entry in self._entries if entry not in taken)
        return batch
