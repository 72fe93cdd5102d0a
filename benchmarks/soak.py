"""Does the service survive half an hour of mixed traffic, hostile clients and faults?

``uv run --group bench python -m benchmarks.soak --minutes 30 --plot soak.png``

A real service (``server_stt.py --demo``) on loopback gets good recordings of many formats and
lengths through every endpoint, the hostile corpus and mutations of it, wrong keys, malformed forms,
slow uploads, clients that disconnect, floods beyond its queue, attacks with small inputs that cost
much (`benchmarks.attacks`), and probes. Meanwhile its child
processes are killed and stopped. An answer is *explained* if this client should get it, or if a
flood or fault at that moment causes it. The run fails if anything else is left.
"""

import argparse
import asyncio
import io
import json
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from statistics import median

import numpy as np
import psutil

from benchmarks import report
from benchmarks.attacks import Attacks
from benchmarks.faults import Family, Faults, Sample, growth_table, plot
from benchmarks.ledger import Clip, Ledger
from benchmarks.load import Prober
from benchmarks.report import Percentiles, seconds
from benchmarks.servers import Server, demo
from benchmarks.setting import ROOT, describe
from benchmarks.timed_engine import recording
from benchmarks.traffic import Traffic
from benchmarks.workers import Worker
from stt.types import SAMPLE_RATE
from tests.hostile import originals

KEY = "a-key-of-the-soak"
SETTINGS = {
    "STT_API_KEYS": KEY,
    "STT_MAX_AUDIO_SECONDS": "600",
    "STT_MAX_UPLOAD_MB": "40",
    "STT_MAX_QUEUE_REQUESTS": "24",
    "STT_MAX_LIVE_SESSIONS": "12",
    "STT_BODY_TIMEOUT_SECONDS": "30",
    "STT_DRAIN_DELAY_SECONDS": "0",
    "STT_LOG_FORMAT": "json",
}
"""Limits that floods and slow clients reach."""
LENGTHS = (0, 0.02, 0.4, 1, 2.5, 6, 12, 19.9, 20.1, 45)
"""Seconds of speech of the generated clips."""
LONG = (180, 590)
SAMPLE_SECONDS, PRINT_SECONDS, METRICS_SECONDS = 5.0, 10.0, 2.0
FLOOD_SECONDS, FAULT_SECONDS, ATTACK_SECONDS = 45.0, 15.0, 10.0
"""Between the end of one and the start of the next."""
FLOOD_CLIENTS = 60
QUIET_SECONDS = 12.0
"""Between the traffic and counting what is open; kept connections close after 5 s."""


def wav(length: float, offset: int) -> bytes:
    """Speech of this length as WAV."""
    import soundfile

    samples = recording(max(1, round(length * SAMPLE_RATE)), offset)
    file = io.BytesIO()
    soundfile.write(file, samples[: round(length * SAMPLE_RATE)], SAMPLE_RATE, format="WAV")
    return file.getvalue()


def good_clips() -> list[Clip]:
    """The samples, tones in every format, and speech of many lengths."""
    from stt.audio.reading import read_audio

    clips = []
    for line in (ROOT / "samples" / "texts.tsv").read_text("utf-8").splitlines()[1:]:
        name, lang, _ = line.split("\t")
        data = (ROOT / "samples" / name).read_bytes()
        waveform = np.concatenate(list(read_audio(io.BytesIO(data), max_seconds=60)))
        pcm = (waveform * 32767).round().clip(-32768, 32767).astype("<i2").tobytes()
        clips.append(Clip(name, lang, data, pcm=pcm))
    clips += [Clip(f"tones.{name}", "KR", data) for name, data in originals().items()]
    clips += [Clip(f"{length}-s.wav", "KR", wav(length, 7919)) for length in LENGTHS]
    return clips


class Soak:
    """One soak run."""

    def __init__(self, server: Server, seed: int) -> None:
        self.server = server
        self.ledger = Ledger(tell=lambda words: print("unexplained:", words, file=sys.stderr))
        self.family = Family(server.process_id)
        long = [Clip(f"{length}-s.wav", "KR", wav(length, 104_729)) for length in LONG]
        self.traffic = Traffic(server.url, KEY, self.ledger, good_clips(), long, seed)
        self.attacks = Attacks(server.url, KEY, self.traffic, self.ledger)
        rng = random.Random(seed)
        self.faults = Faults(self.family, self.ledger, self.traffic.valid, rng)
        self.samples: list[Sample] = []
        self.began = time.monotonic()

    async def run(self, minutes: float, clients: int) -> tuple[Sample, Sample]:
        """Run everything; return samples of the idle service before and after."""
        async with self.traffic.client:
            await self.traffic.learn()
            before = await self._when_quiet()
            self.began = time.monotonic()
            end = self.began + minutes * 60
            watching = asyncio.create_task(self._watch())
            loops = [
                *(self._repeat(self.traffic.one, end, 0.1) for _ in range(clients)),
                self._repeat(self._slow, end, 1),
                self._repeat(self._flood, end, FLOOD_SECONDS),
                self._repeat(self.attacks.next, end, ATTACK_SECONDS),
                self._repeat(self.faults.inject, end, FAULT_SECONDS),
                self._repeat(self._probe_all, end, METRICS_SECONDS),
            ]
            await asyncio.gather(*loops)
            after = await self._when_quiet()
            watching.cancel()
            self.samples.append(after)
        return before, after

    async def _repeat(self, act, end: float, pause: float) -> None:  # type: ignore[no-untyped-def]
        while time.monotonic() < end:
            await act()
            await asyncio.sleep(min(pause, max(0.0, end - time.monotonic())))

    async def _slow(self) -> None:
        await self.traffic.run(self.traffic.slow)

    async def _flood(self) -> None:
        await self.traffic.flood(FLOOD_CLIENTS)

    async def _probe_all(self) -> None:
        for path in ("/readyz", "/health", "/metrics"):

            async def probe(path: str = path):  # type: ignore[no-untyped-def]
                return await self.traffic.probe(path)

            probe.__name__ = f"GET {path}"
            await self.traffic.run(probe)

    async def _when_quiet(self) -> Sample:
        await asyncio.sleep(QUIET_SECONDS)
        return self.family.look(time.monotonic() - self.began, self.ledger.total)

    async def _watch(self) -> None:
        printed = -PRINT_SECONDS
        while True:
            now = time.monotonic() - self.began
            with suppress(psutil.Error):  # a process that ended meanwhile
                self.samples.append(self.family.look(now, self.ledger.total))
            if self.samples and now >= printed + PRINT_SECONDS:
                printed = now
                self._print(self.samples[-1])
            await asyncio.sleep(SAMPLE_SECONDS)

    def _print(self, sample: Sample) -> None:
        survived = self.faults.survived.total()
        print(
            f"{sample.seconds // 60:3.0f}:{sample.seconds % 60:02.0f}  {sample.n_answers} answers, "
            f"{self.ledger.unexplained.total()} unexplained; {survived} faults survived; service "
            f"{sample.server:.0f} MB, below it {sample.below:.0f} MB; {sample.descriptors} "
            f"descriptors, {sample.sockets} sockets",
            file=sys.stderr,
            flush=True,
        )


def left_inside(server: Server) -> dict[str, float]:
    """Requests and windows the service still counts; should be empty."""
    import httpx
    from prometheus_client.parser import text_string_to_metric_families as parse

    text = httpx.get(server.url + "/metrics", headers={"X-API-Key": KEY}).text
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in parse(text)
        for sample in family.samples
        if sample.name in ("stt_requests_in_progress", "stt_queue_size") and sample.value
        if sample.labels.get("route") != "/metrics"
    }


def log_counts(lines: list[str]) -> Counter[str]:
    """Count log messages above `info` by level and prefix, and lines that are not JSON."""
    counts: Counter[str] = Counter()
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            counts["not JSON: " + line[:60]] += 1
            continue
        if entry["level"] not in ("debug", "info"):
            counts[f"{entry['level']}: {entry['message'].partition(':')[0][:70]}"] += 1
    return counts


def summary(soak: Soak, before: Sample, after: Sample, probes: list[float], failed: int) -> str:
    """The results as a list, without the tables."""
    ledger, faults = soak.ledger, soak.faults
    times, recoveries = Percentiles.of(probes), faults.recoveries or [float("nan")]
    excused = ", ".join(f"{n} × {label}" for label, n in ledger.excused.most_common()) or "none"
    survived = ", ".join(f"{n} × {kind}" for kind, n in sorted(faults.survived.items()))
    lost = sum(faults.not_survived.values())
    wrong = ", ".join(f"{n} × {label}" for label, n in ledger.unexplained.most_common()) or "none"
    return "\n".join(
        [
            f"- Answers: {ledger.total}; unexplained: {wrong}",
            f"- Explained by a flood or fault at that moment: {excused}",
            f"- Faults survived: {survived or 'none'}; not survived: {lost}; from a fault to the "
            f"next right answer: median {seconds(median(recoveries))}, at most "
            f"{seconds(max(recoveries))}",
            f"- `/livez` every 0.1 s: {len(probes)} probes, {failed} failed, p50 "
            f"{seconds(times.p50)}, p99 {seconds(times.p99)}, at most "
            f"{seconds(max(probes, default=float('nan')))}",
            f"- Idle before and after: {before.own_descriptors} and {after.own_descriptors} "
            f"descriptors (without one for each of {before.n_workers} and {after.n_workers} "
            f"workers), {before.sockets} and {after.sockets} TCP sockets, {before.threads} and "
            f"{after.threads} threads",
        ]
    )


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--warm-minutes", type=float, help="left out of the slope; default: 1/5")
    parser.add_argument("--clients", type=int, default=6, help="without floods and probes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path, help="write a plot here (PNG)")
    options = parser.parse_args(arguments)
    if options.minutes <= 0 or options.clients < 1:
        parser.error("--minutes and --clients must be above 0")
    if options.warm_minutes is None:
        options.warm_minutes = options.minutes / 5
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run; return 1 if anything is unexplained, lost or left over."""
    options = parse(arguments)
    report.check_plot(options.plot)
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    side = demo({**SETTINGS, "TMPDIR": str(folder)})
    try:
        with closing(Server(side)) as server, closing(Worker(Prober)) as prober:
            soak = Soak(server, options.seed)
            prober.ask("start", server.url + side.alive_path)
            before, after = asyncio.run(soak.run(options.minutes, options.clients))
            probes, failed = prober.ask("stop")
            inside = left_inside(server)
            below = soak.family.server.children(recursive=True)
            status = server.stop(signal.SIGTERM)
            _, alive = psutil.wait_procs(below, timeout=5)
        files = [str(path.relative_to(folder)) for path in folder.rglob("*")]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    warm_seconds = options.warm_minutes * 60
    print(describe() + "\n")
    print(summary(soak, before, after, probes, failed))
    print(
        f"- Still counted when idle: {inside or 'nothing'}; temporary files left: {files or 'none'}"
    )
    print(f"- Status after SIGTERM: {status}; processes left: {len(alive)}")
    logged = ", ".join(f"{n} × {what}" for what, n in log_counts(server.log).most_common())
    print(f"- Log above info: {logged or 'nothing'}\n")
    print(soak.ledger.table() + "\n")
    print(growth_table(soak.samples, warm_seconds))
    for line in soak.ledger.kept:
        print("unexplained:", line)
    if options.plot:
        faults = [moment - soak.began for moment in soak.faults.times]
        title = f"{options.minutes:g} minutes of mixed traffic and faults, demo models"
        plot(options.plot, title, soak.samples, warm_seconds, faults)
    bad = [soak.ledger.unexplained, soak.faults.not_survived, failed, inside, files, status, alive]
    return int(any(bad))


if __name__ == "__main__":
    sys.exit(main())
