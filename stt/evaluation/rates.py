"""The error rates of an evaluation, with their confidence intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stt.evaluation.errors import Errors
from stt.evaluation.intervals import Interval, intervals
from stt.evaluation.results import Result


@dataclass(frozen=True)
class Measure:
    """A rate that recordings have."""

    name: str
    """For programs."""
    title: str
    unit: str
    of: Callable[[Result], Errors | None]
    """The errors of a recording; None if the language has no such rate."""


BY_READING = Measure(
    "cer_by_reading", "CER by reading", "characters", lambda result: result.by_reading
)
MEASURES = (
    Measure("wer", "WER", "words", lambda result: result.scores.words),
    Measure("cer", "CER", "characters", lambda result: result.scores.characters),
    Measure(
        "cer_without_spaces",
        "CER without spaces",
        "characters",
        lambda result: result.scores.characters_without_spaces,
    ),
    BY_READING,
)
"""In the order of reports."""


@dataclass(frozen=True)
class Rate:
    """A rate of a whole set."""

    measure: Measure
    errors: Errors
    interval: Interval | None
    """None if there are too few recordings."""


def rates(results: Sequence[Result]) -> tuple[Rate, ...]:
    """The rates that all results have; without results, all but the one by reading."""
    found: list[tuple[Measure, list[Errors]]] = []
    for measure in MEASURES:
        errors = [measure.of(result) for result in results]
        known = [each for each in errors if each is not None]
        if len(known) == len(errors) and (errors or measure is not BY_READING):
            found.append((measure, known))
    widths = intervals([errors for _, errors in found])
    return tuple(
        Rate(measure, sum(errors, Errors()), interval)
        for (measure, errors), interval in zip(found, widths, strict=True)
    )
