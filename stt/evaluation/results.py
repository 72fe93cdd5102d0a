"""Single recordings and their scores."""

from collections.abc import Iterable
from dataclasses import dataclass

from stt.evaluation.errors import Errors, Scores
from stt.evaluation.kinds import Kinds
from stt.evaluation.manifests import Utterance


@dataclass(frozen=True)
class Result:
    """One recording and its score."""

    utterance: Utterance
    hypothesis: str
    """The model's text, not normalised."""
    audio_seconds: float
    compared: tuple[str, str]
    """Reference and hypothesis after the normaliser."""
    scores: Scores
    by_reading: Errors | None
    """In characters without spaces, of both texts read aloud; None if the language has no rules."""
    kinds: Kinds
    snr_db: float | None = None
    """As `stt.audio.noise` estimates it; None if it is unknown."""


def worst(results: Iterable[Result], count: int) -> list[Result]:
    """The results with the highest CER, without the correct ones; ties: more errors first."""

    def badness(result: Result) -> tuple[float, int]:
        rate = result.scores.characters.rate
        return float("inf") if rate is None else rate, result.scores.characters.total

    wrong = [result for result in results if result.scores.characters.total]
    return sorted(wrong, key=badness, reverse=True)[:count]
