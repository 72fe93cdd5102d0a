"""How fast is the service through HTTP, compared with a naive app and with the engine alone?

``uv run python -m benchmarks.service --shape xlsr-large --audio-seconds 10 --at-once 1 8 64``

This service and `benchmarks.naive_app` run as real processes on loopback with the same checkpoint
and get the same uploads, round by round. The bare engine is measured in the same rounds in its own
process. *Overhead* is the median latency of a lone request minus the bare forward; *around its
forward* subtracts the forward that the service itself measured, since forwards in two processes
differ. *Of bare* is the share of the throughput of the bare engine, batched if that is faster; on a
machine that others share, it says as much of them. *In forwards* is the share of the time in which
the service was computing one, by its own count.

A quick look: ``--shape ko-mini --at-once 1 4 --rounds 1 --requests 4 --sides ours``.
"""

import argparse
import asyncio
import os
import re
import sys
import time
import unicodedata
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median

import httpx
import numpy as np

from benchmarks import report
from benchmarks.engine import PAUSE_SECONDS
from benchmarks.load import (
    FORMATS,
    TIMEOUT_SECONDS,
    Prober,
    Run,
    Upload,
    make_upload,
    run_load,
    send,
)
from benchmarks.report import Percentiles, seconds
from benchmarks.servers import Server, naive, ours
from benchmarks.setting import describe
from benchmarks.shapes import MODEL_CACHE, NAMES, find_shape, optimized_model
from benchmarks.timed_engine import TimedEngine
from benchmarks.workers import Worker
from stt.engines.device import available_cores
from stt.engines.limits import limits_of
from stt.types import SAMPLE_RATE

SIDES = ("ours", "naive")
N_CLIPS = 4
"""Different recordings per format."""
Runs = dict[tuple[str, int], Run]


def our_settings(options: argparse.Namespace) -> dict[str, str]:
    """Environment of our side: engine, a queue with room for the load, then ``--set``."""
    backend, _, precision = options.engine.partition("-")
    room = max(600.0, 2 * max(options.at_once) * options.audio_seconds)
    return {
        "STT_DEVICE": options.device,
        "STT_CPU_THREADS": str(options.threads),
        "STT_BACKEND": backend,
        "STT_PRECISION": precision,
        "STT_CACHE_DIR": str(MODEL_CACHE),
        "STT_MAX_QUEUE_SECONDS": f"{room:g}",
        **dict(each.split("=", 1) for each in options.set),
    }


def start(options: argparse.Namespace, stack: ExitStack) -> tuple[list[Server], dict[str, float]]:
    """Start the sides, one after the other; return them and their median start times."""
    folder = find_shape(options.shape)
    backend, _, precision = options.engine.partition("-")
    if backend == "openvino":
        optimized_model(folder, precision)
    sides = {
        "ours": ours(folder, our_settings(options)),
        "naive": naive(folder, options.threads),
    }
    servers, start_seconds = [], {}
    for name in options.sides:
        times = []
        for number in range(options.starts):
            server = Server(sides[name])
            times.append(server.start_seconds)
            print(f"{name} was ready after {server.start_seconds:.1f} s", file=sys.stderr)
            if number + 1 < options.starts:
                server.close()
        stack.enter_context(closing(server))
        servers.append(server)
        start_seconds[name] = median(times)
    return servers, start_seconds


def hear(server: Server, uploads: list[Upload]) -> list[str]:
    """Send each upload once to warm the service; return the texts."""
    with httpx.Client(base_url=server.url, timeout=TIMEOUT_SECONDS) as client:
        return [str(send(client, upload).raise_for_status().json()["text"]) for upload in uploads]


def difference(texts: list[str], others: list[str]) -> float:
    """Share of characters that differ after NFC normalisation; 0 if all texts are empty."""
    import jiwer

    left, right = (
        [unicodedata.normalize("NFC", text).strip() for text in side] for side in (texts, others)
    )
    return float(jiwer.cer("\n".join(left) or " ", "\n".join(right) or " "))


def measure(
    options: argparse.Namespace,
    servers: list[Server],
    bare: Worker,
    prober: Worker,
    uploads: list[Upload],
) -> tuple[Runs, dict[int, list[float]]]:
    """Run all rounds; return the uploads' results and the bare engine's seconds by rows."""
    n_samples = round(options.audio_seconds * SAMPLE_RATE)
    device = our_settings(options)["STT_DEVICE"]
    default = limits_of(device).batch_seconds
    batch_seconds = float(our_settings(options).get("STT_BATCH_SECONDS", default))
    batch = max(1, int(batch_seconds // options.audio_seconds))
    bare_seconds: dict[int, list[float]] = {rows: [] for rows in {1, batch}}
    runs: Runs = {}
    for rows in bare_seconds:
        bare.ask("forward", n_samples, rows)
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        for rows, times in bare_seconds.items():
            time.sleep(PAUSE_SECONDS)
            times += [bare.ask("forward", n_samples, rows) for _ in range(options.bare)]
        for at_once in options.at_once:
            for server in servers if number % 2 == 0 else servers[::-1]:
                time.sleep(PAUSE_SECONDS)
                prober.ask("start", server.url + server.side.alive_path)
                count = max(at_once, options.requests)
                before = forward_seconds(server.url)
                run = asyncio.run(run_load(server.url, uploads, count, at_once))
                run.forward_seconds = forward_seconds(server.url) - before
                run.probes, run.failed_probes = prober.ask("stop")
                runs.setdefault((server.side.name, at_once), Run()).add(run)
    return runs, bare_seconds


def forward_seconds(url: str) -> float:
    """Seconds the service has spent in its model so far; 0 without metrics."""
    answer = httpx.get(f"{url}/metrics", timeout=TIMEOUT_SECONDS)
    found = re.search(r"^stt_inference_duration_seconds_sum (\S+)$", answer.text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def around_forward(run: Run) -> str:
    """Mean latency of lone requests minus the forward that the service measured."""
    if not run.forward_seconds:
        return ""
    around = (sum(run.latencies) - run.forward_seconds) / len(run.latencies)
    return f"{1000 * around:+.0f} ms"


def in_forwards(run: Run) -> str:
    """Share of the wall time that the service spent in its model."""
    return f"{run.forward_seconds / run.wall_seconds:.0%}" if run.forward_seconds else ""


def service_table(runs: Runs, bare_forward: float, bare_throughput: float) -> str:
    """Latency, throughput and probes by side and number of clients."""
    rows = []
    for (side, at_once), run in runs.items():
        latency, probe = Percentiles.of(run.latencies), Percentiles.of(run.probes)
        overhead = 1000 * (latency.p50 - bare_forward)
        others = [f"{count} × {name}" for name, count in sorted(run.others.items())]
        if run.failed_probes:
            others.append(f"{run.failed_probes} probes failed")
        rows.append(
            [
                side,
                str(at_once),
                str(len(run.latencies)),
                *(seconds(each) for each in (latency.p50, latency.p95, latency.p99)),
                f"{overhead:+.0f} ms" if at_once == 1 and run.latencies else "",
                around_forward(run) if at_once == 1 and run.latencies else "",
                f"{run.throughput:.3g}",
                f"{run.throughput / bare_throughput:.0%}",
                in_forwards(run) if at_once > 1 else "",
                seconds(probe.p50),
                seconds(probe.p99),
                ", ".join(others) or "none",
            ]
        )
    heads = ["side", "at once", "answered", "p50", "p95", "p99", "overhead", "around its forward"]
    heads += ["audio s/s", "of bare", "in forwards", "probe p50", "p99", "other answers"]
    return report.table(heads, rows)


def process_table(
    start_seconds: Mapping[str, float],
    idle: Mapping[str, float],
    servers: list[Server],
) -> str:
    """Start time and memory of each side."""
    rows = []
    for server in servers:
        name, memory = server.side.name, server.memory()
        cells = [idle[name], memory.resident, memory.peak]
        rows.append([name, seconds(start_seconds[name]), *(f"{each:.0f} MB" for each in cells)])
    heads = ["side", "start to ready", "resident when ready", "resident at the end", "peak"]
    return report.table(heads, rows)


def plot(path: Path, title: str, runs: Runs, bare_throughput: float) -> None:
    """Plot throughput, latency and probes by number of clients."""
    plt = report.pyplot()
    figure, (speed, wait, alive) = plt.subplots(1, 3, figsize=(14, 4.4))
    sides = list(dict.fromkeys(side for side, _ in runs))
    loads = list(dict.fromkeys(at_once for _, at_once in runs))
    width = 0.8 / len(sides)
    for index, side in enumerate(sides):
        places = np.arange(len(loads)) + (index - (len(sides) - 1) / 2) * width
        colour = report.COLOURS[index]
        mine = [runs[side, at_once] for at_once in loads]
        bars = speed.bar(places, [run.throughput for run in mine], width, color=colour, label=side)
        speed.bar_label(bars, fmt="%.3g")
        for axis, kind in ((wait, "latencies"), (alive, "probes")):
            values = [Percentiles.of(getattr(run, kind)) for run in mine]
            middles = np.array([value.p50 for value in values])
            tops = np.array([value.p99 for value in values])
            axis.errorbar(
                places, middles, [np.zeros(len(loads)), tops - middles],
                fmt="o", color=colour, capsize=5, label=side,
            )  # fmt: skip
    speed.axhline(bare_throughput, color="grey", linestyle="--", label="the bare engine")
    for axis, label in (
        (speed, "audio seconds per second"),
        (wait, "latency, s: median and 99th percentile"),
        (alive, "liveness probe, s: median and 99th percentile"),
    ):
        axis.set(xticks=range(len(loads)), xticklabels=loads, xlabel="clients", title=label)
        axis.grid(alpha=0.2, axis="y")
        axis.legend()
    wait.set_yscale("log")
    alive.set_yscale("log")
    report.save(figure, path, title)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shape", choices=NAMES, default="xlsr-large")
    parser.add_argument("--engine", default="torch-auto", help="of our side: BACKEND-PRECISION")
    parser.add_argument("--sides", choices=SIDES, nargs="+", default=list(SIDES))
    parser.add_argument("--audio-seconds", type=float, default=10.0)
    parser.add_argument("--formats", choices=list(FORMATS), nargs="+", default=["wav"])
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument(
        "--requests", type=int, default=10, help="per round; at least one per client"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bare", type=int, default=3, help="bare forwards per round")
    parser.add_argument("--starts", type=int, default=1, help="number of starts of each side")
    parser.add_argument("--threads", type=int, default=available_cores())
    parser.add_argument("--device", default="cpu", help="of our side: cpu, cuda or cuda:N")
    parser.add_argument("--set", nargs="+", default=[], metavar="STT_X=Y", help="our settings")
    parser.add_argument("--plot", type=Path, help="write a plot here (PNG)")
    options = parser.parse_args(arguments)
    for name in ("rounds", "requests", "starts", "bare"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1")
    if wrong := [each for each in options.set if "=" not in each]:
        parser.error(f"--set {wrong[0]}: expected NAME=VALUE")
    options.device = "cuda:0" if options.device == "cuda" else options.device
    return options


def main(arguments: list[str] | None = None) -> None:
    options = parse(arguments)
    report.check_plot(options.plot)
    load = os.getloadavg()[0]
    uploads = [
        make_upload(format_name, options.audio_seconds, offset=number * 7919)
        for number in range(N_CLIPS)
        for format_name in options.formats
    ]
    with ExitStack() as stack:
        servers, start_seconds = start(options, stack)
        texts = [hear(server, uploads) for server in servers]
        idle = {server.side.name: server.memory().resident for server in servers}
        bare = Worker(
            TimedEngine, options.engine, find_shape(options.shape), options.device, options.threads
        )
        stack.enter_context(closing(bare))
        prober = stack.enter_context(closing(Worker(Prober)))
        runs, bare_seconds = measure(options, servers, bare, prober, uploads)
        forward = median(bare_seconds[1])
        throughput = max(
            rows * options.audio_seconds / median(times) for rows, times in bare_seconds.items()
        )
        settings = " ".join(f"{name}={value}" for name, value in our_settings(options).items())
        print(f"{describe()} Load average at the start: {load:.1f}.\n")
        print(f"Ours with {settings}.")
        print(
            f"The bare engine ({options.engine}): {seconds(forward)} for {options.audio_seconds:g} "
            f"s of audio, at most {throughput:.3g} audio seconds per second."
        )
        if len(texts) == len(SIDES):
            print(f"The sides' texts differ in {difference(*texts):.1%} of the characters.")
        print("\n" + service_table(runs, forward, throughput) + "\n")
        print(process_table(start_seconds, idle, servers))
        if options.plot:
            title = f"{options.shape}, {options.audio_seconds:g} s clips, {options.threads} cores"
            plot(options.plot, title, runs, throughput)


if __name__ == "__main__":
    main()
