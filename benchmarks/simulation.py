"""What saturates first in a cluster of 1 to 1,000 GPUs, and does the sizing rule hold?

``uv run --group bench python -m benchmarks.simulation --plot docs/images/scaling.png``

The size for 2,500 hours of audio per hour on GPUs with RTFx 4,000:
``uv run --group bench python -m benchmarks.simulation --hours 2500 --rtfx 4000``
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks import report
from benchmarks.report import Percentiles, check_plot, seconds, table
from benchmarks.setting import describe
from benchmarks.simulated import HEADROOM, Cluster, Costs, Load, Simulation, demands, full, needed

ASSUMED_RTFX = (2000.0, 5000.0, 10_000.0)
"""Of a GPU; none was available to measure."""
HOURS = (10, 100, 1000, 10_000, 100_000, 1_000_000)
SIZES = (1, 2, 4, 8, 16, 32, 64, 125, 250, 500, 1000)
CHECKED = ((1, 2000.0), (10, 2000.0), (10, 10_000.0), (100, 2000.0), (1000, 2000.0))
"""Number and RTFx of the GPUs in the simulated clusters."""
DEFAULT_INGRESSES, DECODE_CORES, GPUS_PER_NODE = 4, 4, 8
"""STT_CLUSTER_INGRESSES, STT_DECODE_THREADS, and assumed GPUs per node; each node has a proxy."""
WARMING_SECONDS = 10.0
RECORDINGS = 12_000
"""To simulate; lengths differ so much that fewer would be too noisy."""


def with_defaults(gpus: int, rtfx: float) -> Cluster:
    """A cluster with default settings."""
    return Cluster(
        gpus, rtfx, DEFAULT_INGRESSES, DEFAULT_INGRESSES * DECODE_CORES,
        proxies=-(-gpus // GPUS_PER_NODE),
    )  # fmt: skip


def saturation_table(costs: Costs) -> str:
    """The number of busy GPUs at which each part saturates, with default settings."""
    rows = []
    for rtfx in ASSUMED_RTFX:
        limits = {}
        for gpus in range(1, 8001):
            found = demands(full(gpus, rtfx, costs), with_defaults(gpus, rtfx), costs)
            for part, share in found.items():
                if share >= 1 and part not in limits:
                    limits[part] = gpus
        parts = ["engine's process", "ingress", "decoding", "network", "proxy", "ledger"]
        rows.append([f"{rtfx:g}", *(str(limits.get(part, "> 8000")) for part in parts)])
    return table(
        ["RTFx of a GPU", "engine's process", "ingress", "decoding", "network", "proxy", "ledger"],
        rows,
    )


def needed_table(costs: Costs, all_hours: Sequence[float], rtfxs: Sequence[float]) -> str:
    """The sizing rule for several loads."""
    rows = []
    for hours in all_hours:
        load = Load(float(hours))
        for rtfx in rtfxs:
            cluster = needed(load, rtfx, costs)
            crossing = load.audio_rate * costs.audio_seen * costs.window_bytes * 8 / 1e9
            rows.append(
                [f"{hours:,.0f}", f"{rtfx:,.0f}", str(cluster.engines), str(cluster.ingresses),
                 str(cluster.decode_cores), str(cluster.proxies), f"{crossing:,.2f} Gbit/s"]
            )  # fmt: skip
    heads = [
        "hours per hour",
        "RTFx",
        "engines",
        "ingress replicas",
        "cores for decoding",
        "proxies",
    ]
    return table([*heads, "between them"], rows)


def checked_table(costs: Costs) -> str:
    """Compare simulated clusters, sized by the rule, with the rule."""
    rows = []
    for gpus, rtfx in CHECKED:
        load = full(gpus, rtfx, costs)
        cluster = needed(load, rtfx, costs)
        length = RECORDINGS / load.requests
        outcome = Simulation(load, cluster, costs).run(length, WARMING_SECONDS)
        came = Load(outcome.done_rate)
        said = demands(came, cluster, costs)
        worst, part = max((abs(outcome.busy[p] / said[p] - 1), p) for p in said)
        first, share = max(outcome.busy.items(), key=lambda each: each[1])
        clips = Percentiles.of(outcome.clip_seconds)
        rows.append(
            [str(gpus), f"{rtfx:g}", f"{load.audio_rate:,.0f}", f"{outcome.done_rate:,.0f}",
             f"{first}, {share:.0%}", f"{worst:.1%} ({part})",
             seconds(outcome.window_wait_seconds), f"{seconds(clips.p50)}, {seconds(clips.p95)}"]
        )  # fmt: skip
    heads = ["GPUs", "RTFx", "hours per hour", "done", "busiest", "worst deviation"]
    return table([*heads, "wait for a GPU", "a 5 s clip: p50, p95"], rows)


def plot(path: Path, costs: Costs) -> None:
    """Plot demands with default settings, and the sizes by the rule."""
    plt = report.pyplot()
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5))
    rtfx = ASSUMED_RTFX[0]
    shares = [demands(full(each, rtfx, costs), with_defaults(each, rtfx), costs) for each in SIZES]
    for part in shares[0]:
        left.plot(SIZES, [each[part] for each in shares], marker=".", label=part)
    left.axhline(1, color="#999", linestyle="--")
    left.set(
        xscale="log", yscale="log", xlabel=f"GPUs of RTFx {rtfx:g}, busy to {HEADROOM:.0%}",
        ylabel="share of its capacity", title="Default settings", ylim=(0.005, 300),
    )  # fmt: skip
    hours = [10.0 * 10 ** (step / 4) for step in range(21)]
    clusters = [needed(Load(each), rtfx, costs) for each in hours]
    for name, label in (
        ("decode_cores", "cores for decoding"), ("ingresses", "ingress replicas"),
        ("engines", "engines"), ("proxies", "proxies"),
    ):  # fmt: skip
        right.plot(hours, [getattr(each, name) for each in clusters], marker=".", label=label)
    right.set(
        xscale="log", yscale="log", xlabel="hours of audio per hour", ylabel="number",
        title="Sizing rule",
    )  # fmt: skip
    for axis in (left, right):
        axis.grid(alpha=0.2)
        axis.legend()
    report.save(figure, path, "From one GPU to a thousand")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--hours", type=float, help="audio per hour; print only the rule")
    parser.add_argument("--rtfx", type=float, help="of one GPU or CPU engine", default=2000.0)
    options = parser.parse_args()
    check_plot(options.plot)
    costs = Costs()
    if options.hours:
        print(needed_table(costs, [options.hours], [options.rtfx]))
        return
    print(describe(), "\n")
    print(saturation_table(costs), "\n")
    print(needed_table(costs, HOURS, (ASSUMED_RTFX[0], ASSUMED_RTFX[-1])), "\n")
    if options.plot:
        plot(options.plot, costs)
    print(checked_table(costs))


if __name__ == "__main__":
    main()
