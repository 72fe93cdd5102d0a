"""Messages between ingress replicas, engine replicas and the ledger.

A window travels as samples, ``[n]`` float32 at 16 kHz: 64 kB per second of audio. Its reply holds
frames or a failure: 500 bytes per second for the best path, 9.8 kB for beam search. Errors travel
as values because pickling exceptions loses their constructor arguments.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from stt import errors
from stt.engines.base import Engine
from stt.engines.limits import DeviceLimits
from stt.engines.wants import F, Want
from stt.frames import AnyFrames, packed, unpacked
from stt.models.state import LoadState
from stt.types import Calibration, FrameGrid, Vocabulary, Waveform


@dataclass(frozen=True)
class RemoteEngine:
    """The attributes of an `Engine` whose `forward` runs in another process."""

    language: str
    """Code of its language."""
    vocabulary: Vocabulary
    grid: FrameGrid
    calibration: Calibration
    device: str
    limits: DeviceLimits
    precision: str
    backend: str
    warning: str | None = None
    """In its replica's `LoadState`."""

    @classmethod
    def of(cls, language: str, engine: Engine) -> "RemoteEngine":
        """Describe a local engine."""
        return cls(
            language, engine.vocabulary, engine.grid, engine.calibration, engine.device,
            engine.limits, engine.precision, engine.backend,
        )  # fmt: skip

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        """
        Raises:
            TypeError: always; submit windows to `stt.cluster.dispatcher.Dispatcher`.
        """
        raise TypeError("This engine is in another process; submit the window instead.")


@dataclass(frozen=True)
class Failure:
    """An `SttError` as a value that can cross processes."""

    code: str
    message: str
    retry_after_seconds: float | None = None

    @classmethod
    def of(cls, error: errors.SttError) -> "Failure":
        """Pack the error; its cause stays in the replica's log."""
        seconds = error.retry_after_seconds if isinstance(error, errors.RetryLater) else None
        return cls(error.code, error.message, seconds)

    def error(self) -> errors.SttError:
        """Unpack the error."""
        kind = _ERRORS[self.code]
        if issubclass(kind, errors.RetryLater):
            return kind(self.message, self.retry_after_seconds or 0.0)
        return kind(self.message)


_ERRORS = errors.errors_by_code(errors.SttError)


@dataclass(frozen=True, eq=False)
class Reply:
    """The frames of a window, packed, and its timings."""

    arrays: tuple[NDArray[Any], ...]
    """The fields of the frames; columns in 16 bits if they fit."""
    queue_seconds: float
    """Time that the window waited for its batch in the engine replica."""
    forward_seconds: float
    """Time that its batch spent in the model."""

    @classmethod
    def of(cls, frames: AnyFrames, queue_seconds: float, forward_seconds: float) -> "Reply":
        """Pack frames."""
        return cls(tuple(map(packed, frames.arrays())), queue_seconds, forward_seconds)

    def frames(self, want: Want[F]) -> F:
        """Unpack the frames that were wanted, bit for bit."""
        return want.frames([unpacked(array) for array in self.arrays])


@dataclass(frozen=True)
class EngineReport:
    """The state of an engine replica, sent every second."""

    states: dict[str, LoadState]
    """By language; ``next_try`` is in seconds from now, as clocks differ."""
    engines: dict[str, RemoteEngine]
    """The ready ones, by language."""
    queued_seconds: float
    """Audio in its queue."""
    rtfx: float
    """Audio seconds per second of forward, measured recently."""


@dataclass(frozen=True)
class IngressReport:
    """The state of an ingress replica, sent every second."""

    outstanding: Mapping[str, float]
    """Seconds of audio that it has sent to engines and not got back as frames, by client."""
    n_inside: int
    """Open requests and WebSockets."""


@dataclass(frozen=True)
class View:
    """The ledger's answer to a report: the state of the other replicas."""

    states: dict[str, LoadState]
    """By language, the best of all engines; ``next_try`` is in seconds from now."""
    engines: dict[str, RemoteEngine]
    n_engines: int = 0
    """Engine replicas with at least one ready model."""
    rtfx: float = 0.0
    """Sum over all engines."""
    outstanding: Mapping[str, float] = field(default_factory=dict)
    """Seconds of audio that the other ingress replicas have sent and not got back, by client."""
    n_inside: int = 0
    """Open requests and WebSockets of all ingress replicas."""
    draining: bool = False
    closed: bool = False
    next_report_seconds: float = 1.0
    """When to report next; longer with many replicas, to limit the ledger's load."""
