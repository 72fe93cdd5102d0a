"""Interface to what computes windows: a thread of this process, or other machines.

`stt.inference.batcher.Batcher` is the local one, `stt.cluster.dispatcher.Dispatcher` a cluster's.
"""

from typing import Protocol

from stt.engines.base import Engine
from stt.engines.wants import F, Want
from stt.types import Waveform

MAX_RETRY_SECONDS = 3600.0
"""Nobody plans further ahead by an estimate."""


def seconds_until_room(queued_seconds: float, rtfx: float) -> float:
    """Estimated time until the queue is empty, 1 to `MAX_RETRY_SECONDS`."""
    return min(MAX_RETRY_SECONDS, max(1.0, queued_seconds / rtfx))


class Scheduler(Protocol):
    """Accepts windows and reports the queue."""

    @property
    def fault(self) -> str | None:
        """Why this process must be restarted, or None."""
        ...

    @property
    def n_queued(self) -> int:
        """Windows in the queue whose callers still wait."""
        ...

    @property
    def queued_seconds(self) -> float:
        """Seconds of audio in the queue."""
        ...

    @property
    def rtfx(self) -> float:
        """Seconds of audio computed in a second, as measured."""
        ...

    @property
    def retry_after_seconds(self) -> float:
        """Estimated time until the queue is empty, by the measured speed: 1 s to an hour."""
        ...

    def check_room(self) -> None:
        """Check the queue before a recording starts; its windows are never refused after that.

        Raises:
            Overloaded: too much audio of `stt.inference.fairness.current_client` waits.
            InferenceDied: this process cannot compute any more.
        """
        ...

    async def submit(self, engine: Engine, waveform: Waveform, want: Want[F]) -> F:
        """Compute one window's ``grid.n_frames(len(waveform))`` frames, reduced to what is wanted.

        A window whose caller is cancelled while it waits is never computed.

        Raises:
            InferenceFailed: the engine raised for this window.
            OutOfMemory: this window alone does not fit.
            InferenceDied: the inference thread died.
            QueueTimeout: it waited too long.
            ClusterUnavailable: no engine of the cluster can be reached.
        """
        ...

    def close(self) -> None:
        """Start no other forward; the current one may end."""
        ...
