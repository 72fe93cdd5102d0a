"""What a second of audio costs each process of a cluster besides the model; what the ledger costs.

``uv run --group training python -m benchmarks.costs``

The real application on Ray Serve, with an engine that computes nothing: recordings are uploaded,
and the processor time of every kind of process is read before and after. So nothing here depends on
how fast a model is, and little on what else the machine does. The ledger is then asked by itself,
with as many members as a large cluster has.
"""

import argparse
import os
import pickle
import time
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
import requests

from benchmarks.replicas import GRID, processor_seconds, wire_bytes
from benchmarks.report import seconds, table
from benchmarks.setting import describe
from stt.cluster.ledger import Ledger
from stt.cluster.serving import ENVIRONMENT, free_port
from stt.cluster.wire import EngineReport, IngressReport, RemoteEngine
from stt.engines.limits import CPU
from stt.models.state import LoadState, Status
from stt.observability.metrics import Metrics
from stt.settings import load_settings
from stt.types import Calibration, Frames, Vocabulary, Waveform
from tests.audio_files import tones, with_ffmpeg, with_libsndfile

KINDS = ("proxy", "ingress", "engine", "ledger", "decoding")
"""Of `benchmarks.replicas`' parts, those that work more the more audio there is."""
RECORDINGS = {
    "WAV, 10 min, 16 kHz": (600, lambda: with_libsndfile(tones(600, 16_000), 16_000, "WAV")),
    "MP3, 10 min, 44.1 kHz": (600, lambda: with_libsndfile(tones(600, 44_100), 44_100, "MP3")),
    "M4A, 10 min, 44.1 kHz stereo": (
        600,
        lambda: with_ffmpeg(tones(600, 44_100, 2), 44_100, "mp4", "aac"),
    ),
    "MP3, 5 s, 44.1 kHz": (5, lambda: with_libsndfile(tones(5, 44_100), 44_100, "MP3")),
}
SHORT_SECONDS = 60
WORDS_EVERY = 25
"""Frames from one symbol to the next: two in a second, one in five of them between words."""


class SilentEngine:
    """Says a few words in no time."""

    vocabulary = Vocabulary(("", "|", *"abcdefgh"), blank=0)
    grid = GRID
    calibration = Calibration()
    device, precision, backend = "cpu", "fp32", "torch"
    limits = CPU

    def forward(self, waveforms: Sequence[Waveform]) -> list[Frames]:
        return [self.frames(self.grid.n_frames(len(each))) for each in waveforms]

    @staticmethod
    def frames(n_frames: int) -> Frames:
        columns = np.zeros(n_frames, np.int32)
        columns[::WORDS_EVERY] = 1 + np.arange(len(columns[::WORDS_EVERY])) % 5
        return Frames(
            columns, np.full(n_frames, -0.1, np.float32), np.full(n_frames, -0.1, np.float32)
        )


def post(url: str, recording: bytes) -> None:
    files = {"file": ("recording", BytesIO(recording))}
    requests.post(f"{url}/transcribe", files=files, timeout=300).raise_for_status()


def measure(url: str, budget_seconds: float) -> str:
    """Costs of each recording, uploaded again and again."""
    rows = []
    for name, (length, make) in RECORDINGS.items():
        recording = make()
        post(url, recording)
        before, count, until = processor_seconds(os.getpid()), 0, time.monotonic() + budget_seconds
        while time.monotonic() < until:
            post(url, recording)
            count += 1
        used = processor_seconds(os.getpid()) - before
        per = length * count / 1000 if length > SHORT_SECONDS else count / 1000
        unit = "second of audio" if length > SHORT_SECONDS else "request"
        rows.append(
            [name, str(count), f"{len(recording) / length / 1000:.0f} kB", unit]
            + [f"{used[kind] / per:.3g} ms" for kind in KINDS]
        )
    heads = ["recording", "times", "bytes a second", "processor time for each"]
    return table([*heads, *KINDS], rows)


def reports_line(handle: Any, budget_seconds: float) -> str:
    """What a report costs the ledger's process, Ray's part and all."""
    families = list(Metrics().registry.collect())
    report = EngineReport({}, {"KR": RemoteEngine.of("KR", SilentEngine())}, 10.0, 100.0)
    before, count, until = processor_seconds(os.getpid()), 0, time.monotonic() + budget_seconds
    while time.monotonic() < until:
        sent = [handle.report.remote(f"other-{index}", report, families) for index in range(20)]
        for each in sent:
            each.result(timeout_s=30)
        count += len(sent)
    used = processor_seconds(os.getpid())["ledger"] - before["ledger"]
    rate = count / budget_seconds
    return (
        f"A report costs the ledger's process {used / count * 1e3:.3g} ms, at {rate:.0f} a second."
    )


def ledger_table(sizes: Sequence[int]) -> str:
    """One report, and one look at all metrics, with so many members."""
    families = list(Metrics().registry.collect())
    engine = SilentEngine()
    state = {"KR": LoadState(Status.READY)}
    report = EngineReport(state, {"KR": RemoteEngine.of("KR", engine)}, 10.0, 100.0)
    rows = []
    for size in sizes:
        ledger = Ledger()
        for index in range(size):
            ledger.report(f"engine-{index}", report, families)
        ledger.report("ingress", IngressReport(10.0, 3), families)
        rows.append(
            [
                str(size),
                seconds(once(lambda led=ledger: led.report("engine-0", report, families))),  # type: ignore[misc]
                seconds(once(lambda led=ledger: led.metrics(), 3)),  # type: ignore[misc]
            ]
        )
    sent = pickle.dumps((report, families))
    unpack = seconds(once(lambda: pickle.loads(sent)))
    return (
        table(["replicas", "a report taken in", "all metrics together"], rows)
        + f"\n\nA report is {len(sent) / 1000:.0f} kB, and unpacked in {unpack}."
    )


def once(call: object, rounds: int = 50) -> float:
    """Processor seconds of a call, the least of three series."""
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        for _ in range(rounds):
            call()  # type: ignore[operator]
        best = min(best, (time.process_time() - started) / rounds)
    return best


def wire_line() -> str:
    """Bytes that cross between ingress and engine for a window of 20 s."""
    there, back = wire_bytes(20)
    return f"A window of 20 s is {there / 1000:.0f} kB there and {back / 1000:.1f} kB back."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15, help="of uploads of each recording")
    options = parser.parse_args()
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import ray
    from ray import serve

    from stt.cluster.deployments import build_application

    settings = load_settings(
        languages=("KR",), device="cpu", cpu_threads=1, cluster_engines="1", cluster_ingresses="1",
        log_level="warning", max_queue_seconds=10_000,
    )  # fmt: skip
    ray.init(num_cpus=4, include_dashboard=False, namespace="serve", logging_level="WARNING")
    port = free_port("127.0.0.1")
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    serve.run(build_application(settings, engine=SilentEngine), name="stt", route_prefix="/")
    url = f"http://127.0.0.1:{port}"
    while requests.get(f"{url}/readyz", timeout=60).status_code != 200:
        time.sleep(0.5)
    print(describe(), "\n")
    print(measure(url, options.seconds), "\n")
    before = processor_seconds(os.getpid())
    time.sleep(10)
    idle = processor_seconds(os.getpid()) - before
    print("Idle:", ", ".join(f"{kind} {idle[kind] / 10:.2%}" for kind in KINDS), "\n")
    print(reports_line(serve.get_deployment_handle("Ledger", app_name="stt"), 10), "\n")
    serve.shutdown()
    ray.shutdown()
    print(ledger_table((2, 10, 100, 1000, 2000)), "\n")
    print(wire_line())


if __name__ == "__main__":
    main()
