"""How far the start and end times of recognised words are from the true ones.

espeak-ng's phoneme events are the truth. `training.evaluate` writes the errors into the model card;
`training.calibrate` prints the constant lags that `stt.languages` corrects.
"""

import datetime
from collections.abc import Iterator, Sequence

import jiwer
import numpy as np

from stt.decoding.greedy import GreedyDecoder
from stt.engines.wants import BEST
from stt.types import SAMPLE_RATE, Calibration, Word, join_words
from training.figures import TimeErrors, WordTimes
from training.held_out import SpokenWord, Subject, true_words

SILENCE_SECONDS = 0.3
"""Added before and after each clip."""


def measure(
    subject: Subject, split: str = "test_sentences", calibration: Calibration | None = None
) -> WordTimes:
    """Measure the time errors of the recognised words.

    Args:
        subject: The model.
        split: Whose clips to take.
        calibration: Replaces the registered one.
    """
    calibration = subject.calibration if calibration is None else calibration
    engine = subject.load()
    corpus = subject.speak(split, f"word_times_{split}", word_gap=(1, 6))
    starts: list[float] = []
    ends: list[float] = []
    n_clips = 0
    for index, clip in enumerate(corpus.clips):
        truth = true_words(clip)
        if truth is None:
            continue
        n_clips += 1
        waveform = np.pad(corpus.waveform(index), round(SILENCE_SECONDS * SAMPLE_RATE))
        decoder = GreedyDecoder(engine.vocabulary, engine.grid, calibration)
        words = decoder.feed(engine.forward([waveform], BEST)[0]) + decoder.finish()
        for true, word in matched(clip.text, truth, words):
            starts.append(word.start - SILENCE_SECONDS - true.start)
            ends.append(word.end - SILENCE_SECONDS - true.end)
    return WordTimes(
        date=datetime.date.today().isoformat(),
        n_clips=n_clips,
        n_words=len(starts),
        start_lag=calibration.start_lag_seconds,
        end_lag=calibration.end_lag_seconds,
        starts=errors_of(starts),
        ends=errors_of(ends),
    )


def matched(
    text: str, truth: Sequence[SpokenWord], words: Sequence[Word]
) -> Iterator[tuple[SpokenWord, Word]]:
    """Pair each correctly recognised word with its true position."""
    heard = join_words(words) or "-"
    for chunk in jiwer.process_words(text, heard).alignments[0]:
        if chunk.type == "equal":
            yield from zip(
                truth[chunk.ref_start_idx : chunk.ref_end_idx],
                words[chunk.hyp_start_idx : chunk.hyp_end_idx],
                strict=True,
            )


def errors_of(differences: Sequence[float]) -> TimeErrors:
    """Summarise signed differences in seconds."""
    absolute = np.abs(differences)
    return TimeErrors(
        median=float(np.median(differences)),
        median_absolute=float(np.median(absolute)),
        high_absolute=float(np.percentile(absolute, 95)),
    )
