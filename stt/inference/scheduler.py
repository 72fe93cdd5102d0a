"""The seam to whatever computes windows: a thread of this process, or other machines.

The local one is `stt.inference.batcher.Batcher`; a cluster's is in `stt.cluster`. What asks for
frames knows only this.
"""

from typing import Protocol

from stt.engines.base import Engine
from stt.errors import Overloaded
from stt.types import Frames, Waveform


def seconds_until_room(queued_seconds: float, rtfx: float) -> float:
    """When there will be room, by what waits and how fast it is computed: 1 to 60 s."""
    return min(60.0, max(1.0, queued_seconds / rtfx))


def refuse_when_full(queued_seconds: float, limit_seconds: float, rtfx: float) -> None:
    """
    Raises:
        Overloaded: as much audio waits as may, or more.
    """
    if queued_seconds >= limit_seconds:
        raise Overloaded(
            f"{queued_seconds:.0f} s of audio wait to be transcribed, the limit here is "
            f"{limit_seconds:g} s. Try again a little later.",
            retry_after_seconds=seconds_until_room(queued_seconds, rtfx),
        )


class Scheduler(Protocol):
    """Takes windows, and says how much waits."""

    @property
    def fault(self) -> str | None:
        """Why this process should be started anew; None: all well."""
        ...

    @property
    def n_queued(self) -> int:
        """Windows that wait and that somebody waits for."""
        ...

    @property
    def queued_seconds(self) -> float:
        """Seconds of audio that wait."""
        ...

    @property
    def retry_after_seconds(self) -> float:
        """When there will be room, by what waits and by the speed measured lately: 1 to 60 s."""
        ...

    def check_room(self) -> None:
        """Ask before a recording is begun; once begun, its windows are always taken.

        Raises:
            Overloaded: too much audio waits already.
            InferenceDied: nothing can be computed any more.
        """
        ...

    async def submit(self, engine: Engine, waveform: Waveform) -> Frames:
        """One window's ``grid.n_frames(len(waveform))`` frames.

        If the caller is cancelled while the window waits, it is never computed.

        Raises:
            InferenceFailed: the engine raised for this window.
            OutOfMemory: this window alone does not fit.
            InferenceDied: the inference thread ended.
            QueueTimeout: it waited too long.
            ClusterUnavailable: no engine of the cluster could be reached.
        """
        ...

    def close(self) -> None:
        """Let the forward that runs end; start no other."""
        ...
