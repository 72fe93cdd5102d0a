"""How fast are the engines, compared with a naive pipeline and with the limits of the machine?

``uv run python -m benchmarks.engine --shape xlsr-large --audio-seconds 10 20 --rounds 5
--engines naive torch-fp32 torch-bf16 openvino-bf16 openvino-int8``

``naive`` is transformers' speech recognition pipeline in fp32 with eager attention; ``naive-sdpa``
has transformers' default attention. ``onnxruntime-fp32`` and ``onnxruntime-int8`` compute the
checkpoint exported to ONNX (`benchmarks.onnx_models`). The others are engines of the service, named
by ``STT_BACKEND`` and ``STT_PRECISION``. Each engine has its own process. They take turns, so that
other load on the machine affects all alike; a turn starts with an untimed second of audio to warm
the caches. *Floor* is the time that the matrix products of the model take at the rate measured just
before and after the forward: shared machines change theirs by a factor of two within a minute.

``--lengths N``: the extra cost of a new length. ``--memory-lengths N``: resident memory over random
lengths. ``--flat SECONDS ...``: time per second of audio, from clips to hours.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import report
from benchmarks.report import Footprint, Timing, seconds
from benchmarks.setting import describe
from benchmarks.shapes import NAMES, count_flops, find_shape, read_config
from benchmarks.timed_engine import NAIVE, PEERS, Loading, TimedEngine, TimedGemm, WindowedRun
from benchmarks.workers import Memory, Unavailable, Worker
from stt.engines.device import available_cores
from stt.types import SAMPLE_RATE

ENGINES = (*NAIVE, *PEERS, "torch-fp32", "torch-bf16", "openvino-bf16", "openvino-int8")
PAUSE_SECONDS = 0.25
"""Between turns: idle OpenMP threads spin for up to 200 ms."""
SHORTEST_SECONDS, LONGEST_SECONDS = 0.5, 20.0
"""Range of random lengths, up to one window of the service."""


@dataclass(frozen=True)
class Entrant:
    """A loaded engine."""

    name: str
    worker: Worker
    loading: Loading


def enter(options: argparse.Namespace, stack: ExitStack) -> list[Entrant]:
    """Load all engines, one after the other; report those that are skipped."""
    folder = find_shape(options.shape)
    entrants = []
    for name in options.engines:
        try:
            worker = Worker(TimedEngine, name, folder, options.device, options.threads)
        except Unavailable as reason:
            print(f"{name} is skipped: {reason}", file=sys.stderr)
            continue
        stack.enter_context(closing(worker))
        entrants.append(Entrant(name, worker, worker.ask("loading")))
        print(f"{name} is loaded", file=sys.stderr)
    if not entrants:
        sys.exit("No engine can be measured; the reasons are above.")
    return entrants


def take_turns(entrants: list[Entrant], rounds: int) -> Iterator[tuple[int, Entrant]]:
    """Yield every engine once per round, after a pause; the first one rotates."""
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        begin = number % len(entrants)
        for entrant in entrants[begin:] + entrants[:begin]:
            time.sleep(PAUSE_SECONDS)
            yield number, entrant


def measure_speed(options: argparse.Namespace, entrants: list[Entrant], gemm: Worker) -> None:
    """The main tables: forwards of fixed lengths, memory and agreement."""
    config = read_config(find_shape(options.shape))
    flops = {
        length: count_flops(config, round(length * SAMPLE_RATE)).total
        for length in options.audio_seconds
    }
    times: dict[tuple[str, float], list[float]] = {}
    rates: dict[tuple[str, float], list[float]] = {}
    for _, entrant in take_turns(entrants, options.rounds + 1):
        # Not timed: refills the processor's caches and maps pages again.
        entrant.worker.ask("forward", SAMPLE_RATE)
        before = rate_now(gemm, entrant)
        for length in options.audio_seconds:
            taken = entrant.worker.ask("forward", round(length * SAMPLE_RATE), options.rows)
            after = rate_now(gemm, entrant)
            times.setdefault((entrant.name, length), []).append(taken)
            rates.setdefault((entrant.name, length), []).append((before + after) / 2)
            before = after
    timings = [
        Timing(
            entrant.name, entrant.loading.precision, length, options.rows,
            flops[length] * options.rows, first, tuple(others),
            tuple(rates[entrant.name, length][1:]),
        )
        for length in options.audio_seconds
        for entrant in entrants
        for first, *others in [times[entrant.name, length]]
    ]  # fmt: skip
    footprints = [
        Footprint(
            entrant.name, entrant.loading.seconds, entrant.loading.memory,
            entrant.worker.ask("memory"), entrant.worker.ask("gpu_memory"),
        )
        for entrant in entrants
    ]  # fmt: skip
    print(report.floor_line(timings) + "\n")
    print(report.speed_table(timings) + "\n")
    print(report.footprint_table(footprints) + "\n")
    print("Agreement with fp32 on this machine, on sample clips with ko-mini:\n")
    checked = [(entrant.name, entrant.worker.ask("agreement")) for entrant in entrants]
    print(report.agreement_table([(name, each) for name, each in checked if each is not None]))
    if options.plot:
        report.plot_speed(options.plot, f"{options.shape}, {options.threads} cores", timings)


def rate_now(gemm: Worker, entrant: Entrant) -> float:
    """Operations per second of matrix products in an engine's precision, at this moment."""
    time.sleep(PAUSE_SECONDS)
    rate: float = gemm.ask("best_rate", entrant.loading.precision)
    time.sleep(PAUSE_SECONDS)
    return rate


def random_lengths(count: int) -> list[int]:
    """Distinct lengths in samples."""
    random = np.random.default_rng(0)
    limits = np.array([SHORTEST_SECONDS, LONGEST_SECONDS]) * SAMPLE_RATE
    return [int(each) for each in random.choice(np.arange(*limits.astype(int)), count, False)]


def measure_lengths(options: argparse.Namespace, entrants: list[Entrant]) -> None:
    """Compare the first forward of each length with the next two."""
    lengths = random_lengths(options.lengths)
    firsts: dict[str, list[float]] = {entrant.name: [] for entrant in entrants}
    seen: dict[str, list[float]] = {entrant.name: [] for entrant in entrants}
    for entrant in entrants:  # the very first forward has costs of its own
        entrant.worker.ask("forward", int(LONGEST_SECONDS * SAMPLE_RATE))
    for number, entrant in take_turns(entrants, options.lengths):
        first, *others = (entrant.worker.ask("forward", lengths[number]) for _ in range(3))
        firsts[entrant.name].append(first)
        seen[entrant.name].append(float(np.median(others)))
    rows = []
    for name, values in firsts.items():
        extra = np.array(values) - seen[name]
        share = sum(values) / sum(seen[name]) - 1
        cells = [seconds(sum(seen[name])), seconds(sum(values)), f"{share:+.1%}"]
        rows.append([name, *cells, signed(np.median(extra)), signed(max(extra))])
    print(f"{options.lengths} lengths of {SHORTEST_SECONDS:g} to {LONGEST_SECONDS:g} s.\n")
    heads = ["engine", "seen", "new", "extra", "median extra", "worst extra"]
    print(report.table(heads, rows))


def signed(value: float) -> str:
    """Format a difference of durations."""
    return ("-" if value < 0 else "+") + seconds(abs(value))


def measure_memory(options: argparse.Namespace, entrants: list[Entrant]) -> None:
    """Resident memory over forwards of random lengths."""
    lengths = random_lengths(options.memory_lengths)
    settled, step = len(lengths) // 5, max(1, len(lengths) // 50)
    rows, curves = [], {}
    for entrant in entrants:
        curve = [(0.0, entrant.loading.memory.resident)]
        for count, length in enumerate(lengths, start=1):
            entrant.worker.ask("forward", length)
            if count % step == 0 or count in (settled, len(lengths)):
                curve.append((float(count), entrant.worker.ask("memory").resident))
        end: Memory = entrant.worker.ask("memory")
        early = next(resident for count, resident in curve if count >= settled)
        late = max(resident for count, resident in curve if count >= settled)
        cells = [curve[0][1], early, curve[-1][1], end.peak]
        rows.append(
            [entrant.name, *(f"{cell:.0f} MB" for cell in cells), f"{late - early:+.0f} MB"]
        )
        curves[entrant.name] = curve
    heads = ["engine", "loaded", f"after {settled}", f"after {len(lengths)}", "peak"]
    print(report.table([*heads, f"most growth after {settled}"], rows))
    if options.plot:
        labels = "lengths seen", "resident memory, MB"
        report.plot_lines(options.plot, f"{options.shape}: random lengths", labels, curves)


def measure_flatness(options: argparse.Namespace, entrants: list[Entrant]) -> None:
    """Time per second of audio, through the service's windows."""
    entrants = [each for each in entrants if each.name not in (*NAIVE, *PEERS)]
    if not entrants:
        sys.exit("--flat needs an engine of the service, not only naive ones")
    runs: dict[tuple[str, float], list[WindowedRun]] = {}
    for entrant in entrants:
        entrant.worker.ask("windows", 2 * LONGEST_SECONDS, options.rows)
    for _, entrant in take_turns(entrants, options.rounds):
        for length in options.flat:
            run = entrant.worker.ask("windows", length, options.rows)
            runs.setdefault((entrant.name, length), []).append(run)
    rows, curves, verdicts = [], {}, []
    for entrant in entrants:
        costs = {}
        for length in options.flat:
            mine = runs[entrant.name, length]
            taken = float(np.median([run.seconds for run in mine]))
            costs[length] = taken / length
            cells = [f"{length:g} s", seconds(taken), f"{1000 * costs[length]:.4g} ms"]
            per_seen = 1000 * taken / mine[0].seen_seconds
            seen = f"{mine[0].seen_seconds / length:.2f}"
            rows.append([entrant.name, *cells, seen, f"{per_seen:.4g} ms"])
        middle = (min(costs.values()) + max(costs.values())) / 2
        spread = max(costs.values()) / middle - 1
        verdicts.append(f"{entrant.name}: within ±{spread:.1%}.")
        curves[entrant.name] = [(length, 1000 * cost) for length, cost in costs.items()]
    heads = ["engine", "audio", "time", "per second of audio", "audio seen", "per second seen"]
    print(report.table(heads, rows) + "\n\n" + " ".join(verdicts))
    if options.plot:
        labels = "seconds of audio", "ms per second of audio"
        report.plot_lines(options.plot, f"{options.shape}: long recordings", labels, curves)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shape", choices=NAMES, default="xlsr-large")
    parser.add_argument("--audio-seconds", type=float, nargs="+", default=[10.0])
    parser.add_argument(
        "--engines", nargs="+", default=list(ENGINES), help=f"default: {' '.join(ENGINES)}"
    )
    parser.add_argument("--rounds", type=int, default=5, help="after one uncounted round")
    parser.add_argument("--threads", type=int, default=available_cores())
    parser.add_argument("--rows", type=int, default=1, help="recordings per forward, for a GPU")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--plot", type=Path, help="write a plot here (PNG)")
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--lengths", type=int, metavar="N")
    modes.add_argument("--memory-lengths", type=int, metavar="N")
    modes.add_argument("--flat", type=float, nargs="+", metavar="SECONDS")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    options.device = "cuda:0" if options.device == "cuda" else options.device
    report.check_plot(options.plot)
    load = os.getloadavg()[0]
    with ExitStack() as stack:
        entrants = enter(options, stack)
        print(f"{describe()} Load average at the start: {load:.1f}.\n")
        if options.lengths:
            measure_lengths(options, entrants)
        elif options.memory_lengths:
            measure_memory(options, entrants)
        elif options.flat:
            measure_flatness(options, entrants)
        else:
            gemm = stack.enter_context(closing(Worker(TimedGemm, options.device, options.threads)))
            measure_speed(options, entrants, gemm)


if __name__ == "__main__":
    main()
