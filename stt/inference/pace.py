"""When to choose the next batch: just before the device is done with the one that runs.

Too early, and what arrives meanwhile is left out, and what somebody says now waits for a batch that
was chosen before it came. Too late, and the device waits for its next batch to be copied and
launched.
"""

import math
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

LEAD_SECONDS = 0.01
"""From choosing a batch to its first pass on the device: changing threads, copying 160 s of audio
(10 MB) to pinned memory, launching some 400 kernels."""
RISE = 0.3
"""Share of a longer time that counts at once. A shorter one counts in full: the first batch of a
size takes longer than all later ones."""
MOST_CHANGE = 2.0
"""Of an estimate at a time: if two batches end together, one seems to have taken no time."""


@dataclass(eq=False)
class Flight:
    """A batch that has been launched."""

    kind: Hashable
    """What computes it, and its size: batches of one kind take about the same time."""
    expected_seconds: float
    """On the device, once it is its turn; 0 if nothing is known."""
    began: float
    """When it was launched or, if that is later, when the one before it ended."""


class Pace:
    """The batches on one device, which computes them one after the other."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """``clock`` returns seconds; replaced in tests."""
        self._clock = clock
        self._flights: list[Flight] = []
        self._seconds: dict[Hashable, float] = {}
        """How long a batch of each kind takes."""

    @property
    def n_flying(self) -> int:
        """Batches in flight."""
        return len(self._flights)

    def seconds_until_next(self) -> float:
        """Time until the next batch should be chosen; 0: now."""
        if not self._flights:
            return 0.0
        first, *others = self._flights
        rest = max(0.0, first.began + first.expected_seconds - self._clock())
        rest += sum(each.expected_seconds for each in others)
        return max(0.0, rest - LEAD_SECONDS)

    def began(self, engine: Hashable, padded_seconds: float) -> Flight:
        """Note that a batch is launched."""
        kind = engine, round(2 * math.log2(max(0.1, padded_seconds)))
        flight = Flight(kind, self._seconds.get(kind, 0.0), self._clock())
        self._flights.append(flight)
        return flight

    def ended(self, flight: Flight) -> float:
        """Note that a batch has ended; return the seconds that it was on the device."""
        now = self._clock()
        seconds, expected = max(0.0, now - flight.began), flight.expected_seconds
        if len(self._flights) > 1:  # it may have ended together with another one
            seconds = max(seconds, expected / MOST_CHANGE)
        known = self._seconds.get(flight.kind, math.inf)
        rise = 1.0 if seconds < known else RISE
        self._seconds[flight.kind] = (
            seconds if math.isinf(known) else known + rise * (seconds - known)
        )
        self._flights.remove(flight)
        for other in self._flights:
            other.began = max(other.began, now)
        return seconds
