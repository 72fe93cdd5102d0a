"""``stt evaluate --tune``: finds the weights of a language model on recordings with texts.

The acoustic model computes each recording once; then its frames are decoded with many weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from stt.commands.inputs import Recording
from stt.commands.progress import Progress
from stt.commands.recognition import LocalRecognizer
from stt.decoding.factory import Decoding, Opened
from stt.engines.base import Engine
from stt.engines.wants import Top
from stt.errors import ConfigurationError
from stt.evaluation.comparison import Comparison
from stt.evaluation.manifests import Utterance
from stt.frames import TopFrames
from stt.recognition.plan import Plan
from stt.types import Word, join_words

ALPHAS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.3)
BETAS = (-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)


class _Collector:
    """A decoder that keeps all frames and finds no words."""

    def __init__(self) -> None:
        self.frames: list[TopFrames] = []

    def feed(self, frames: TopFrames) -> list[Word]:
        self.frames.append(frames)
        return []

    def finish(self) -> list[Word]:
        return []

    def copy(self) -> "_Collector":
        return self


@dataclass(frozen=True)
class _Collecting(Decoding):
    """Collects the frames of a recording."""

    collector: _Collector | None = None

    def open(self, engine: Engine) -> Opened[Any]:
        """See `Decoding.open`."""
        assert self.collector is not None  # noqa: S101
        return Opened(Top(engine.vocabulary.blank), self.collector, is_slow=False)


def tune(
    utterances: Sequence[Utterance], recognizer: LocalRecognizer, comparison: Comparison
) -> str:
    """Find the weights with the lowest CER; returns a table of what was tried.

    Alpha and beta are searched in turn, from the present ones on, until neither improves.

    Raises:
        ConfigurationError: there is no language model.
    """
    decoding = recognizer.plan.decoding
    if decoding.language_model is None:
        raise ConfigurationError(
            "There is no language model to tune. Name one with --lm FILE, or give "
            "--language-model for the demo's."
        )
    spoken = _compute(utterances, recognizer)
    references = [utterance.reference for utterance, _ in spoken]
    tried: dict[tuple[float, float], tuple[float, float]] = {}

    def rate(alpha: float, beta: float) -> float:
        if (alpha, beta) not in tried:
            model = replace(decoding.language_model, alpha=alpha, beta=beta)  # type: ignore[type-var]
            tuned = replace(decoding, language_model=model)
            texts = [_decode(tuned, frames, recognizer.engine) for _, frames in spoken]
            scores = comparison.scores(zip(references, texts, strict=True))
            tried[alpha, beta] = (scores.characters.rate or 0.0, scores.words.rate or 0.0)
            bar.update()
        return tried[alpha, beta][0]

    best = decoding.language_model.alpha, decoding.language_model.beta
    with tqdm(desc="tuning", unit="weights", disable=None, leave=False) as bar:
        while True:
            before = best
            best = min(((alpha, best[1]) for alpha in (*ALPHAS, best[0])), key=lambda w: rate(*w))
            best = min(((best[0], beta) for beta in (*BETAS, best[1])), key=lambda w: rate(*w))
            if best == before:
                break
    lines = ["  alpha    beta       CER       WER"]
    for (alpha, beta), (cer, wer) in sorted(tried.items(), key=lambda item: item[1])[:12]:
        lines.append(f"{alpha:7.2f} {beta:7.2f} {cer:9.2%} {wer:9.2%}")
    lines += [
        "",
        f"Best of {len(tried)} on {len(spoken)} recordings; for attrs.json beside the model:",
        f'{{"alpha": {best[0]:g}, "beta": {best[1]:g}}}',
    ]
    return "\n".join(lines) + "\n"


def _compute(
    utterances: Sequence[Utterance], recognizer: LocalRecognizer
) -> list[tuple[Utterance, TopFrames]]:
    """The frames of every recording that can be read; failures are logged."""
    recordings = [Recording(each.path, Path(each.name)) for each in utterances]
    spoken = []
    plan = recognizer.plan
    with Progress(len(recordings), sum(each.size for each in recordings)) as progress:
        for utterance, recording in zip(utterances, recordings, strict=True):
            with progress.recording(recording.name, recording.size) as counted:
                collector = _Collector()
                recognizer.plan = Plan(_Collecting(collector=collector))
                with recording.open() as file:
                    recognition = recognizer.recognize(counted(file), recording.name)
                progress.count(recognition.transcript.duration_seconds)
                if collector.frames:
                    arrays = zip(*(each.arrays() for each in collector.frames), strict=True)
                    frames = TopFrames(*(np.concatenate(each) for each in arrays))
                    spoken.append((utterance, frames))
    recognizer.plan = plan
    return spoken


def _decode(decoding: Decoding, frames: TopFrames, engine: Engine) -> str:
    decoder = decoding.open(engine).decoder
    return join_words(decoder.feed(frames) + decoder.finish())
