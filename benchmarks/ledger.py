"""The results of a soak: counts of all answers, and the unexplained ones in detail."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf

import httpx

from benchmarks import report
from benchmarks.report import Percentiles, seconds

MARGIN_SECONDS = 1.0
"""Faults show slightly before or after they are recorded."""
MAX_KEPT = 100
"""Unexplained answers kept in detail; all are counted."""


@dataclass(frozen=True)
class Outcome:
    """The result of one client."""

    label: str
    """Status and error code, or how the connection ended."""
    right: bool
    """Whether this client should get this result at any time."""
    detail: str = ""
    """Helps to find out what happened."""

    @property
    def code(self) -> str:
        """The error code, if the label has one."""
        return self.label.rpartition(" ")[2]


@dataclass
class Clip:
    """A good recording."""

    name: str
    lang: str
    data: bytes
    text: str = ""
    """The text from the idle service."""
    pcm: bytes = b""
    """The samples that a live client sends; empty if it is not streamed."""
    said: str = ""
    """The live text from the idle service."""


@dataclass
class Season:
    """A period in which an error code is expected."""

    code: str
    began: float
    ended: float = inf


@dataclass
class Ledger:
    """All answers of a run."""

    clock: Callable[[], float] = time.monotonic
    tell: Callable[[str], None] = lambda _: None
    """Called with each unexplained answer."""
    outcomes: defaultdict[str, Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter), init=False
    )
    """Counts of labels by kind of traffic."""
    durations: defaultdict[str, list[float]] = field(
        default_factory=lambda: defaultdict(list), init=False
    )
    """Seconds of right answers by kind."""
    excused: Counter[str] = field(default_factory=Counter, init=False)
    """Answers explained by a season, by label."""
    unexplained: Counter[str] = field(default_factory=Counter, init=False)
    """Counts by kind and label."""
    kept: list[str] = field(default_factory=list, init=False)
    """Descriptions of the first unexplained answers."""
    _seasons: list[Season] = field(default_factory=list, init=False)

    @contextmanager
    def season(self, code: str) -> Iterator[None]:
        """Expect an error code while the context is active."""
        season = Season(code, self.clock())
        self._seasons.append(season)
        try:
            yield
        finally:
            season.ended = self.clock()

    def add(self, kind: str, outcome: Outcome, began: float) -> None:
        """Count an answer that is complete now and began at ``began``."""
        ended = self.clock()
        self.outcomes[kind][outcome.label] += 1
        if outcome.right:
            self.durations[kind].append(ended - began)
        elif self._explains(outcome.code, began, ended):
            self.excused[outcome.label] += 1
        else:
            self.unexplained[f"{kind}: {outcome.label}"] += 1
            words = f"{kind}: {outcome.label} after {ended - began:.1f} s {outcome.detail}"
            if len(self.kept) < MAX_KEPT:
                self.kept.append(words)
            self.tell(words)

    @property
    def total(self) -> int:
        """Number of answers so far."""
        return sum(counts.total() for counts in self.outcomes.values())

    def _explains(self, code: str, began: float, ended: float) -> bool:
        return any(
            season.code == code
            and season.began - MARGIN_SECONDS <= ended
            and began <= season.ended + MARGIN_SECONDS
            for season in self._seasons
        )

    def table(self) -> str:
        """One row per kind of traffic."""
        rows = []
        for kind, counts in sorted(self.outcomes.items()):
            times = Percentiles.of(self.durations[kind])
            labels = ", ".join(f"{count} × {label}" for label, count in counts.most_common())
            wrong = sum(n for key, n in self.unexplained.items() if key.startswith(f"{kind}: "))
            rows.append(
                [kind, str(counts.total()), labels, seconds(times.p50), seconds(times.p99),
                 str(wrong)]
            )  # fmt: skip
        return report.table(["traffic", "sent", "answers", "p50", "p99", "unexplained"], rows)


def code_of(answer: httpx.Response) -> str:
    """The error code of a problem or OpenAI error body."""
    try:
        body = answer.json()
        return str(body["error"]["code"] if "error" in body else body["code"])
    except (ValueError, KeyError, TypeError):
        return "(no problem)"


def said(answer: httpx.Response) -> str:
    """The transcribed text of a response, if any."""
    if "json" in answer.headers.get("content-type", ""):
        return str(answer.json().get("text", ""))
    return answer.text


def judged(answer: httpx.Response, right: bool) -> Outcome:
    """The outcome of a good recording."""
    if answer.status_code != 200:
        return Outcome(f"{answer.status_code} {code_of(answer)}", False, answer.text[:200])
    return Outcome("200" if right else "200 other text", right, "" if right else answer.text[:200])


def expected(answer: httpx.Response, codes: set[str]) -> Outcome:
    """The outcome of a request that should be rejected."""
    code = code_of(answer)
    right = code in codes and 400 <= answer.status_code < 500
    if code == "overloaded":
        right &= 1 <= int(answer.headers.get("retry-after", 0)) <= 3600
    return Outcome(f"{answer.status_code} {code}", right, answer.text[:200])
