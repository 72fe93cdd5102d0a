"""Memory, descriptors and processes of a service over a run."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from benchmarks import report

TEMPLATE = "stt.audio.worker"
"""In the command of the process that decode workers are forked from."""


@dataclass(frozen=True)
class Sample:
    """One look; memory in MB (10^6 bytes), resident."""

    seconds: float
    """Since the beginning."""
    n_answers: int
    server: float
    below: float
    """Of all processes that the service has started, together."""
    n_workers: int
    descriptors: int
    sockets: int
    """TCP connections and listeners."""
    threads: int

    @property
    def own_descriptors(self) -> int:
        """Without the one for each worker: how many are kept is the service's choice."""
        return self.descriptors - self.n_workers


class Family:
    """A running service and the processes below it."""

    def __init__(self, process_id: int) -> None:
        self.server = psutil.Process(process_id)

    def template(self) -> psutil.Process | None:
        """What workers are forked from; None while there is none."""
        for child in self.server.children():
            with suppress(psutil.Error):
                if TEMPLATE in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE:
                    return child
        return None

    def workers(self) -> list[psutil.Process]:
        """Those that decode, or wait for something to decode."""
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
    """Growth of one of a sample's values in an hour, by a line through what is warm."""
    warm = [each for each in samples if each.seconds >= warm_seconds]
    if len(warm) < 2:
        return float("nan")
    times = np.array([each.seconds for each in warm]) / 3600
    return float(np.polyfit(times, [getattr(each, name) for each in warm], 1)[0])


def growth_table(samples: Sequence[Sample], warm_seconds: float) -> str:
    """Memory at the beginning, when warm and at the end, and how it grows."""
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
    """Memory, descriptors, and answers a second, over time; ``faults`` are their seconds."""
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
        label="answers a second",
    )  # fmt: skip
    for index, second in enumerate(faults):
        label = "fault injected" if index == 0 else None
        speed.axvline(second / 60, color=report.COLOURS[1], alpha=0.4, linewidth=0.8, label=label)
    speed.set(ylabel="answers a second", xlabel="minutes")
    for axis in (memory, files, speed):
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.2)
        axis.legend(loc="lower right")
    report.save(figure, path, title)
