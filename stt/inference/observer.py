"""The seam to those who want to know what took how long."""

from enum import StrEnum
from typing import Protocol


class Stage(StrEnum):
    """A part of the way of one recording."""

    DECODE = "decode"
    """Upload to windows of samples, all of them."""
    QUEUE = "queue"
    """One window waits for its batch."""
    FORWARD = "forward"
    """One window is in the model, with the rest of its batch."""


class Observer(Protocol):
    """Is told of everything that took time. Times are ``time.perf_counter``'s.

    ``stage`` is called in the context of the request that it was for.
    """

    def stage(self, stage: Stage, started: float, ended: float, busy_seconds: float) -> None:
        """A stage is over; it may have been idle for a part of its time."""

    def batch(self, n_windows: int, seconds: float) -> None:
        """A batch was computed."""

    def transcribed(self, audio_seconds: float, wall_seconds: float) -> None:
        """A recording, or a part of one that came live, is text."""


class NoObserver:
    """Is told and does nothing."""

    def stage(self, stage: Stage, started: float, ended: float, busy_seconds: float) -> None:
        """See `Observer`."""

    def batch(self, n_windows: int, seconds: float) -> None:
        """See `Observer`."""

    def transcribed(self, audio_seconds: float, wall_seconds: float) -> None:
        """See `Observer`."""
