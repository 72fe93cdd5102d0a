"""Percentiles, tables and plots of measurements."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.workers import Memory
from stt.engines.agreement import Agreement

BASELINE = "naive"
COLOURS = ("#36c", "#e80", "#393", "#999")


@dataclass(frozen=True)
class Percentiles:
    """Percentiles of durations in seconds; NaN if there are none."""

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, durations: Sequence[float]) -> "Percentiles":
        if not durations:
            return cls(*[float("nan")] * 3)
        return cls(*(float(each) for each in np.percentile(durations, (50, 95, 99))))


@dataclass(frozen=True)
class Timing:
    """The forwards of one engine on one length of audio."""

    engine: str
    precision: str
    audio_seconds: float
    """Of each row."""
    rows: int
    flops: float
    """Of each forward."""
    first: float
    """Seconds of the first forward of this length."""
    seconds: tuple[float, ...]
    """Seconds of the other forwards."""
    rates: tuple[float, ...] = ()
    """Operations per second of matrix products in this precision, around each of those forwards;
    empty, or zeros, if none can be measured."""

    @property
    def median(self) -> float:
        return median(self.seconds)


@dataclass(frozen=True)
class Footprint:
    """Load time and memory of an engine."""

    engine: str
    load_seconds: float
    loading: Memory
    """Right after loading."""
    end: Memory
    """After the last forward."""
    gpu: float = 0.0
    """GPU memory in MB."""


def ratios(timings: Iterable[Timing]) -> dict[tuple[str, float], float]:
    """Speed relative to the baseline, by engine and length; empty without a baseline."""
    timings = list(timings)
    base = {each.audio_seconds: each.median for each in timings if each.engine == BASELINE}
    return {
        (each.engine, each.audio_seconds): base[each.audio_seconds] / each.median
        for each in timings
        if each.audio_seconds in base
    }


def floor_shares(timings: Iterable[Timing]) -> dict[tuple[str, float], float]:
    """Least possible time divided by measured time, by engine and length: medians.

    Each forward is compared with what the machine could do at that moment.
    """
    return {
        (each.engine, each.audio_seconds): median(
            each.flops / rate / taken for rate, taken in zip(each.rates, each.seconds, strict=True)
        )
        for each in timings
        if any(each.rates)
    }


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def seconds(value: float) -> str:
    """Format a duration with three digits, in s or ms."""
    if value != value:
        return "–"
    return f"{value:.3g} s" if value >= 0.9995 else f"{value * 1000:.3g} ms"


def speed_table(timings: Sequence[Timing]) -> str:
    """Times compared with the baseline and the floor."""
    by_ratio, by_floor = ratios(timings), floor_shares(timings)
    rows = []
    for each in timings:
        key = each.engine, each.audio_seconds
        rows.append(
            [
                full_name(each),
                f"{each.audio_seconds:g} s" + (f" × {each.rows}" if each.rows > 1 else ""),
                seconds(each.median),
                f"{seconds(min(each.seconds))} – {seconds(max(each.seconds))}",
                seconds(each.first),
                f"{each.audio_seconds * each.rows / each.median:.3g}",
                f"{by_ratio[key]:.2f}" if key in by_ratio else "–",
                f"{by_floor[key]:.0%} {each.precision}" if key in by_floor else "–",
            ]
        )
    heads = ["engine", "audio", "median", "least – most", "first", "x real time", "x naive"]
    return table([*heads, "of its floor"], rows)


def full_name(timing: Timing) -> str:
    """The engine, and the precision that ``auto`` chose."""
    name = timing.engine
    return f"{name} ({timing.precision})" if name.endswith("-auto") else name


def footprint_table(footprints: Sequence[Footprint]) -> str:
    """Load time and memory."""
    on_gpu = any(each.gpu for each in footprints)
    heads = ["engine", "load, with imports", "peak while loading", "steady", "peak"]
    return table(
        heads + ["GPU memory"] * on_gpu,
        (
            [
                each.engine,
                seconds(each.load_seconds),
                f"{each.loading.peak:.0f} MB",
                f"{each.end.resident:.0f} MB",
                f"{each.end.peak:.0f} MB",
            ]
            + [f"{each.gpu:.0f} MB"] * on_gpu
            for each in footprints
        ),
    )


def floor_line(timings: Sequence[Timing]) -> str:
    """The rates of the machine by precision, and the operations of a forward of each length."""
    rates: dict[str, list[float]] = {}
    for each in timings:
        rates.setdefault(each.precision, []).extend(each.rates)
    rates = {precision: found for precision, found in rates.items() if any(found)}
    if not rates:
        return "Rates of matrix products: not measured."
    unit, name = (1e12, "T") if max(map(max, rates.values())) > 2e13 else (1e9, "G")
    listed = ", ".join(
        f"{precision} {median(found) / unit:.0f} ({min(found) / unit:.0f} to "
        f"{max(found) / unit:.0f})"
        for precision, found in rates.items()
    )
    lines = [f"Rates of matrix products, medians: {listed} {name}FLOP/s."]
    flops = {each.audio_seconds: each.flops / each.rows for each in timings}
    lines += [f"{length:g} s are {count / 1e9:.1f} GFLOP." for length, count in flops.items()]
    return " ".join(lines)


def agreement_table(agreements: Sequence[tuple[str, Agreement]]) -> str:
    """How closely each engine agrees with fp32."""
    rows = [
        [
            name,
            f"{each.equal:.2%}",
            f"{each.shift:.4f} at {each.shift_frames} frames",
            "right" if each.holds else "WRONG",
        ]
        for name, each in agreements
    ]
    return table(["engine", "frames equal to fp32", "largest shift of probability", ""], rows)


def plot_speed(path: Path, title: str, timings: Sequence[Timing]) -> None:
    """Draw speed relative to the baseline and share of the floor as bars."""
    panels = {
        "times the speed of naive": ratios(timings),
        "share of the speed possible on this machine": floor_shares(timings),
    }
    engines = list(dict.fromkeys(each.engine for each in timings))
    lengths = list(dict.fromkeys(each.audio_seconds for each in timings))
    plt = pyplot()
    figure, axes = plt.subplots(
        1, 2, figsize=(11, 1.2 + 0.45 * len(engines) * len(lengths)), sharey=True
    )
    height = 0.8 / len(lengths)
    for axis, (label, values) in zip(axes, panels.items(), strict=True):
        for index, length in enumerate(lengths):
            places = np.arange(len(engines)) + (index - (len(lengths) - 1) / 2) * height
            bars = axis.barh(
                places,
                [values.get((engine, length), 0.0) for engine in engines],
                height,
                color=COLOURS[index % len(COLOURS)],
                label=f"{length:g} s of audio",
            )
            form = "{:.2f}" if axis is axes[0] else "{:.0%}"
            axis.bar_label(bars, [form.format(bar.get_width()) for bar in bars], padding=3)
        axis.set(xlabel=label, yticks=range(len(engines)), yticklabels=engines)
        axis.margins(x=0.15)
        axis.grid(alpha=0.2, axis="x")
    axes[0].invert_yaxis()
    axes[0].legend(loc="upper right")  # the bars of the baseline are short
    save(figure, path, title)


def plot_lines(
    path: Path,
    title: str,
    labels: tuple[str, str],
    lines: Mapping[str, Sequence[tuple[float, float]]],
) -> None:
    """Draw one line of (x, y) points per name."""
    plt = pyplot()
    figure, axis = plt.subplots(figsize=(8, 4.6))
    for name, points in lines.items():
        axis.plot(*zip(*points, strict=True), marker=".", label=name)
    axis.set(xlabel=labels[0], ylabel=labels[1])
    axis.set_ylim(bottom=0)
    axis.grid(alpha=0.2)
    axis.legend()
    save(figure, path, title)


def pyplot() -> Any:
    """pyplot without a display. Call `check_plot` first."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    return plt


def save(figure: Any, path: Path, title: str) -> None:
    figure.suptitle(title)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def check_plot(path: Path | None) -> None:
    """Exit before measuring if the plot cannot be written."""
    from importlib.util import find_spec

    if path and not find_spec("matplotlib"):
        sys.exit("--plot needs matplotlib: `uv run --group bench ...`, or leave --plot out.")
    if path and not path.absolute().parent.is_dir():
        sys.exit(f"--plot: the folder {path.absolute().parent} does not exist.")
