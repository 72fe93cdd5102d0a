"""What is known of all replicas in one place: models, queues, metrics, and whether we are stopping.

Each replica reports once a second and is told in return what it needs of the others. Nothing
here is needed to compute a window: without the ledger replicas go on with what they were told last.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from stt.cluster.wire import EngineReport, IngressReport, View
from stt.models.state import LoadState, Status

REPORTS_PER_SECOND = 200
"""What one process takes in without trying; with more replicas each reports less often."""
LEAST_SECONDS = 1.0
MISSED = 5
"""A replica that has missed so many reports counts as gone."""
FORGET_SECONDS = 5.0
"""But not before that."""

LOWEST = frozenset({"process_start_time_seconds", "process_max_fds"})
HIGHEST = frozenset(
    {
        "process_open_fds",
        "stt_model_ready",
        "stt_model_fallback",
        "stt_model_load_duration_seconds",
    }
)
"""Gauges of which the cluster's is the least or the greatest of its replicas'; others are summed.

``process_open_fds`` of all replicas is the fullest one's, to be held against the lowest limit."""
Key = tuple[str, tuple[tuple[str, str], ...]]


@dataclass
class _Member:
    """A replica and what it said last."""

    report: EngineReport | IngressReport
    families: list[Metric]
    heard: float


class Ledger:
    """Not thread-safe; all methods are quick."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` gives seconds, for tests."""
        self._clock = clock
        self._members: dict[str, _Member] = {}
        self._departed: list[Metric] = []
        """Counters of replicas that are gone: a sum must not fall when one ends."""
        self._draining = self._closed = False

    def report(
        self, member: str, report: EngineReport | IngressReport, families: list[Metric]
    ) -> View:
        """Take in what a replica says of itself; tell it about the others.

        Args:
            member: Its id, never used again by another.
            report: Its state.
            families: All its metrics, as they are.
        """
        self._members[member] = _Member(report, families, self._clock())
        self._forget()
        return self.view(member)

    def leave(self, member: str) -> None:
        """A replica ends in good order."""
        gone = self._members.pop(member, None)
        if gone is not None:
            self._departed = merge([self._departed, _counters(gone.families)])

    def drain(self) -> None:
        """Have every ingress say that it is stopping; it still takes requests."""
        self._draining = True

    def close(self) -> None:
        """Have every ingress refuse what is new."""
        self._draining = self._closed = True

    def metrics(self) -> list[Metric]:
        """Those of all replicas together."""
        self._forget()
        return merge([self._departed, *(member.families for member in self._members.values())])

    def view(self, of: str = "") -> View:
        """What the replica of that id has to know of the others."""
        reports = {name: member.report for name, member in self._members.items()}
        engines = [each for each in reports.values() if isinstance(each, EngineReport)]
        ready = [each for each in engines if each.engines]
        ingresses = {n: each for n, each in reports.items() if isinstance(each, IngressReport)}
        return View(
            states=_best(each.states for each in engines),
            engines={code: one for each in engines for code, one in each.engines.items()},
            n_engines=len(ready),
            rtfx=sum(each.rtfx for each in ready),
            outstanding_seconds=sum(
                each.outstanding_seconds for name, each in ingresses.items() if name != of
            ),
            n_inside=sum(each.n_inside for each in ingresses.values()),
            draining=self._draining,
            closed=self._closed,
            next_report_seconds=self._interval,
        )

    @property
    def _interval(self) -> float:
        return max(LEAST_SECONDS, len(self._members) / REPORTS_PER_SECOND)

    def _forget(self) -> None:
        oldest = self._clock() - max(FORGET_SECONDS, MISSED * self._interval)
        for name in [name for name, each in self._members.items() if each.heard < oldest]:
            self.leave(name)


def _best(states: Iterable[dict[str, LoadState]]) -> dict[str, LoadState]:
    """By language the state of whoever is furthest: one engine that is ready can serve."""
    rank = {Status.READY: 0, Status.LOADING: 1, Status.FAILED: 2}
    best: dict[str, LoadState] = {}
    for each in states:
        for code, state in each.items():
            if code not in best or rank[state.status] < rank[best[code].status]:
                best[code] = state
    return best


def relative(state: LoadState) -> LoadState:
    """With the next try in seconds from now instead of by this process's clock."""
    return replace(state, next_try=state.retry_in_seconds)


def absolute(state: LoadState) -> LoadState:
    """The opposite of `relative`."""
    if state.next_try is None:
        return state
    return replace(state, next_try=time.monotonic() + state.next_try)


def _counters(families: list[Metric]) -> list[Metric]:
    return [each for each in families if each.type in ("counter", "histogram", "summary")]


def merge(sources: Iterable[list[Metric]]) -> list[Metric]:
    """One family of each name, its samples put together over all sources."""
    merged: dict[str, tuple[Metric, dict[Key, float]]] = {}
    for families in sources:
        for family in families:
            if family.name not in merged:
                empty = Metric(family.name, family.documentation, family.type, family.unit)
                merged[family.name] = empty, {}
            values = merged[family.name][1]
            for sample in family.samples:
                key = (sample.name, tuple(sample.labels.items()))
                known = values.get(key)
                values[key] = sample.value if known is None else _both(sample, known)
    for family, values in merged.values():
        family.samples = [Sample(name, dict(of), value) for (name, of), value in values.items()]
    return [family for family, _ in merged.values()]


def _both(sample: Sample, other: float) -> float:
    if sample.name in LOWEST or sample.name.endswith("_created"):
        return min(sample.value, other)
    if sample.name in HIGHEST:
        return max(sample.value, other)
    return sample.value + other


class _Fixed(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def registry_of(families: list[Metric]) -> CollectorRegistry:
    """Families as a registry, for who writes them out."""
    registry = CollectorRegistry()
    registry.register(_Fixed(families))
    return registry
