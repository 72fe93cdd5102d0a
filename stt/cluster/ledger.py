"""The state of all replicas in one place: models, queues, metrics, and shutdown.

Each replica reports once a second and gets the state of the others back. No window depends on the
ledger: while it is down, replicas keep working with the latest view.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from stt.cluster.wire import EngineReport, IngressReport, View
from stt.inference.fairness import by_client
from stt.models.state import LoadState, Status

REPORTS_PER_SECOND = 200
"""What one process handles easily; with more replicas each reports less often."""
MIN_REPORT_SECONDS = 1.0
MAX_MISSED_REPORTS = 5
"""A replica that misses this many reports counts as gone."""
MIN_SILENT_SECONDS = 5.0
"""Shortest time before a silent replica counts as gone."""

MINIMUM_OF_ALL = frozenset({"process_start_time_seconds", "process_max_fds"})
MAXIMUM_OF_ALL = frozenset(
    {
        "process_open_fds",
        "stt_model_ready",
        "stt_model_fallback",
        "stt_model_load_duration_seconds",
    }
)
"""Gauges aggregated by minimum or maximum; all others are summed.

``process_open_fds`` is the maximum, to compare with the minimum of the limits."""
Key = tuple[str, tuple[tuple[str, str], ...]]


@dataclass
class _Member:
    """A replica's latest report."""

    report: EngineReport | IngressReport
    families: list[Metric]
    heard: float


class Ledger:
    """Collects the reports of all replicas. Not thread-safe; no method blocks."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` returns seconds; for tests."""
        self._clock = clock
        self._members: dict[str, _Member] = {}
        self._departed: list[Metric] = []
        """Counters of replicas that are gone, so that no sum falls when a replica ends."""
        self._draining = self._closed = False

    def report(
        self, member: str, report: EngineReport | IngressReport, families: list[Metric]
    ) -> View:
        """Store a replica's report and return its view of the others.

        Args:
            member: Its id, never reused.
            report: Its state.
            families: All its metrics.
        """
        self._members[member] = _Member(report, families, self._clock())
        self._forget()
        return self.view(member)

    def leave(self, member: str) -> None:
        """Remove a replica, keeping its counters."""
        gone = self._members.pop(member, None)
        if gone is not None:
            self._departed = merge([self._departed, _counters(gone.families)])

    def drain(self) -> None:
        """Make every ingress report that it is stopping; they still take requests."""
        self._draining = True

    def close(self) -> None:
        """Make every ingress refuse new requests."""
        self._draining = self._closed = True

    def metrics(self) -> list[Metric]:
        """The metrics of all replicas, aggregated."""
        self._forget()
        return merge([self._departed, *(member.families for member in self._members.values())])

    def view(self, of: str = "") -> View:
        """The cluster as the replica with this id needs to see it."""
        reports = {name: member.report for name, member in self._members.items()}
        engines = [each for each in reports.values() if isinstance(each, EngineReport)]
        ready = [each for each in engines if each.engines]
        ingresses = {n: each for n, each in reports.items() if isinstance(each, IngressReport)}
        return View(
            states=_best(each.states for each in engines),
            engines={code: one for each in engines for code, one in each.engines.items()},
            n_engines=len(ready),
            rtfx=sum(each.rtfx for each in ready),
            outstanding=by_client(
                each.outstanding for name, each in ingresses.items() if name != of
            ),
            n_inside=sum(each.n_inside for each in ingresses.values()),
            draining=self._draining,
            closed=self._closed,
            next_report_seconds=self._interval,
        )

    @property
    def _interval(self) -> float:
        return max(MIN_REPORT_SECONDS, len(self._members) / REPORTS_PER_SECOND)

    def _forget(self) -> None:
        oldest = self._clock() - max(MIN_SILENT_SECONDS, MAX_MISSED_REPORTS * self._interval)
        for name in [name for name, each in self._members.items() if each.heard < oldest]:
            self.leave(name)


def _best(states: Iterable[dict[str, LoadState]]) -> dict[str, LoadState]:
    """The best state per language: one ready engine is enough to serve it."""
    rank = {Status.READY: 0, Status.LOADING: 1, Status.FAILED: 2}
    best: dict[str, LoadState] = {}
    for each in states:
        for code, state in each.items():
            if code not in best or rank[state.status] < rank[best[code].status]:
                best[code] = state
    return best


def relative(state: LoadState) -> LoadState:
    """With `next_try` in seconds from now instead of on this process's clock."""
    return replace(state, next_try=state.retry_in_seconds)


def absolute(state: LoadState) -> LoadState:
    """The inverse of `relative`."""
    if state.next_try is None:
        return state
    return replace(state, next_try=time.monotonic() + state.next_try)


def _counters(families: list[Metric]) -> list[Metric]:
    return [each for each in families if each.type in ("counter", "histogram", "summary")]


def merge(sources: Iterable[list[Metric]]) -> list[Metric]:
    """One family per name, with the samples of all sources aggregated."""
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
                values[key] = sample.value if known is None else _aggregate(sample, known)
    for family, values in merged.values():
        family.samples = [Sample(name, dict(of), value) for (name, of), value in values.items()]
    return [family for family, _ in merged.values()]


def _aggregate(sample: Sample, other: float) -> float:
    if sample.name in MINIMUM_OF_ALL or sample.name.endswith("_created"):
        return min(sample.value, other)
    if sample.name in MAXIMUM_OF_ALL:
        return max(sample.value, other)
    return sample.value + other


class _FixedCollector(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def registry_of(families: list[Metric]) -> CollectorRegistry:
    """The families in a registry, ready to be rendered."""
    registry = CollectorRegistry()
    registry.register(_FixedCollector(families))
    return registry
