"""What crosses the wire between ingress and engine replicas.

A window goes there as its samples, ``[n]`` float32 at 16 kHz: 64 kB for a second of audio. What
comes back are frames, 500 bytes for a second, or what went wrong; errors travel as values, since
their constructors' arguments would not survive the way.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stt import errors
from stt.engines.base import Engine
from stt.engines.limits import DeviceLimits
from stt.models.state import LoadState
from stt.types import Calibration, FrameGrid, Frames, Vocabulary, Waveform


@dataclass(frozen=True)
class RemoteEngine:
    """An `Engine` without weights: all that is asked of one beside the forward.

    It is an engine by its attributes; its `forward` is another replica's.
    """

    language: str
    """Code of the language whose windows it is for."""
    vocabulary: Vocabulary
    grid: FrameGrid
    calibration: Calibration
    device: str
    limits: DeviceLimits
    precision: str
    backend: str

    @classmethod
    def of(cls, language: str, engine: Engine) -> "RemoteEngine":
        """Of an engine that is here."""
        return cls(
            language, engine.vocabulary, engine.grid, engine.calibration, engine.device,
            engine.limits, engine.precision, engine.backend,
        )  # fmt: skip

    def forward(self, waveforms: Sequence[Waveform]) -> list[Frames]:
        """
        Raises:
            TypeError: always; windows go through `stt.cluster.dispatcher.Dispatcher`.
        """
        raise TypeError("This engine is in another process; submit the window instead.")


@dataclass(frozen=True)
class Failure:
    """One of our own errors on its way to another process."""

    code: str
    message: str
    retry_after_seconds: float | None = None

    @classmethod
    def of(cls, error: errors.SttError) -> "Failure":
        """The error as a value; its cause stays in the log of the replica."""
        seconds = error.retry_after_seconds if isinstance(error, errors.RetryLater) else None
        return cls(error.code, error.message, seconds)

    def error(self) -> errors.SttError:
        """The error again."""
        kind = _ERRORS[self.code]
        if issubclass(kind, errors.RetryLater):
            return kind(self.message, self.retry_after_seconds or 0.0)
        return kind(self.message)


_ERRORS = errors.errors_by_code(errors.SttError)


@dataclass(frozen=True, eq=False)
class Reply:
    """What an engine replica says to a window."""

    columns: NDArray[np.uint16] | NDArray[np.int32]
    """``[n_frames]``: of `Frames`, in 16 bits where they fit."""
    log_probs: NDArray[np.float32]
    log_posteriors: NDArray[np.float32]
    queue_seconds: float
    """How long the window waited for its batch, there."""
    forward_seconds: float
    """How long the batch was in the model."""

    @classmethod
    def of(cls, frames: Frames, queue_seconds: float, forward_seconds: float) -> "Reply":
        """Pack frames."""
        columns = frames.columns
        small = not len(columns) or int(columns.max()) <= np.iinfo(np.uint16).max
        return cls(
            columns.astype(np.uint16) if small else columns,
            frames.log_probs, frames.log_posteriors, queue_seconds, forward_seconds,
        )  # fmt: skip

    def frames(self) -> Frames:
        """The frames again, exactly."""
        return Frames(self.columns.astype(np.int32), self.log_probs, self.log_posteriors)


@dataclass(frozen=True)
class EngineReport:
    """What an engine replica tells of itself, once a second."""

    states: dict[str, LoadState]
    """By language; ``next_try`` is seconds from now, as clocks differ."""
    engines: dict[str, RemoteEngine]
    """Those that are ready, by language."""
    queued_seconds: float
    """Audio that waits there."""
    rtfx: float
    """Audio seconds for each second of forward, as measured lately."""


@dataclass(frozen=True)
class IngressReport:
    """What an ingress replica tells of itself, once a second."""

    outstanding_seconds: float
    """Audio that it has sent to engines and that has not come back as frames."""
    n_inside: int
    """Requests and WebSockets that are inside."""


@dataclass(frozen=True)
class View:
    """What a replica is told of the others in return."""

    states: dict[str, LoadState]
    """By language, the best of any engine; ``next_try`` is seconds from now."""
    engines: dict[str, RemoteEngine]
    n_engines: int = 0
    """Engine replicas with at least one model ready."""
    rtfx: float = 0.0
    """Of all engines together."""
    outstanding_seconds: float = 0.0
    """Audio that the other ingresses have sent and wait for."""
    n_inside: int = 0
    """Requests and WebSockets inside, over all ingresses."""
    draining: bool = False
    closed: bool = False
    next_report_seconds: float = 1.0
    """When to tell again; more with many replicas, so that one process can hear them all."""
