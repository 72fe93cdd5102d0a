"""Results as the data of the page's table."""

from collections.abc import Mapping
from typing import Any

from stt.evaluation.html_report.alignment import align
from stt.evaluation.results import Result


def to_row(result: Result, url: str) -> Mapping[str, Any]:
    """A result for the page's script; ``url`` plays the recording, "" if nothing does."""
    reference, hypothesis = result.compared
    return {
        "name": result.utterance.name,
        "url": url,
        "pieces": [
            [each.kind, each.reference, each.hypothesis] for each in align(*result.compared)
        ],
        "reference": reference,
        "hypothesis": hypothesis,
        "rawReference": result.utterance.reference,
        "rawHypothesis": result.hypothesis,
        "cer": result.scores.characters.rate,
        "wer": result.scores.words.rate,
        "errors": result.scores.characters.total,
        **result.kinds.by_name,
        "seconds": round(result.audio_seconds, 2),
        "snr": None if result.snr_db is None else round(result.snr_db, 1),
        "speaker": result.utterance.speaker,
    }
