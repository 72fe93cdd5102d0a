"""A report as text for people."""

from stt.evaluation.errors import Errors
from stt.evaluation.report import Report
from stt.evaluation.results import worst


def render_text(report: Report, n_worst: int) -> str:
    """Format the report; its last line is complete in itself, for a table of results."""
    lines = []
    worst_results = worst(report.results, n_worst)
    if worst_results:
        lines += [f"The {len(worst_results)} worst by CER: reference | hypothesis", ""]
    for result in worst_results:
        reference, hypothesis = result.compared
        rate = _percent(result.scores.characters)
        lines.append(f"  {rate:>8}  {result.utterance.name}: {reference} | {hypothesis}")
    lines += [""] if lines else []
    scores, given = report.scores, report.conditions
    for name, errors, unit in (
        ("WER", scores.words, "words"),
        ("CER", scores.characters, "characters"),
        ("CER, no spaces", scores.characters_without_spaces, "characters"),
    ):
        lines.append(
            f"{name:<15} {_percent(errors):>8}   {errors.substitutions} substituted, "
            f"{errors.deletions} deleted, {errors.insertions} inserted; "
            f"{errors.reference_units} {unit} in the references"
        )
    n_empty = sum(not result.compared[0].strip() for result in report.results)
    empty = f", {n_empty} of them with an empty reference" if n_empty else ""
    failed = f"; {report.n_failed} failed and are not scored" if report.n_failed else ""
    lines += [
        f"{'files':<15} {len(report.results):>8}{empty}{failed}",
        f"{'audio':<15} {report.audio_seconds:>8.1f}   s",
        f"{'speed':<15} {report.rtfx:>8.1f}   × real time (RTFx)",
        "",
        f"{given.model}@{given.revision} {given.language}, {given.backend} {given.precision} on "
        f"{given.device}, normaliser {given.normaliser}, {given.date}: "
        f"WER {_percent(scores.words)}, CER {_percent(scores.characters)}, "
        f"CER without spaces {_percent(scores.characters_without_spaces)}, "
        f"{len(report.results)} files{failed}, {report.audio_seconds:.1f} s, "
        f"RTFx {report.rtfx:.1f}",
    ]
    return "\n".join(lines) + "\n"


def _percent(errors: Errors) -> str:
    return "n/a" if errors.rate is None else f"{100 * errors.rate:.2f} %"
