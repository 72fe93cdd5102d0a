"""Reports without a model, for the page's tests."""

from pathlib import Path

from stt.evaluation.comparison import Comparison
from stt.evaluation.manifests import Utterance
from stt.evaluation.report import Conditions, Report, report
from stt.evaluation.results import Result

CONDITIONS = Conditions(
    "model", "c0ffee", "KR", "torch", "fp32", "cpu", "basic", "plain", "2026-01-02"
)


def result(
    reference: str = "가나",
    hypothesis: str = "가나",
    *,
    name: str = "a.wav",
    seconds: float = 1.0,
    snr_db: float | None = None,
    speaker: str = "",
) -> Result:
    utterance = Utterance(name, Path("/set") / name, reference, speaker=speaker)
    return Comparison().compare(utterance, hypothesis, seconds, snr_db)


def report_of(*results: Result) -> Report:
    return report(CONDITIONS, results, n_failed=0, audio_seconds=60.0, work_seconds=6.0)
