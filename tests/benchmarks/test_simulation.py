"""The simulation against queueing theory, and the sizing rule against the simulation."""

import math
import random
from dataclasses import replace

import pytest
import simpy

from benchmarks.simulated import (
    HEADROOM,
    Cluster,
    Costs,
    Load,
    Simulation,
    Station,
    arrivals,
    choose,
    demands,
    full,
    needed,
    windows_of,
)

COSTS = Costs()
CLIPS = ((5.0, 1.0),)
"""A single length, to reduce chance."""


def mean_wait(n_servers: int, rate: float, service: object, n: int = 200_000) -> float:
    env, random_ = simpy.Environment(), random.Random(1)
    station = Station(env, n_servers)
    env.process(
        arrivals(env, rate, random_, lambda: station.serve(service(random_)))  # type: ignore[operator]
    )
    env.run(until=n / rate)
    return station.wait_seconds / station.n_served


@pytest.mark.parametrize("load", [0.5, 0.8])
def test_one_server_of_equal_services_waits_as_m_d_1(load: float) -> None:
    expected = load / (2 * (1 - load))  # Pollaczek and Khinchine, in services
    assert mean_wait(1, load, lambda _: 1.0) == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize(("n_servers", "load"), [(1, 0.7), (4, 0.8), (16, 0.9)])
def test_several_servers_wait_as_m_m_c(n_servers: int, load: float) -> None:
    offered = n_servers * load
    last = offered**n_servers / math.factorial(n_servers) / (1 - load)
    others = sum(offered**k / math.factorial(k) for k in range(n_servers))
    expected = last / (others + last) / (n_servers * (1 - load))  # Erlang's C
    wait = mean_wait(n_servers, offered, lambda random_: random_.expovariate(1.0))
    assert wait == pytest.approx(expected, rel=0.08)


def test_the_less_busy_of_two_is_chosen() -> None:
    env, random_ = simpy.Environment(), random.Random(0)
    stations = [Station(env), Station(env)]
    stations[0].serve(10.0)
    chosen = [choose(stations, random_) for _ in range(1000)]
    assert chosen.count(0) == pytest.approx(250, rel=0.2)  # only when drawn twice


def test_windows_cover_a_recording_with_the_measured_overlap() -> None:
    assert windows_of(5.0, COSTS) == [(5.0, 5.0)]
    windows = windows_of(3600.0, COSTS)
    assert sum(new for new, _ in windows) == pytest.approx(3600)
    assert sum(seen for _, seen in windows) / 3600 == pytest.approx(COSTS.audio_seen, rel=0.01)


@pytest.mark.parametrize(("gpus", "rtfx"), [(1, 200.0), (8, 400.0)])
def test_simulated_load_equals_the_rule(gpus: int, rtfx: float) -> None:
    costs = replace(COSTS, audio_seen=1.0)  # clips are seen once
    load = replace(full(gpus, rtfx, costs), mix=CLIPS)
    cluster = needed(load, rtfx, costs)
    outcome = Simulation(load, cluster, costs).run(10_000 / load.requests, 5.0)
    assert outcome.done_rate == pytest.approx(load.audio_rate, rel=0.03)
    for part, share in demands(load, cluster, costs).items():
        assert outcome.busy[part] == pytest.approx(share, rel=0.05), part
        assert share <= HEADROOM * 1.001 or part == "ledger"


def test_an_undersized_part_limits_throughput() -> None:
    costs = replace(COSTS, audio_seen=1.0)
    load = replace(full(8, 2000.0, costs), mix=CLIPS)
    enough = needed(load, 2000.0, costs)
    poor = replace(enough, ingresses=enough.ingresses // 2)
    said = demands(load, poor, costs)
    assert max(said, key=said.__getitem__) == "ingress"
    outcome = Simulation(load, poor, costs).run(4.0, 2.0)
    # Below capacity: a recording passes it twice, and new ones are served in between.
    assert outcome.done_rate < 1.05 * load.audio_rate / said["ingress"]
    ample = Simulation(load, enough, costs).run(4.0, 2.0)
    assert ample.done_rate == pytest.approx(load.audio_rate, rel=0.05)


def test_the_rule_gives_the_smallest_sufficient_cluster() -> None:
    load = Load(50_000.0)
    cluster = needed(load, 5000.0, COSTS)
    shares = demands(load, cluster, COSTS)
    assert max(share for part, share in shares.items() if part != "ledger") <= HEADROOM
    for part, name in (("ingress", "ingresses"), ("decoding", "decode_cores")):
        fewer = replace(cluster, **{name: getattr(cluster, name) - 1})
        assert demands(load, fewer, COSTS)[part] > HEADROOM
    fewer = replace(cluster, engines=cluster.engines - 1)
    shares = demands(load, fewer, COSTS)
    assert max(shares["GPU"], shares["engine's process"]) > HEADROOM


def test_replicas_of_large_clusters_report_less_often() -> None:
    shares = [
        demands(Load(1.0), Cluster(size, 2000.0, 1, 1, 1), COSTS)["ledger"]
        for size in (10, 99, 199, 1000)
    ]
    assert shares == sorted(shares)
    assert shares[1] > 9 * shares[0]  # one report per second each
    assert shares[3] < 2 * shares[2]  # less often
