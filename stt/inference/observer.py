"""Interface for code that records timings."""

from enum import StrEnum
from typing import Protocol


class Stage(StrEnum):
    """A step in the processing of one recording."""

    DECODE = "decode"
    """The upload is decoded to windows of samples."""
    QUEUE = "queue"
    """One window waits for its batch."""
    FORWARD = "forward"
    """One window is in the model, with the rest of its batch."""


class Observer(Protocol):
    """Receives timings, in ``time.perf_counter`` seconds.

    ``stage`` is called in the context of the request it belongs to.
    """

    def stage(self, stage: Stage, started: float, ended: float, busy_seconds: float) -> None:
        """A stage ended; it was busy for part of its time."""

    def batch(self, n_windows: int, seconds: float) -> None:
        """A batch was computed."""

    def transcribed(self, audio_seconds: float, wall_seconds: float) -> None:
        """A recording, or a part of a live one, was transcribed."""


class NoObserver:
    """Ignores all timings."""

    def stage(self, stage: Stage, started: float, ended: float, busy_seconds: float) -> None:
        """See `Observer`."""

    def batch(self, n_windows: int, seconds: float) -> None:
        """See `Observer`."""

    def transcribed(self, audio_seconds: float, wall_seconds: float) -> None:
        """See `Observer`."""
