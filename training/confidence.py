"""Is a word of confidence 0.8 right in 8 cases out of 10?

Measured on held-out clips in white noise of 0 to 20 dB, as the expected calibration error over ten
bins (Guo et al., 2017). `training.evaluate` writes the error of the registered temperature on the
test set into the model card; `training.calibrate` fits the temperature on the development set.
"""

import datetime
from pathlib import Path

import jiwer
import numpy as np
from numpy.typing import NDArray

from stt.decoding.greedy import GreedyDecoder
from stt.engines.torch import TorchEngine
from stt.engines.wants import BEST
from stt.types import LogProbs, join_words
from training.figures import ConfidenceFigure
from training.held_out import Subject, with_noise

N_BINS = 10


def noisy_log_probs(
    engine: TorchEngine, subject: Subject, split: str
) -> tuple[list[LogProbs], list[str]]:
    """Log-probs of a split's clips in noise of 0 to 20 dB, and their texts."""
    random = np.random.default_rng(0)
    corpus = subject.speak(split, f"confidence_{split}")
    log_probs = [
        engine.log_probs([with_noise(corpus.waveform(index), random.uniform(0, 20), random)])[0]
        for index in range(len(corpus))
    ]
    return log_probs, corpus.texts


def judged_words(
    engine: TorchEngine, log_probs: list[LogProbs], texts: list[str], temperature: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The confidence of each recognised word, and 1 where the word is right."""
    confidences: list[float] = []
    right: list[bool] = []
    for each, text in zip(log_probs, texts, strict=True):
        decoder = GreedyDecoder(engine.vocabulary, engine.grid)
        words = decoder.feed(BEST.reduce(each, temperature)) + decoder.finish()
        if not words:
            continue
        flags = [False] * len(words)
        heard = join_words(words)
        for chunk in jiwer.process_words(text, heard).alignments[0]:
            if chunk.type == "equal":
                flags[chunk.hyp_start_idx : chunk.hyp_end_idx] = [True] * (
                    chunk.hyp_end_idx - chunk.hyp_start_idx
                )
        confidences += [word.confidence for word in words]
        right += flags
    return np.array(confidences), np.array(right, float)


def bins(
    confidences: NDArray[np.float64], right: NDArray[np.float64]
) -> list[tuple[float, float, int]]:
    """(mean confidence, share of right words, number of words) of each non-empty bin."""
    index = np.minimum((confidences * N_BINS).astype(int), N_BINS - 1)
    return [
        (float(confidences[index == each].mean()), float(right[index == each].mean()), int(count))
        for each in range(N_BINS)
        if (count := (index == each).sum())
    ]


def calibration_error(confidences: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Expected calibration error: the gap of each bin, weighted by its number of words."""
    return sum(
        abs(mean - share) * count / len(right) for mean, share, count in bins(confidences, right)
    )


def plot(path: Path, name: str, panels: dict[str, list[tuple[float, float, int]]]) -> None:
    """Draw a reliability diagram for each temperature, side by side."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(panels), figsize=(5 * len(panels), 4.6), sharey=True)
    for axis, (title, rows) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        total = sum(count for *_, count in rows)
        axis.plot([0, 1], [0, 1], color="grey", linewidth=1, linestyle="--")
        axis.plot([row[0] for row in rows], [row[1] for row in rows], color="#36c")
        axis.scatter(
            [row[0] for row in rows],
            [row[1] for row in rows],
            [20 + 900 * row[2] / total for row in rows],
            color="#36c",
            alpha=0.6,
        )
        axis.set(title=title, xlabel="confidence of a word", xlim=(0, 1), ylim=(0, 1.02))
        axis.grid(alpha=0.2)
    np.atleast_1d(axes)[0].set_ylabel("share of words that are right")
    figure.suptitle(f"{name}: held-out synthetic speech in noise of 0 to 20 dB")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def measure(subject: Subject, diagram: Path | None = None) -> ConfidenceFigure:
    """Measure the registered temperature on the test set.

    Args:
        subject: The model.
        diagram: Where to write the reliability diagram.
    """
    engine = subject.load()
    log_probs, texts = noisy_log_probs(engine, subject, "test_sentences")
    temperature = subject.calibration.temperature
    judged = {
        each: judged_words(engine, log_probs, texts, each) for each in sorted({1.0, temperature})
    }
    errors = {each: calibration_error(*words) for each, words in judged.items()}
    if diagram is not None:
        panels = {
            f"temperature {each:g}, error {errors[each]:.1%}": bins(*words)
            for each, words in judged.items()
        }
        plot(diagram, subject.name, panels)
    confidences, right = judged[temperature]
    return ConfidenceFigure(
        date=datetime.date.today().isoformat(),
        n_words=len(right),
        share_right=float(right.mean()),
        mean_confidence=float(confidences.mean()),
        temperature=temperature,
        calibration_error=errors[temperature],
        error_without=errors[1.0],
    )


def fit(subject: Subject) -> dict[float, float]:
    """The calibration error on the development set at each candidate temperature."""
    engine = subject.load()
    log_probs, texts = noisy_log_probs(engine, subject, "dev")
    candidates = np.round(np.arange(0.6, 4.01, 0.05), 2).tolist()
    return {
        candidate: calibration_error(*judged_words(engine, log_probs, texts, candidate))
        for candidate in candidates
    }
