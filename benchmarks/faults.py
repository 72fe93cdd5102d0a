"""The processes of a running service: samples of what they use, and faults injected into them."""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from benchmarks import report
from benchmarks.ledger import Ledger

TEMPLATE = "stt.audio.worker"
"""Part of the command line of the process that decode workers fork from."""


@dataclass(frozen=True)
class Sample:
    """Resources at one moment; resident memory in MB (10^6 bytes)."""

    seconds: float
    """Since the start."""
    n_answers: int
    server: float
    below: float
    """Of all child processes together."""
    n_workers: int
    descriptors: int
    sockets: int
    """TCP connections and listeners."""
    threads: int

    @property
    def own_descriptors(self) -> int:
        """Descriptors without one per worker; the number of workers varies."""
        return self.descriptors - self.n_workers


class Family:
    """A running service and its child processes."""

    def __init__(self, process_id: int) -> None:
        self.server = psutil.Process(process_id)

    def template(self) -> psutil.Process | None:
        """The process that workers fork from, or None."""
        for child in self.server.children():
            with suppress(psutil.Error):
                if TEMPLATE in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE:
                    return child
        return None

    def workers(self) -> list[psutil.Process]:
        """The decode workers, busy or idle."""
        found = []
        with suppress(psutil.Error):
            template = self.template()
            for child in template.children() if template else []:
                with suppress(psutil.Error):
                    if child.status() != psutil.STATUS_ZOMBIE:
                        found.append(child)
        return found

    def look(self, seconds: float, n_answers: int) -> Sample:
        """Take a sample."""
        below = 0.0
        for child in self.server.children(recursive=True):
            with suppress(psutil.Error):
                below += child.memory_info().rss / 1e6
        return Sample(
            seconds,
            n_answers,
            self.server.memory_info().rss / 1e6,
            below,
            len(self.workers()),
            self.server.num_fds(),
            len(self.server.net_connections("tcp")),
            self.server.num_threads(),
        )


def slope(samples: Sequence[Sample], name: str, warm_seconds: float) -> float:
    """Growth per hour of a field, by a line through the samples after warming."""
    warm = [each for each in samples if each.seconds >= warm_seconds]
    if len(warm) < 2:
        return float("nan")
    times = np.array([each.seconds for each in warm]) / 3600
    return float(np.polyfit(times, [getattr(each, name) for each in warm], 1)[0])


def growth_table(samples: Sequence[Sample], warm_seconds: float) -> str:
    """Memory at the start, when warm and at the end, and its growth."""
    warm = next((each for each in samples if each.seconds >= warm_seconds), samples[-1])
    rows = []
    for name, title in (("server", "service"), ("below", "decode processes")):
        values = [getattr(each, name) for each in samples]
        cells = [values[0], getattr(warm, name), values[-1], max(values)]
        rows.append(
            [title, *(f"{value:.0f} MB" for value in cells),
             f"{slope(samples, name, warm_seconds):+.1f} MB/h"]
        )  # fmt: skip
    heads = ["resident", "first", f"after {warm.seconds / 60:.3g} min", "last", "most", "slope"]
    return report.table(heads, rows)


def plot(
    path: Path, title: str, samples: Sequence[Sample], warm_seconds: float,
    faults: Sequence[float] = (),
) -> None:  # fmt: skip
    """Plot memory, descriptors and answers per second; ``faults`` are times in seconds."""
    plt = report.pyplot()
    figure, (memory, files, speed) = plt.subplots(3, 1, figsize=(9, 8), sharex=True)
    minutes = np.array([each.seconds for each in samples]) / 60
    for axis, names in (
        (memory, {"server": "service", "below": "decode processes, together"}),
        (files, {"own_descriptors": "descriptors", "sockets": "TCP sockets", "threads": "threads"}),
    ):
        for (name, label), colour in zip(names.items(), report.COLOURS, strict=False):
            values = [getattr(each, name) for each in samples]
            axis.plot(minutes, values, color=colour, label=label)
    memory.axvline(warm_seconds / 60, color="grey", linestyle="--", label="slope from here on")
    memory.set(ylabel="resident, MB")
    files.set(ylabel="open in the service")
    counts = np.array([each.n_answers for each in samples])
    speed.plot(
        minutes[1:], np.diff(counts) / np.diff(minutes * 60), color=report.COLOURS[0],
        label="answers per second",
    )  # fmt: skip
    for index, second in enumerate(faults):
        label = "fault injected" if index == 0 else None
        speed.axvline(second / 60, color=report.COLOURS[1], alpha=0.4, linewidth=0.8, label=label)
    speed.set(ylabel="answers per second", xlabel="minutes")
    for axis in (memory, files, speed):
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.2)
        axis.legend(loc="lower right")
    report.save(figure, path, title)


RECOVERY_SECONDS = 60.0
"""A valid upload must succeed within this time of a fault."""
HANG_SECONDS = 45.0
"""Time for the service to notice a stopped worker, if it gets work."""
KINDS = {
    "worker killed": 5,
    "all workers killed": 1,
    "template killed": 2,
    "template stopped": 1,
    "worker stopped": 2,
}
"""Kinds of faults and their weights."""


class Faults:
    """Kills or stops child processes and measures the time to recovery."""

    def __init__(
        self,
        family: Family,
        ledger: Ledger,
        check: Callable[[], Awaitable[bool]],
        rng: random.Random,
    ) -> None:
        """
        Args:
            family: The service; only its child processes are touched.
            ledger: Records when ``decode_failed`` is expected.
            check: Sends a valid upload; returns whether the answer is right.
            rng: Chooses the faults.
        """
        self._family = family
        self._ledger = ledger
        self._check = check
        self._rng = rng
        self.survived: Counter[str] = Counter()
        self.not_survived: Counter[str] = Counter()
        self.recoveries: list[float] = []
        """Seconds from each fault to the next right answer."""
        self.times: list[float] = []
        """`time.monotonic` of each fault."""

    async def inject(self) -> None:
        """Inject one fault and wait for recovery."""
        kind = self._rng.choices(list(KINDS), list(KINDS.values()))[0]
        workers, template = self._family.workers(), self._family.template()
        if template is None or not workers:
            return
        began = time.monotonic()
        self.times.append(began)
        with self._ledger.season("decode_failed"):
            if kind == "worker stopped":
                await self._stop(self._rng.choice(workers))
            elif kind == "template stopped":
                template.suspend()  # noticed once a worker is needed, so that none is left
                for worker in workers:
                    with suppress(psutil.NoSuchProcess):
                        worker.kill()
            else:
                victims = {
                    "worker killed": [self._rng.choice(workers)],
                    "all workers killed": workers,
                    "template killed": [template],
                }[kind]
                for victim in victims:
                    with suppress(psutil.NoSuchProcess):
                        victim.kill()
                began = time.monotonic()
                for _ in range(500):  # signals are slow on a busy machine
                    if not any(is_there(victim) for victim in victims):
                        break
                    await asyncio.sleep(0.01)
            while not await self._check():
                if time.monotonic() - began > RECOVERY_SECONDS:
                    self.not_survived[kind] += 1
                    return
                await asyncio.sleep(0.1)
        self.survived[kind] += 1
        if kind != "worker stopped":
            self.recoveries.append(time.monotonic() - began)

    async def _stop(self, worker: psutil.Process) -> None:
        """Stop a worker until the service kills it, or resume it if it never gets work."""
        deadline = time.monotonic() + HANG_SECONDS
        with suppress(psutil.NoSuchProcess):
            worker.send_signal(signal.SIGSTOP)
            while time.monotonic() < deadline and worker.status() != psutil.STATUS_ZOMBIE:
                await asyncio.gather(*(self._check() for _ in range(4)))
            worker.send_signal(signal.SIGCONT)


def is_there(process: psutil.Process) -> bool:
    """Whether the process still runs."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
