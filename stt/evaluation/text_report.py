"""A report as text for people."""

from collections.abc import Iterator

from stt.evaluation.errors import percent
from stt.evaluation.intervals import LEVEL, Interval
from stt.evaluation.report import Report
from stt.evaluation.results import worst

_MOST_SUBSTITUTIONS = 10


def render_text(report: Report, n_worst: int) -> str:
    """Format the report; its last line is complete in itself, for a table of results."""
    failed = f"; {report.n_failed} failed and are not scored" if report.n_failed else ""
    n_empty = sum(not result.compared[0].strip() for result in report.results)
    empty = f", {n_empty} of them with an empty reference" if n_empty else ""
    lines = [
        *_worst(report, n_worst),
        *_substitutions(report),
        *_rates(report),
        f"{'files':<18} {len(report.results):>8}{empty}{failed}",
        f"{'audio':<18} {report.audio_seconds:>8.1f}   s",
        f"{'speed':<18} {report.rtfx:>8.1f}   × real time (RTFx)",
        "",
        *_kinds(report),
        _summary(report, failed),
    ]
    return "\n".join(lines) + "\n"


def _worst(report: Report, count: int) -> Iterator[str]:
    results = worst(report.results, count)
    if not results:
        return
    yield from (f"The {len(results)} worst by CER: reference | hypothesis", "")
    for result in results:
        reference, hypothesis = result.compared
        rate = percent(result.scores.characters.rate)
        yield f"  {rate:>8}  {result.utterance.name}: {reference} | {hypothesis}"
    yield ""


def _substitutions(report: Report) -> Iterator[str]:
    found = report.substitutions[:_MOST_SUBSTITUTIONS]
    if not found:
        return
    yield from (f"The {len(found)} most frequent substitutions, each with a recording", "")
    for each in found:
        yield f"  {each.count:>8}  {each.reference} -> {each.hypothesis}  ({each.example})"
    yield ""


def _rates(report: Report) -> Iterator[str]:
    for rate in report.rates:
        errors = rate.errors
        yield (
            f"{rate.measure.title:<18} {percent(errors.rate):>8}   {_interval(rate.interval)}"
            f"{errors.substitutions} substituted, {errors.deletions} deleted, "
            f"{errors.insertions} inserted; "
            f"{errors.reference_units} {rate.measure.unit} in the references"
        )
    if report.results and not any(rate.interval for rate in report.rates):
        yield "No confidence intervals: there are too few recordings with a text."


def _kinds(report: Report) -> Iterator[str]:
    kinds = report.kinds
    if not kinds.total:
        return
    yield f"Errors of the raw CER, {percent(kinds.raw_rate)}, by kind:"
    for name, count in kinds.by_name.items():
        yield f"{name:<18} {100 * count / kinds.total:>6.1f} %   {count} characters"
    yield ""


def _summary(report: Report, failed: str) -> str:
    given = report.conditions
    rates = "".join(f"{rate.measure.title} {percent(rate.errors.rate)}, " for rate in report.rates)
    return (
        f"{given.model}@{given.revision} {given.language}, {given.backend} {given.precision} on "
        f"{given.device}, normaliser {given.normaliser}, transcription {given.transcription}, "
        f"{given.date}: {rates}"
        f"{len(report.results)} files{failed}, {report.audio_seconds:.1f} s, "
        f"RTFx {report.rtfx:.1f}"
    )


def _interval(interval: Interval | None) -> str:
    if interval is None:
        return ""
    return f"{100 * LEVEL:.0f} % interval [{100 * interval.low:.2f}, {100 * interval.high:.2f}]; "
