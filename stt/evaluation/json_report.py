"""A report as JSON for programs."""

from dataclasses import asdict
from typing import Any

from stt.evaluation.report import Report


def to_json(report: Report) -> dict[str, Any]:
    """The whole report as JSON; rates are fractions, null if undefined."""
    return {
        **asdict(report.conditions),
        "wer": report.scores.words.rate,
        "cer": report.scores.characters.rate,
        "cer_without_spaces": report.scores.characters_without_spaces.rate,
        "errors": asdict(report.scores),
        "n_files": len(report.results),
        "n_failed": report.n_failed,
        "audio_seconds": round(report.audio_seconds, 3),
        "work_seconds": round(report.work_seconds, 3),
        "rtfx": round(report.rtfx, 2),
        "files": [
            {
                "file": result.utterance.name,
                "reference": result.utterance.reference,
                "hypothesis": result.hypothesis,
                "audio_seconds": round(result.audio_seconds, 3),
                "wer": result.scores.words.rate,
                "cer": result.scores.characters.rate,
                "cer_without_spaces": result.scores.characters_without_spaces.rate,
            }
            for result in report.results
        ],
    }
