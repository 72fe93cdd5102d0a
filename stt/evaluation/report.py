"""The outcome of an evaluation."""

from dataclasses import dataclass

from stt.evaluation.errors import Scores
from stt.evaluation.results import Result


@dataclass(frozen=True)
class Conditions:
    """Everything that must match before two evaluations can be compared."""

    model: str
    revision: str
    language: str
    backend: str
    precision: str
    device: str
    normaliser: str
    date: str
    """UTC, ISO 8601."""


@dataclass(frozen=True)
class Report:
    """The outcome of an evaluation."""

    conditions: Conditions
    scores: Scores
    """Over `results`, without the failed recordings."""
    results: tuple[Result, ...]
    n_failed: int
    audio_seconds: float
    work_seconds: float
    """Time to decode, infer and score all `results` one by one, without loading the model."""

    @property
    def rtfx(self) -> float:
        """Audio seconds for each second of work."""
        return self.audio_seconds / self.work_seconds if self.work_seconds else 0.0
