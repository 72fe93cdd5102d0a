"""The outcome of an evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass

from stt.evaluation.errors import Scores
from stt.evaluation.kinds import Kinds
from stt.evaluation.rates import Rate, rates
from stt.evaluation.results import Result
from stt.evaluation.substitutions import Substitution, substitutions

_MOST_SUBSTITUTIONS = 100
"""Kept in a report."""


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
    transcription: str
    date: str
    """UTC, ISO 8601."""


@dataclass(frozen=True)
class Report:
    """The outcome of an evaluation."""

    conditions: Conditions
    rates: tuple[Rate, ...]
    """Over `results`, without the failed recordings: the WER, then the CERs."""
    kinds: Kinds
    substitutions: tuple[Substitution, ...]
    results: tuple[Result, ...]
    n_failed: int
    audio_seconds: float
    work_seconds: float
    """Time to decode and infer all `results` one by one, without loading the model."""

    @property
    def rtfx(self) -> float:
        """Audio seconds for each second of work."""
        return self.audio_seconds / self.work_seconds if self.work_seconds else 0.0

    @property
    def scores(self) -> Scores:
        """The errors of all results together."""
        return sum((result.scores for result in self.results), Scores())


def report(
    conditions: Conditions,
    results: Sequence[Result],
    *,
    n_failed: int,
    audio_seconds: float,
    work_seconds: float,
) -> Report:
    """Sum up single results."""
    return Report(
        conditions=conditions,
        rates=rates(results),
        kinds=sum((result.kinds for result in results), Kinds()),
        substitutions=substitutions(results, _MOST_SUBSTITUTIONS),
        results=tuple(results),
        n_failed=n_failed,
        audio_seconds=audio_seconds,
        work_seconds=work_seconds,
    )
