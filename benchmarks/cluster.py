"""What does a cluster on one machine cost, and what does a second engine bring?

``uv run python -m benchmarks.cluster --shape base-960h --set STT_BATCH_SECONDS=10``

Three sides run as real processes on loopback with the same checkpoint, one thread per engine: the
service in one process, a cluster of one engine replica, and a cluster of two. Each side is started,
loaded and stopped before the next, since Ray uses the processor even when idle. Throughput counts
from a few seconds after the start while every client has a request in flight. Processor time is
printed per part, since all parts share the cores of this machine.
"""

import argparse
import asyncio
import os
import pickle
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx
import numpy as np
import psutil

from benchmarks import report
from benchmarks.load import TIMEOUT_SECONDS, Upload, make_upload, run_load
from benchmarks.servers import Server, Side, ours
from benchmarks.setting import describe
from benchmarks.shapes import NAMES, find_shape
from stt.cluster.wire import Reply
from stt.frames import Frames
from stt.types import SAMPLE_RATE, FrameGrid

N_ENGINES = {"local": 0, "cluster of 1": 1, "cluster of 2": 2}
"""The sides and their number of engine replicas."""
PARTS = {
    "engine": r"^ray::ServeReplica:stt:Engine",
    "ingress": r"^ray::ServeReplica:stt:Ingress",
    "decoding": r"stt\.audio\.worker",
    "ledger": r"^ray::ServeReplica:stt:Ledger",
    "proxy": r"^ray::ProxyActor",
    "controller": r"^ray::ServeController",
    "raylet, GCS": r"raylet/raylet|gcs_server",
    "agents": r"dashboard|runtime_env|log_monitor|monitor\.py",
    "stt serve": r"--cluster",
    "service": r"server_stt\.py",
}
"""Patterns of command lines; the first match counts. *Service* is the single-process service."""
OTHERS = "others"
GRID = FrameGrid(320, 400)
IDLE_SECONDS = 3.0
RAMP_SECONDS = 4.0


def processor_seconds(root: int) -> Counter[str]:
    """Processor seconds used so far by a process and its children, by part."""
    used: Counter[str] = Counter()
    top = psutil.Process(root)
    for process in [top, *top.children(recursive=True)]:
        try:
            line, times = " ".join(process.cmdline()), process.cpu_times()
        except psutil.Error:
            continue  # the process has ended
        part = next((name for name, sign in PARTS.items() if re.search(sign, line)), OTHERS)
        used[part] += times.user + times.system
    return used


def wire_bytes(audio_seconds: float) -> tuple[int, int]:
    """Bytes of a window sent to an engine, and of its frames sent back."""
    n_samples = round(audio_seconds * SAMPLE_RATE)
    n_frames = GRID.n_frames(n_samples)
    frames = Frames(
        np.zeros(n_frames, np.int32), np.zeros(n_frames, np.float32), np.zeros(n_frames, np.float32)
    )
    sent = np.zeros(n_samples, np.float32), Reply.of(frames, 0.1, 0.2)
    there, back = (len(pickle.dumps(each, protocol=5)) for each in sent)
    return there, back


def side(name: str, folder: Path, settings: dict[str, str]) -> Side:
    """How to start a side."""
    local = ours(folder, settings)
    n_engines = N_ENGINES[name]
    flags = ("--cluster", "--cluster-ingresses", "1", "--cluster-engines", str(n_engines))
    return Side(
        name, (*local.command, *(flags if n_engines else ())), local.environment,
        local.listening, local.ready_path, local.alive_path,
    )  # fmt: skip


def wait_for_engines(server: Server, n_engines: int) -> None:
    """Wait for all engines; a cluster is ready with its first."""
    said = re.compile(r"stt:Engine pid=\d+\).* is ready: ")
    deadline = time.monotonic() + 300
    while sum(bool(said.search(line)) for line in tuple(server.log)) < n_engines:
        if time.monotonic() > deadline:
            raise RuntimeError("Not all engines became ready:\n" + "\n".join(server.log[-20:]))
        time.sleep(0.2)


def used_so_far(server: Server) -> Counter[str]:
    """Processor time by part of a side, and of this process, the client."""
    return Counter({**processor_seconds(server.process_id), "client": time.process_time()})


@dataclass
class Measured:
    """Results of a side over all rounds."""

    throughputs: list[float] = field(default_factory=list)
    """Audio seconds per second, by round."""
    latencies: list[float] = field(default_factory=list)
    """Seconds of lone requests."""
    used: Counter[str] = field(default_factory=Counter)
    """Processor seconds under load, by part."""
    audio_seconds: float = 0.0
    """Transcribed while `used` was counted."""
    idle: list[float] = field(default_factory=list)
    """Cores in use when idle."""


async def run_steadily(
    url: str, uploads: Sequence[Upload], at_once: int, seconds: float
) -> tuple[float, float]:
    """Keep ``at_once`` uploads in flight for ``seconds``; return throughput and audio seconds.

    Throughput counts from `RAMP_SECONDS` to the end. Counting between two answers would count less
    for several engines than for one.
    """
    done: list[tuple[float, float]] = []
    limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=TIMEOUT_SECONDS) as client:
        began = time.perf_counter()
        deadline = began + seconds

        async def one_client(number: int) -> None:
            while time.perf_counter() < deadline:
                upload = uploads[number % len(uploads)]
                headers = {"Content-Type": upload.content_type}
                answer = await client.post("/transcribe", content=upload.body, headers=headers)
                answer.raise_for_status()
                done.append((time.perf_counter(), upload.audio_seconds))
                number += 1

        await asyncio.gather(*(one_client(number) for number in range(at_once)))
    counted = sum(audio for at, audio in done if began + RAMP_SECONDS < at <= deadline)
    return counted / (seconds - RAMP_SECONDS), sum(audio for _, audio in done)


def measure(
    options: argparse.Namespace, server: Server, uploads: Sequence[Upload], result: Measured
) -> None:
    """Measure one side in one round."""
    asyncio.run(run_load(server.url, uploads, 4, 2))  # warms the rest of the path
    used = used_so_far(server)
    time.sleep(IDLE_SECONDS)
    used = used_so_far(server) - used
    result.idle.append((used.total() - used["client"]) / IDLE_SECONDS)
    result.latencies += asyncio.run(run_load(server.url, uploads, options.lone, 1)).latencies
    used = used_so_far(server)
    rate, audio_seconds = asyncio.run(
        run_steadily(server.url, uploads, options.at_once, options.seconds)
    )
    result.used += used_so_far(server) - used
    result.throughputs.append(rate)
    result.audio_seconds += audio_seconds


def tables(results: dict[str, Measured]) -> Iterator[str]:
    """The result tables."""
    base = median(results["cluster of 1"].throughputs)
    local = median(results["local"].latencies)
    rows = []
    for name, result in results.items():
        rate, latency = median(result.throughputs), median(result.latencies)
        rounds = f"{min(result.throughputs):.3g} – {max(result.throughputs):.3g}"
        more = f"{1000 * (latency - local):+.0f} ms" if name != "local" else "–"
        rows.append(
            [name, f"{rate:.3g}", rounds, f"{rate / base:.2f}", report.seconds(latency), more,
             f"{median(result.idle):.2f}"]
        )  # fmt: skip
    heads = ["side", "audio s/s", "rounds", "of cluster of 1", "a lone clip", "more than local"]
    yield report.table([*heads, "cores when idle"], rows)
    parts = [*PARTS, OTHERS, "client"]
    rows = [
        [name, *(f"{1000 * result.used[part] / result.audio_seconds:.1f}" for part in parts)]
        for name, result in results.items()
    ]
    yield "Processor time per second of audio, in ms:"
    yield report.table(["side", *parts], rows)


def settings_of(options: argparse.Namespace) -> dict[str, str]:
    """Environment of all sides."""
    return {
        "STT_CPU_THREADS": "1",
        "STT_DEVICE": "cpu",
        "STT_BACKEND": "torch",
        "STT_PRECISION": options.precision,
        "STT_DRAIN_DELAY_SECONDS": "0",
        **dict(each.split("=", 1) for each in options.set),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shape", choices=NAMES, default="base-960h")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--audio-seconds", type=float, default=10.0)
    parser.add_argument("--at-once", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=20.0, help="of load per side and round")
    parser.add_argument("--lone", type=int, default=2, help="lone requests per round")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--set", nargs="+", default=[], metavar="STT_X=Y", help="settings")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    uploads = [make_upload("wav", options.audio_seconds, offset=n * 7919) for n in range(4)]
    folder = find_shape(options.shape)
    results = {name: Measured() for name in N_ENGINES}
    for number in range(options.rounds):
        for name in list(N_ENGINES)[:: -1 if number % 2 else 1]:
            print(f"round {number + 1} of {options.rounds}: {name}", file=sys.stderr)
            with closing(Server(side(name, folder, settings_of(options)))) as server:
                wait_for_engines(server, N_ENGINES[name])
                measure(options, server, uploads, results[name])
    print(f"{describe()} Load average at the start: {load:.1f}.\n")
    for each in tables(results):
        print(each + "\n")
    there, back = (each / options.audio_seconds for each in wire_bytes(options.audio_seconds))
    print(f"A second of audio is {there:.0f} bytes to the engine and {back:.0f} bytes back.")


if __name__ == "__main__":
    main()
