"""The error rates of an evaluation, with their confidence intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stt.evaluation.errors import Errors
from stt.evaluation.intervals import Interval, intervals
from stt.evaluation.results import Result


@dataclass(frozen=True)
class Kind:
    """A rate that recordings have."""

    name: str
    """For programs."""
    title: str
    unit: str
    of: Callable[[Result], Errors | None]
    """The errors of a recording; None if the language has no such rate."""


BY_READING = Kind(
    "cer_by_reading", "CER by reading", "characters", lambda result: result.by_reading
)
KINDS = (
    Kind("wer", "WER", "words", lambda result: result.scores.words),
    Kind("cer", "CER", "characters", lambda result: result.scores.characters),
    Kind(
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

    kind: Kind
    errors: Errors
    interval: Interval | None
    """None if there are too few recordings."""


def rates(results: Sequence[Result]) -> tuple[Rate, ...]:
    """The rates that all results have; without results, all but the one by reading."""
    found: list[tuple[Kind, list[Errors]]] = []
    for kind in KINDS:
        errors = [kind.of(result) for result in results]
        known = [each for each in errors if each is not None]
        if len(known) == len(errors) and (errors or kind is not BY_READING):
            found.append((kind, known))
    widths = intervals([errors for _, errors in found])
    return tuple(
        Rate(kind, sum(errors, Errors()), interval)
        for (kind, errors), interval in zip(found, widths, strict=True)
    )
