"""The whole page: the template, with its style, its script and the report's data in it."""

import base64
import hashlib
import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from stt.evaluation.html_report import sections
from stt.evaluation.html_report.breakdowns import breakdowns
from stt.evaluation.html_report.phrases import korean
from stt.evaluation.html_report.rows import to_row
from stt.evaluation.html_report.sources import embed, link
from stt.evaluation.report import Report
from stt.evaluation.results import Result, worst


def render_html(report: Report, page: Path, *, embed_audio: bool = False) -> str:
    """The page of a report.

    Args:
        report: The report.
        page: Where the page will be; links to recordings are relative to it.
        embed_audio: Put copies of the worst recordings into the page.
    """
    ordered = _worst_first(report.results)
    copies = embed(ordered) if embed_audio else {}
    rows = [
        to_row(result, copies.get(index) or link(result.utterance.path, page))
        for index, result in enumerate(ordered)
    ]
    script = _file("report.js")
    given = report.conditions
    return Template(_file("report.html")).substitute(
        title=escape(f"{given.model} {given.language}, {given.date}"),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
        style=_file("report.css"),
        script=script,
        korean=_data(korean()),
        rows=_data(rows),
        size=sections.size(report),
        figures=sections.figures(report),
        conditions=sections.conditions(given),
        kinds=sections.kinds(report.kinds),
        breakdowns="".join(map(sections.breakdown, breakdowns(report.results))),
        substitutions=sections.substitutions(report.substitutions),
    )


def _worst_first(results: Sequence[Result]) -> list[Result]:
    wrong = worst(results, len(results))
    return wrong + [result for result in results if not result.scores.characters.total]


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _data(value: object) -> str:
    """JSON that cannot end the element that it is in, nor begin a comment there."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
