"""How often the written form of Korean is right, and how often it leaves alone what it should.

``python -m benchmarks.written`` reads the sets in ``benchmarks/korean``: sentences with real
numbers (spoken and written), and sentences with words that only look like numbers. ``--errors``
lists what is wrong. The sets named ``kept`` and ``hard`` were not looked at before the rules were
finished.
"""

import argparse
import csv
import time
from dataclasses import dataclass
from pathlib import Path

from stt.korean.written import written

SETS = Path(__file__).parent / "korean"
HALVES = ("dev", "kept", "hard")
_TARGETS = {"numbers": 0.95, "look_alikes": 0.995}


@dataclass(frozen=True)
class Case:
    spoken: str
    written: str


def cases(kind: str, half: str) -> list[Case]:
    with (SETS / f"{kind}_{half}.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    if kind == "look_alikes":
        return [Case(row["text"], row["text"]) for row in rows]
    return [Case(row["spoken"], row["written"]) for row in rows]


def as_written(spoken: str) -> str:
    return " ".join(span.text for span in written(spoken.split()))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.written", description=__doc__)
    parser.add_argument("--halves", nargs="+", choices=HALVES, default=HALVES)
    parser.add_argument("--errors", action="store_true", help="list what is wrong")
    options = parser.parse_args()
    for kind, target in _TARGETS.items():
        for half in options.halves:
            each = cases(kind, half)
            started = time.perf_counter()
            answers = [as_written(case.spoken) for case in each]
            seconds = time.perf_counter() - started
            n_words = sum(len(case.spoken.split()) for case in each)
            n_right = sum(
                answer == case.written for answer, case in zip(answers, each, strict=True)
            )
            print(
                f"{kind:12} {half:5} {n_right} of {len(each)} right: {n_right / len(each):.1%} "
                f"(target {target:.1%}), {1e6 * seconds / n_words:.0f} µs a word"
            )
            for case, answer in zip(each, answers, strict=True):
                if options.errors and answer != case.written:
                    print(
                        f"    {case.spoken}\n      expected {case.written}\n      got      {answer}"
                    )


if __name__ == "__main__":
    main()
