"""Queues for `benchmarks.simulated`: servers before which work waits, first come first served.

A station needs no event but the end of a service: with work taken in the order in which it comes,
the time at which a server will be free is known when the work arrives (Lindley's recursion).
"""

import heapq
import random
from collections.abc import Generator, Sequence
from typing import Any

import simpy

Steps = Generator[simpy.Event, Any, None]


class Station:
    """``n_servers`` that share one queue."""

    def __init__(self, env: simpy.Environment, n_servers: int = 1) -> None:
        self._env = env
        self._free_at = [0.0] * n_servers
        self.busy_seconds = 0.0
        """Of all its servers, promised work included."""
        self.wait_seconds = 0.0
        self.n_served = 0

    def serve(self, seconds: float) -> simpy.Timeout:
        """The end of a service that takes so long once it begins."""
        now = self._env.now
        starts = max(now, self._free_at[0])
        heapq.heapreplace(self._free_at, starts + seconds)
        self.busy_seconds += seconds
        self.wait_seconds += starts - now
        self.n_served += 1
        return self._env.timeout(starts + seconds - now)

    @property
    def backlog_seconds(self) -> float:
        """Until its next server is free."""
        return max(0.0, self._free_at[0] - self._env.now)


def choose(stations: Sequence[Station], random_: random.Random) -> int:
    """The index of the less busy of two at random, as Ray Serve's router chooses."""
    first, second = random_.randrange(len(stations)), random_.randrange(len(stations))
    if stations[first].backlog_seconds <= stations[second].backlog_seconds:
        return first
    return second


def arrivals(env: simpy.Environment, rate: float, random_: random.Random, arrive: Any) -> Steps:
    """Calls ``arrive()`` ``rate`` times a second on average, at moments of a Poisson process."""
    while True:
        yield env.timeout(random_.expovariate(rate))
        arrive()
