"""The simulated cluster of `benchmarks.simulation`.

Recordings of mixed lengths arrive at random. Each passes a proxy, an ingress replica, its decode
processes, the network and an engine, with as many windows in flight as a GPU takes. Replicas report
to the ledger. The cost of each step was measured (docs/scaling.md); the speed of a GPU is assumed.
`demands` computes the same load without chance; tests compare the two.
"""

import heapq
import math
import random
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import simpy

from stt.cluster.ledger import MIN_REPORT_SECONDS, REPORTS_PER_SECOND
from stt.engines.limits import GPU
from stt.settings import Settings

WINDOW_SECONDS: float = Settings.model_fields["window_seconds"].default
CONTEXT_SECONDS: float = Settings.model_fields["context_seconds"].default
IN_FLIGHT = GPU.windows_in_flight
MIX = ((5.0, 0.5), (60.0, 0.3), (600.0, 0.18), (3600.0, 0.02))
"""Assumed lengths of recordings in seconds, and their shares."""
HEADROOM = 0.7
"""The largest share of its capacity that any part may use."""


Steps = Generator[simpy.Event, Any, None]


class Station:
    """``n_servers`` with a shared first-come, first-served queue (Lindley's recursion)."""

    def __init__(self, env: simpy.Environment, n_servers: int = 1) -> None:
        self._env = env
        self._free_at = [0.0] * n_servers
        self.busy_seconds = 0.0
        """Of all servers, including accepted work."""
        self.wait_seconds = 0.0
        self.n_served = 0

    def serve(self, seconds: float) -> simpy.Timeout:
        """An event at the end of a service of ``seconds``."""
        now = self._env.now
        starts = max(now, self._free_at[0])
        heapq.heapreplace(self._free_at, starts + seconds)
        self.busy_seconds += seconds
        self.wait_seconds += starts - now
        self.n_served += 1
        return self._env.timeout(starts + seconds - now)

    @property
    def backlog_seconds(self) -> float:
        """Time until the next server is free."""
        return max(0.0, self._free_at[0] - self._env.now)


def choose(stations: Sequence[Station], random_: random.Random) -> int:
    """The index of the less busy of two random stations, as in Ray Serve's router."""
    first, second = random_.randrange(len(stations)), random_.randrange(len(stations))
    if stations[first].backlog_seconds <= stations[second].backlog_seconds:
        return first
    return second


def arrivals(env: simpy.Environment, rate: float, random_: random.Random, arrive: Any) -> Steps:
    """Call ``arrive()`` in a Poisson process of ``rate`` per second."""
    while True:
        yield env.timeout(random_.expovariate(rate))
        arrive()


@dataclass(frozen=True)
class Costs:
    """Processor seconds and bytes, as measured in docs/scaling.md."""

    proxy_seconds: float = 0.035e-3
    """Ray's proxy, per second of audio: MP3, 9 kB per second."""
    ingress_seconds: float = 0.46e-3
    """The process of an ingress replica, per second of audio."""
    decode_seconds: float = 0.87e-3
    """Its decode processes: MP3, 44.1 kHz, mono. WAV 0.16e-3, stereo AAC 3.0e-3."""
    engine_seconds: float = 0.27e-3
    """The process of an engine replica, per second of audio, without the forward."""
    proxy_request_seconds: float = 6.9e-3
    ingress_request_seconds: float = 13.8e-3
    """The cost of a request without that of its audio."""
    upload_bytes: float = 9e3
    """Per second of audio."""
    window_bytes: float = 64e3
    frame_bytes: float = 515.0
    """Per second of a window, to the engine and back."""
    audio_seen: float = 1.18
    """Seconds in windows per second of audio: docs/benchmarks.md, Windows."""
    report_seconds: float = 2.5e-3
    """The process of the ledger, per report."""
    report_member_seconds: float = 0.47e-6
    """... and per known replica."""
    scrape_member_seconds: float = 56e-6
    """The same, per replica, for each read of all metrics."""
    scrape_every_seconds: float = 15.0


@dataclass(frozen=True)
class Cluster:
    """The number of each part."""

    engines: int
    rtfx: float
    ingresses: int
    decode_cores: int
    """In all ingress replicas together."""
    proxies: int
    nic_bytes: float = 1.25e9
    """Per second and node of an ingress replica: 10 Gbit/s, assumed."""

    @property
    def members(self) -> int:
        """Replicas that report to the ledger."""
        return self.engines + self.ingresses


@dataclass(frozen=True)
class Load:
    """The offered load."""

    audio_rate: float
    """Seconds of audio per second, or hours per hour."""
    mix: tuple[tuple[float, float], ...] = MIX

    @property
    def mean_seconds(self) -> float:
        """Mean length of a recording."""
        return sum(length * share for length, share in self.mix)

    @property
    def requests(self) -> float:
        """Requests per second."""
        return self.audio_rate / self.mean_seconds


def demands(load: Load, cluster: Cluster, costs: Costs) -> dict[str, float]:
    """The load of each part as a share of its capacity."""
    rate, seen = load.audio_rate, load.audio_rate * costs.audio_seen
    interval = max(MIN_REPORT_SECONDS, cluster.members / REPORTS_PER_SECOND)
    a_report = costs.report_seconds + costs.report_member_seconds * cluster.members
    a_scrape = costs.scrape_member_seconds * cluster.members
    crossing = rate * costs.upload_bytes + seen * (costs.window_bytes + costs.frame_bytes)
    proxy = rate * costs.proxy_seconds + load.requests * costs.proxy_request_seconds
    ingress = rate * costs.ingress_seconds + load.requests * costs.ingress_request_seconds
    return {
        "GPU": seen / cluster.rtfx / cluster.engines,
        "engine's process": rate * costs.engine_seconds / cluster.engines,
        "ingress": ingress / cluster.ingresses,
        "decoding": rate * costs.decode_seconds / cluster.decode_cores,
        "proxy": proxy / cluster.proxies,
        "network": crossing / cluster.nic_bytes / cluster.ingresses,
        "ledger": cluster.members / interval * a_report + a_scrape / costs.scrape_every_seconds,
    }


def needed(load: Load, rtfx: float, costs: Costs, headroom: float = HEADROOM) -> Cluster:
    """The sizing rule: the smallest cluster with all parts below ``headroom``."""
    one = demands(load, Cluster(1, rtfx, 1, 1, 1), costs)

    def count(*parts: str) -> int:
        return max(math.ceil(one[part] / headroom) for part in parts)

    return Cluster(
        engines=count("GPU", "engine's process"), rtfx=rtfx,
        ingresses=count("ingress", "network"), decode_cores=count("decoding"),
        proxies=count("proxy"),
    )  # fmt: skip


def windows_of(seconds: float, costs: Costs) -> list[tuple[float, float]]:
    """(seconds of new audio, seconds in the model) of each window of a recording."""
    if seconds <= WINDOW_SECONDS:
        return [(seconds, seconds)]
    step = WINDOW_SECONDS / costs.audio_seen
    count = math.ceil((seconds - 2 * CONTEXT_SECONDS) / step)
    edges = [seconds * index / count for index in range(count + 1)]
    return [(end - start, WINDOW_SECONDS) for start, end in pairwise(edges)]


@dataclass(frozen=True)
class Outcome:
    """Results of a simulation."""

    busy: dict[str, float]
    """As `demands`, but simulated."""
    done_rate: float
    """Seconds of audio completed per second."""
    window_wait_seconds: float
    """Mean wait for a GPU."""
    clip_seconds: tuple[float, ...]
    """Latencies of recordings that fit one window."""


class Simulation:
    """A simulation, reproducible by ``seed``."""

    def __init__(self, load: Load, cluster: Cluster, costs: Costs, seed: int = 0) -> None:
        self._load, self._cluster, self._costs = load, cluster, costs
        self._random = random.Random(seed)
        env = self._env = simpy.Environment()
        self._gpus = [Station(env) for _ in range(cluster.engines)]
        self._engines = [Station(env) for _ in range(cluster.engines)]
        self._ingresses = [Station(env) for _ in range(cluster.ingresses)]
        self._decoders = [Station(env) for _ in range(cluster.decode_cores)]
        self._proxies = [Station(env) for _ in range(cluster.proxies)]
        self._network = [Station(env) for _ in range(cluster.ingresses)]
        self._ledger = Station(env)
        self._done_seconds = 0.0
        self._clips: list[float] = []

    def run(self, seconds: float, warming_seconds: float) -> Outcome:
        """Run, and count only after warming."""
        env = self._env
        env.process(arrivals(env, self._load.requests, self._random, self._arrive))
        interval = max(MIN_REPORT_SECONDS, self._cluster.members / REPORTS_PER_SECOND)
        for _ in range(self._cluster.members):
            env.process(self._report(interval))
        env.process(self._scrape())
        env.run(until=warming_seconds)
        kinds = {
            "GPU": self._gpus, "engine's process": self._engines, "ingress": self._ingresses,
            "decoding": self._decoders, "proxy": self._proxies, "network": self._network,
            "ledger": [self._ledger],
        }  # fmt: skip
        before = {kind: sum(each.busy_seconds for each in all_) for kind, all_ in kinds.items()}
        waited, served = self._waits()
        self._done_seconds = 0.0
        self._clips.clear()
        env.run(until=warming_seconds + seconds)
        busy = {
            kind: (sum(each.busy_seconds for each in all_) - before[kind]) / seconds / len(all_)
            for kind, all_ in kinds.items()
        }
        now_waited, now_served = self._waits()
        wait = (now_waited - waited) / max(1, now_served - served)
        return Outcome(busy, self._done_seconds / seconds, wait, tuple(self._clips))

    def _waits(self) -> tuple[float, int]:
        return sum(e.wait_seconds for e in self._gpus), sum(e.n_served for e in self._gpus)

    def _arrive(self) -> None:
        lengths, shares = zip(*self._load.mix, strict=True)
        (length,) = self._random.choices(lengths, shares)
        self._env.process(self._recording(length))

    def _recording(self, length: float) -> Steps:
        costs, started = self._costs, self._env.now
        proxy = self._proxies[choose(self._proxies, self._random)]
        yield proxy.serve(costs.proxy_request_seconds + length * costs.proxy_seconds)
        index = choose(self._ingresses, self._random)
        ingress, network = self._ingresses[index], self._network[index]
        yield ingress.serve(costs.ingress_request_seconds)
        yield network.serve(length * costs.upload_bytes / self._cluster.nic_bytes)
        tokens = simpy.Resource(self._env, IN_FLIGHT)
        out = []
        # A recording stays on its decode process.
        decoder = self._decoders[choose(self._decoders, self._random)]
        for new_seconds, seen_seconds in windows_of(length, costs):
            token = tokens.request()
            yield token
            yield decoder.serve(new_seconds * costs.decode_seconds)
            window = self._window(new_seconds, seen_seconds, ingress, network, tokens, token)
            out.append(self._env.process(window))
        yield simpy.AllOf(self._env, out)
        if length <= WINDOW_SECONDS:
            self._clips.append(self._env.now - started)

    def _window(
        self, new_seconds: float, seen_seconds: float, ingress: Station, network: Station,
        tokens: simpy.Resource, token: simpy.resources.resource.Request,
    ) -> Steps:  # fmt: skip
        costs = self._costs
        yield ingress.serve(new_seconds * costs.ingress_seconds)
        crossing = seen_seconds * (costs.window_bytes + costs.frame_bytes)
        yield network.serve(crossing / self._cluster.nic_bytes)
        index = choose(self._gpus, self._random)
        yield self._engines[index].serve(new_seconds * costs.engine_seconds)
        yield self._gpus[index].serve(seen_seconds / self._cluster.rtfx)
        tokens.release(token)
        self._done_seconds += new_seconds

    def _report(self, interval: float) -> Steps:
        costs = self._costs
        yield self._env.timeout(self._random.uniform(0, interval))
        while True:
            yield self._ledger.serve(
                costs.report_seconds + costs.report_member_seconds * self._cluster.members
            )
            yield self._env.timeout(interval)

    def _scrape(self) -> Steps:
        costs = self._costs
        while True:
            yield self._env.timeout(costs.scrape_every_seconds)
            yield self._ledger.serve(costs.scrape_member_seconds * self._cluster.members)


def full(gpus: int, rtfx: float, costs: Costs) -> Load:
    """The load that keeps ``gpus`` GPUs busy to `HEADROOM`."""
    return Load(HEADROOM * gpus * rtfx / costs.audio_seen)
