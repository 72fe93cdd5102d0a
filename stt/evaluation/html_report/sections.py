"""The parts of the page that do not change: figures, kinds of errors, breakdowns, substitutions."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from html import escape

from stt.evaluation.errors import percent
from stt.evaluation.html_report.breakdowns import Breakdown, Group
from stt.evaluation.html_report.phrases import say
from stt.evaluation.intervals import LEVEL, Interval
from stt.evaluation.kinds import Kinds
from stt.evaluation.rates import Rate
from stt.evaluation.report import Conditions, Report
from stt.evaluation.substitutions import Substitution

MOST_SUBSTITUTIONS = 30


def figures(report: Report) -> str:
    """The rates with their intervals, and the size of the set."""
    return "".join(_rate(rate) for rate in report.rates)


def size(report: Report) -> str:
    """How much was transcribed, and how fast."""
    parts = [
        say("{n} recordings", n=f"{len(report.results):,}"),
        say("{n} min of audio", n=f"{report.audio_seconds / 60:,.1f}"),
        say("{n} × real time", n=f"{report.rtfx:,.1f}"),
    ]
    if n_empty := sum(not result.compared[0].strip() for result in report.results):
        parts.append(say("{n} with an empty reference", n=n_empty))
    if report.n_failed:
        parts.append(
            "<strong>"
            + say("{n} failed and are not scored; the log names them", n=report.n_failed)
            + "</strong>"
        )
    return " · ".join(parts)


def conditions(given: Conditions) -> str:
    """What must match before two reports can be compared."""
    return "".join(
        f"<div><dt>{say(name)}</dt><dd>{escape(str(value))}</dd></div>"
        for name, value in asdict(given).items()
        if value
    )


def kinds(counted: Kinds) -> str:
    """A bar of spacing, notation and real errors, with their numbers."""
    if not counted.total:
        return f"<p>{say('No errors.')}</p>"
    bar, legend = "", ""
    for name, count in counted.by_name.items():
        share = 100 * count / counted.total
        if count:
            bar += f'<span class="{name}" style="flex-grow:{share:.3f}"></span>'
        legend += (
            f'<li><span class="swatch {name}"></span>{say(name)} '
            f"<b>{share:.1f} %</b> <span class=quiet>{count:,}</span></li>"
        )
    of_all = say("Of the raw CER ({rate}), in characters.", rate=percent(counted.raw_rate))
    return (
        f'<div class="kinds-bar" aria-hidden="true">{bar}</div><ul class="legend">{legend}</ul>'
        f"<p class=quiet>{of_all}</p>"
    )


def breakdown(each: Breakdown) -> str:
    """A table with bars."""
    longest = max((_end(group) for group in each.groups), default=0.0) or 1.0
    rows = "".join(_group(group, longest) for group in each.groups)
    left_out = say("{n} speakers with a lower CER are not shown.", n=each.n_left_out)
    return (
        f"<section class=card><h3>{say(each.title)}</h3><table class=groups><thead><tr>"
        f"<th scope=col>{say('Group')}</th><th scope=col class=num>{say('Files')}</th>"
        f"<th scope=col class=num>CER</th><th scope=col aria-hidden=true></th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
        + (f"<p class=quiet>{left_out}</p>" if each.n_left_out else "")
        + "</section>"
    )


def substitutions(found: Sequence[Substitution]) -> str:
    """The most frequent ones; each looks for its recordings."""
    if not found:
        return f"<p>{say('None.')}</p>"
    rows = "".join(
        f"<tr><td class=num>{each.count:,}</td><td>{escape(each.reference)}</td>"
        f"<td>{escape(each.hypothesis)}</td>"
        f'<td><button type=button class="find" data-find="{escape(each.reference)}">'
        f"{say('Find')}</button></td></tr>"
        for each in found[:MOST_SUBSTITUTIONS]
    )
    return (
        f"<table class=substitutions><thead><tr><th scope=col class=num>{say('Count')}</th>"
        f"<th scope=col>{say('Reference')}</th><th scope=col>{say('Recognised')}</th>"
        f"<th scope=col><span class=unseen>{say('Find')}</span></th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def _rate(rate: Rate) -> str:
    errors = rate.errors
    counts = say(
        "{s} substituted, {d} deleted, {i} inserted of {n}",
        s=f"{errors.substitutions:,}",
        d=f"{errors.deletions:,}",
        i=f"{errors.insertions:,}",
        n=f"{errors.reference_units:,}",
    )
    return (
        f"<div class=figure><dt>{say(rate.measure.title)}</dt><dd><b>{percent(errors.rate)}</b>"
        f"<span>{_interval(rate.interval)}</span><span class=quiet>{counts}</span></dd></div>"
    )


def _interval(interval: Interval | None) -> str:
    if interval is None:
        return say("No interval: too few recordings")
    low, high = f"{100 * interval.low:.2f}", f"{100 * interval.high:.2f}"
    return say("{level} interval: {low}–{high} %", low=low, high=high, level=f"{100 * LEVEL:.0f} %")


def _group(group: Group, longest: float) -> str:
    interval = group.interval
    whisker = ""
    if interval:
        low, high = (100 * each / longest for each in (interval.low, interval.high))
        whisker = f'<path class=whisker d="M{low:.2f} 5H{high:.2f}M{low:.2f} 2V8M{high:.2f} 2V8"/>'
    width = 100 * (group.errors.rate or 0.0) / longest
    return (
        f"<tr><th scope=row>{say(group.name)}</th><td class=num>{group.n_recordings:,}</td>"
        f"<td class=num>{percent(group.errors.rate)}</td><td class=meter>"
        '<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{width:.2f}" height="10" rx="1"/>{whisker}</svg></td></tr>'
    )


def _end(group: Group) -> float:
    ends: Iterable[float] = (group.errors.rate or 0.0, group.interval.high if group.interval else 0)
    return max(ends)
