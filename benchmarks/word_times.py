"""How well word starts and ends agree with where the words really are.

``uv run --group training python -m benchmarks.word_times ko-mini``

The truth is espeak-ng's phoneme events; the words are those of held-out sentences that were
recognised. The signed medians are the lags that `stt.languages` corrects: with ``--raw`` they are
measured anew, without it what is left of them is.
"""

import argparse
import datetime
from collections.abc import Iterator, Sequence

import jiwer
import numpy as np

from benchmarks.held_out import SpokenWord, Subject, true_words
from benchmarks.setting import describe
from stt.languages import BUNDLED_MODELS
from stt.recognition.ctc import GreedyDecoder
from stt.types import SAMPLE_RATE, Calibration, Word
from training.figures import TimeErrors, WordTimes

SILENCE_SECONDS = 0.3
"""Put before and behind each clip."""


def measure(
    subject: Subject, split: str = "test_sentences", calibration: Calibration | None = None
) -> WordTimes:
    """Errors of the recognised words' times.

    Args:
        subject: The model.
        split: Whose clips to take.
        calibration: Instead of the registry's.
    """
    calibration = subject.calibration if calibration is None else calibration
    engine = subject.load()
    corpus = subject.speak(split, f"word_times_{split}", word_gap=(1, 6))
    starts: list[float] = []
    ends: list[float] = []
    n_clips = 0
    for index, clip in enumerate(corpus.clips):
        truth = true_words(clip)
        if truth is None:  # no pause event between all words
            continue
        n_clips += 1
        waveform = np.pad(corpus.waveform(index), round(SILENCE_SECONDS * SAMPLE_RATE))
        decoder = GreedyDecoder(engine.vocabulary, engine.grid, calibration)
        words = decoder.feed(engine.forward([waveform])[0]) + decoder.finish()
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
    """The words that were recognised, with what they are."""
    heard = " ".join(word.text for word in words) or "-"
    for chunk in jiwer.process_words(text, heard).alignments[0]:
        if chunk.type == "equal":
            yield from zip(
                truth[chunk.ref_start_idx : chunk.ref_end_idx],
                words[chunk.hyp_start_idx : chunk.hyp_end_idx],
                strict=True,
            )


def errors_of(differences: Sequence[float]) -> TimeErrors:
    """Signed differences in seconds, summed up."""
    absolute = np.abs(differences)
    return TimeErrors(
        median=float(np.median(differences)),
        median_absolute=float(np.median(absolute)),
        high_absolute=float(np.percentile(absolute, 95)),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=sorted(BUNDLED_MODELS))
    parser.add_argument("--split", choices=("dev", "test_sentences"), default="test_sentences")
    parser.add_argument("--raw", action="store_true", help="without the registry's correction")
    options = parser.parse_args()
    times = measure(
        Subject.bundled(options.model), options.split, Calibration() if options.raw else None
    )
    print(describe())
    print(f"{times.n_words} recognised words of {times.n_clips} clips ({options.split}).")
    print("\n| | median of signed error | median absolute | 95th percentile absolute |")
    print("|---|---|---|---|")
    for name, errors in (("start", times.starts), ("end", times.ends)):
        print(
            f"| {name} | {1000 * errors.median:+.0f} ms | {1000 * errors.median_absolute:.0f} ms "
            f"| {1000 * errors.high_absolute:.0f} ms |"
        )


if __name__ == "__main__":
    main()
