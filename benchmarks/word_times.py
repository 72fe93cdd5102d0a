"""How well word starts and ends agree with where the words really are.

``uv run --group training python -m benchmarks.word_times ko-mini``

The truth is espeak-ng's phoneme events; the words are those of held-out sentences that were
recognised. The signed medians are the lags that `stt.languages` corrects: with ``--raw`` they are
measured anew, without it what is left of them is.
"""

import argparse

import jiwer
import numpy as np

from benchmarks.held_out import load_bundled, speak, true_words
from benchmarks.setting import describe
from stt.ctc import GreedyDecoder
from stt.languages import BUNDLED_MODELS
from stt.transcript import Calibration

SILENCE_SECONDS = 0.3
"""Put before and behind each clip."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=sorted(BUNDLED_MODELS))
    parser.add_argument("--split", choices=("dev", "test_sentences"), default="test_sentences")
    parser.add_argument("--raw", action="store_true", help="without the registry's correction")
    options = parser.parse_args()
    calibration = Calibration() if options.raw else BUNDLED_MODELS[options.model].calibration
    engine = load_bundled(options.model)
    corpus = speak(options.model, options.split, f"word_times_{options.split}", word_gap=(1, 6))
    starts: list[float] = []
    ends: list[float] = []
    skipped = 0
    for index, clip in enumerate(corpus.clips):
        truth = true_words(clip)
        if truth is None:
            skipped += 1
            continue
        waveform = np.pad(corpus.waveform(index), round(SILENCE_SECONDS * 16_000))
        decoder = GreedyDecoder(engine.vocabulary, engine.grid, calibration)
        words = decoder.feed(engine.forward([waveform])[0]) + decoder.finish()
        heard = " ".join(word.text for word in words) or "-"
        for chunk in jiwer.process_words(clip.text, heard).alignments[0]:
            if chunk.type != "equal":
                continue
            for offset in range(chunk.ref_end_idx - chunk.ref_start_idx):
                true, word = (
                    truth[chunk.ref_start_idx + offset],
                    words[chunk.hyp_start_idx + offset],
                )
                starts.append(word.start - SILENCE_SECONDS - true.start)
                ends.append(word.end - SILENCE_SECONDS - true.end)
    print(describe())
    print(
        f"{len(starts)} recognised words of {len(corpus)} clips ({options.split}); {skipped} clips "
        "have no pause event between all words and are left out."
    )
    print("\n| | median of signed error | median absolute | 95th percentile absolute |")
    print("|---|---|---|---|")
    for name, errors in (("start", np.array(starts)), ("end", np.array(ends))):
        signed, median, high = (
            1000 * value
            for value in (
                np.median(errors),
                np.median(np.abs(errors)),
                np.percentile(np.abs(errors), 95),
            )
        )
        print(f"| {name} | {signed:+.0f} ms | {median:.0f} ms | {high:.0f} ms |")


if __name__ == "__main__":
    main()
