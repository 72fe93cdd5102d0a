"""A report as JSON for programs."""

from dataclasses import asdict
from typing import Any

from stt.evaluation.rates import MEASURES, Rate
from stt.evaluation.report import Report
from stt.evaluation.results import Result


def to_json(report: Report) -> dict[str, Any]:
    """The whole report as JSON; rates are fractions, null if undefined."""
    return {
        **asdict(report.conditions),
        **{rate.measure.name: rate.errors.rate for rate in report.rates},
        "confidence_intervals": {rate.measure.name: _interval(rate) for rate in report.rates},
        "errors": asdict(report.scores),
        "raw_cer": report.kinds.raw_rate,
        "kinds": report.kinds.by_name,
        "substitutions": [
            {
                "reference": each.reference,
                "hypothesis": each.hypothesis,
                "count": each.count,
                "file": each.example,
            }
            for each in report.substitutions
        ],
        "n_files": len(report.results),
        "n_failed": report.n_failed,
        "audio_seconds": round(report.audio_seconds, 3),
        "work_seconds": round(report.work_seconds, 3),
        "rtfx": round(report.rtfx, 2),
        "files": [_file(result) for result in report.results],
    }


def _file(result: Result) -> dict[str, Any]:
    errors = {measure.name: measure.of(result) for measure in MEASURES}
    return {
        "file": result.utterance.name,
        "reference": result.utterance.reference,
        "hypothesis": result.hypothesis,
        "audio_seconds": round(result.audio_seconds, 3),
        "snr_db": None if result.snr_db is None else round(result.snr_db, 1),
        **{
            key: value
            for key in ("speaker", "gender", "age")
            if (value := getattr(result.utterance, key))
        },
        **{name: each.rate for name, each in errors.items() if each is not None},
        "kinds": result.kinds.by_name,
    }


def _interval(rate: Rate) -> list[float] | None:
    return [rate.interval.low, rate.interval.high] if rate.interval else None
