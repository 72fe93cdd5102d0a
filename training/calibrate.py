"""Measure the `Calibration` of a bundled model for `stt.languages`, on its development set.

``uv run --group training python -m training.calibrate ko-mini`` prints the constant lags of word
starts and ends, and the temperature with the smallest calibration error.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from stt.types import Calibration
from training import confidence, word_times
from training.held_out import Subject
from training.recipe import RECIPES


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.calibrate", description=__doc__)
    parser.add_argument("model", choices=sorted(RECIPES))
    parser.add_argument("--folder", type=Path, help="default: stt/bundled/NAME")
    parser.add_argument("--work-dir", type=Path, help="default: runs/NAME")
    options = parser.parse_args()
    bundled = Subject.bundled(options.model)
    subject = replace(
        bundled,
        folder=options.folder or bundled.folder,
        work_dir=options.work_dir or bundled.work_dir,
    )
    times = word_times.measure(subject, "dev", Calibration())
    print(
        f"lags over {times.n_words} words: starts {1000 * times.starts.median:+.0f} ms, "
        f"ends {1000 * times.ends.median:+.0f} ms"
    )
    errors = confidence.fit(subject)
    best = min(errors, key=errors.__getitem__)
    print(
        f"temperature {best:g}: calibration error {errors[best]:.1%} "
        f"({errors[1.0]:.1%} at temperature 1)"
    )


if __name__ == "__main__":
    main()
