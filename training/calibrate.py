"""Measure the `Calibration` of a bundled model for `stt.languages`, on its development set.

``uv run --group training python -m training.calibrate ko-mini`` prints the constant lags of word
starts and ends, and the temperature with the smallest calibration error.
"""

import argparse

from stt.types import Calibration
from training import confidence, word_times
from training.held_out import Subject
from training.recipe import RECIPES


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.calibrate", description=__doc__)
    parser.add_argument("model", choices=sorted(RECIPES))
    subject = Subject.bundled(parser.parse_args().model)
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
