"""The CER of parts of a set: by length, by noise, by speaker."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from stt.evaluation.errors import Errors
from stt.evaluation.intervals import Interval, intervals
from stt.evaluation.results import Result

LENGTHS_SECONDS = (0, 2, 5, 10, 20)
RATIOS_DB = (-100, 10, 20, 30, 40)
UNKNOWN = "unknown"
MOST_SPEAKERS = 20


@dataclass(frozen=True)
class Group:
    """Recordings that have something in common."""

    name: str
    n_recordings: int
    errors: Errors
    """In characters, as in the CER."""
    interval: Interval | None


@dataclass(frozen=True)
class Breakdown:
    """All recordings, in groups."""

    title: str
    groups: tuple[Group, ...]
    n_left_out: int = 0
    """Groups that are not shown; their rates are lower."""


def breakdowns(results: Sequence[Result]) -> tuple[Breakdown, ...]:
    """Those that the manifest and the recordings allow."""
    measured = _by_length(results), _by_noise(results)
    named = (
        _by_speaker(results),
        Breakdown("By gender", _groups(results, lambda result: result.utterance.gender, sorted)),
        Breakdown("By age", _groups(results, lambda result: result.utterance.age, sorted)),
    )
    return (
        *(each for each in measured if _n_known(each) >= 1),
        *(each for each in named if _n_known(each) >= 2),  # one speaker is no comparison
    )


def _n_known(breakdown: Breakdown) -> int:
    """Groups of recordings about which something is known."""
    return sum(group.name != UNKNOWN for group in breakdown.groups)


def _by_length(results: Sequence[Result]) -> Breakdown:
    names = _ranges(LENGTHS_SECONDS, "s")
    of = _ranger(LENGTHS_SECONDS, names, lambda result: result.audio_seconds)
    return Breakdown("By length", _groups(results, of, _ordered(names)))


def _by_noise(results: Sequence[Result]) -> Breakdown:
    names = _ranges(RATIOS_DB, "dB")
    of = _ranger(RATIOS_DB, names, lambda result: result.snr_db)
    return Breakdown("By SNR", _groups(results, of, _ordered(names)))


def _by_speaker(results: Sequence[Result]) -> Breakdown:
    groups = sorted(
        _groups(results, lambda result: result.utterance.speaker, sorted),
        key=lambda group: (-_rate(group), -group.n_recordings),
    )
    left_out = max(0, len(groups) - MOST_SPEAKERS)
    return Breakdown("By speaker", tuple(groups[:MOST_SPEAKERS]), left_out)


def _rate(group: Group) -> float:
    return float("inf") if group.errors.rate is None else group.errors.rate


def _groups(
    results: Sequence[Result],
    of: Callable[[Result], str],
    order: Callable[[Iterable[str]], Iterable[str]],
) -> tuple[Group, ...]:
    """The groups of results for which ``of`` says the same, in the order of their names."""
    members: dict[str, list[Errors]] = defaultdict(list)
    for result in results:
        members[of(result) or UNKNOWN].append(result.scores.characters)

    def group(name: str) -> Group:
        errors = members[name]
        (interval,) = intervals([errors])
        return Group(name, len(errors), sum(errors, Errors()), interval)

    return tuple(map(group, order(members)))


def _ranges(edges: Sequence[float], unit: str) -> list[str]:
    inner = [f"{low:g}–{high:g} {unit}" for low, high in pairwise(edges[1:])]
    return [f"< {edges[1]:g} {unit}", *inner, f"≥ {edges[-1]:g} {unit}"]


def _ranger(
    edges: Sequence[float], names: Sequence[str], of: Callable[[Result], float | None]
) -> Callable[[Result], str]:
    def name(result: Result) -> str:
        value = of(result)
        if value is None:
            return UNKNOWN
        return names[sum(value >= edge for edge in edges[1:])]

    return name


def _ordered(names: Sequence[str]) -> Callable[[Iterable[str]], list[str]]:
    return lambda found: sorted(found, key=[*names, UNKNOWN].index)
