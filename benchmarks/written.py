"""How often written forms are right, and how often they leave alone what they should.

``python -m benchmarks.written korean`` (or ``english``) reads the sets in ``benchmarks/korean``:
sentences with real numbers (spoken and written), and sentences with words that only look like
numbers. ``--errors`` lists what is wrong. The sets named ``kept`` and ``hard`` were not run before
the rules were finished; ``blind`` is by somebody who did not know them. ``--everyday
ko_chatbot.csv`` lists instead what is written in the sentences of that table (see
`training.everyday`), for somebody to judge.
"""

import argparse
import csv
import time
from dataclasses import dataclass
from pathlib import Path

from stt.recognition.written_forms import ENGLISH, korean_rules
from training.everyday import spelled

SETS = Path(__file__).parent
RULES = {"korean": korean_rules(), "english": ENGLISH}
_TARGETS = {"numbers": 0.95, "look_alikes": 0.995}


@dataclass(frozen=True)
class Case:
    spoken: str
    written: str


def halves(language: str, kind: str) -> list[str]:
    """The names of the sets of a kind."""
    return sorted(path.stem.removeprefix(f"{kind}_") for path in SETS.glob(f"{language}/{kind}_*"))


def cases(language: str, kind: str, half: str) -> list[Case]:
    with (SETS / language / f"{kind}_{half}.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    if kind == "look_alikes":
        return [Case(row["text"], row["text"]) for row in rows]
    return [Case(row["spoken"], row["written"]) for row in rows]


def as_written(language: str, spoken: str) -> str:
    rules = RULES[language]
    return " ".join(span.text for span in rules.written(spoken.split(), rules.start))


def everyday_changes(table: Path) -> tuple[int, list[tuple[str, str]]]:
    """How many different sentences a table has, and those with something to write."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    every = {spelled(row[column]) for row in rows for column in ("Q", "A")} - {None}
    answers = [(spoken, as_written("korean", spoken)) for spoken in sorted(filter(None, every))]
    return len(answers), [(spoken, answer) for spoken, answer in answers if answer != spoken]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.written", description=__doc__)
    parser.add_argument("language", nargs="?", choices=RULES, default="korean")
    parser.add_argument("--halves", nargs="+", metavar="NAME", help="only these sets: dev, kept")
    parser.add_argument("--errors", action="store_true", help="list what is wrong")
    parser.add_argument("--everyday", type=Path, metavar="CSV", help="list what is written there")
    options = parser.parse_args()
    if options.everyday:
        n_sentences, changes = everyday_changes(options.everyday)
        print("".join(f"{spoken} -> {answer}\n" for spoken, answer in changes), end="")
        print(f"{len(changes)} of {n_sentences} sentences have something to write")
        return
    language = options.language
    for kind, target in _TARGETS.items():
        for half in options.halves or halves(language, kind):
            each = cases(language, kind, half)
            started = time.perf_counter()
            answers = [as_written(language, case.spoken) for case in each]
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
