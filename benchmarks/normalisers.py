"""Which texts count as the same: ``--normaliser reading`` beside kocer and nlptutti.

``python -m benchmarks.normalisers`` compares pairs of texts with each and prints how often each is
right: a pair that is the same when read has no error, another pair has one. The pairs are those of
``benchmarks/korean``: sentences with real numbers, spoken and written (``numbers_*.tsv``); the same
with one digit changed; sentences without numbers and without their spaces (``look_alikes_*.tsv``);
and hard ones, written by hand (``readings.tsv``). ``--differences`` lists the pairs on which one of
them is wrong.

kocer (https://pypi.org/project/kocer) and nlptutti (https://pypi.org/project/nlptutti) are in the
dependency group ``bench``.
"""

import argparse
import csv
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from benchmarks.report import table
from benchmarks.written import SETS, cases, halves
from stt.evaluation.comparison import choose_comparison
from stt.evaluation.kinds import Kinds, kinds
from stt.evaluation.readers import KoreanReader
from stt.evaluation.transcriptions import plain
from stt.languages import SUPPORTED_LANGUAGES

HARD = SETS / "korean" / "readings.tsv"


@dataclass(frozen=True)
class Pair:
    kind: str
    reference: str
    hypothesis: str
    is_same: bool


@dataclass(frozen=True)
class Library:
    name: str
    count: Callable[[Pair], float]
    """Its errors; 0 if the texts count as the same."""


def pairs() -> Iterator[Pair]:
    for half in halves("korean", "numbers"):
        for case in cases("korean", "numbers", half):
            yield Pair("numbers, spoken and written", case.spoken, case.written, True)
            yield Pair("numbers, written and spoken", case.written, case.spoken, True)
            yield Pair("numbers, a digit changed", case.spoken, _changed(case.written), False)
        for case in cases("korean", "look_alikes", half):
            text = case.spoken
            yield Pair("without spaces", text, text.replace(" ", ""), True)
    with HARD.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield Pair(
                f"hard: {row['kind']}, {'the same' if row['same'] == 'yes' else 'different'}",
                row["reference"],
                row["hypothesis"],
                row["same"] == "yes",
            )


def _changed(written: str) -> str:
    """The last digit is another one, but not 0; a letter more if there is none."""
    at = next((n for n in reversed(range(len(written))) if written[n].isdigit()), None)
    if at is None:
        return written + "가"
    return written[:at] + str(int(written[at]) % 9 + 1) + written[at + 1 :]


def ours() -> Library:
    plain, dual = (
        choose_comparison(SUPPORTED_LANGUAGES["KR"], "reading", transcription)
        for transcription in ("plain", "dual-spoken")
    )

    def count(pair: Pair) -> float:
        chosen = dual if "dual" in pair.kind else plain
        return chosen.scores([(pair.reference, pair.hypothesis)]).characters_without_spaces.total

    return Library("stt evaluate", count)


def others() -> tuple[Library, ...]:
    import kocer
    import nlptutti

    def count(pair: Pair) -> float:
        return kocer.measure(pair.reference, pair.hypothesis, aihub="dual" in pair.kind).errors

    def count_unread(pair: Pair) -> float:
        return float(nlptutti.get_cer(pair.reference, pair.hypothesis)["cer"])

    return (
        Library(f"kocer {version('kocer')}", count),
        Library(f"nlptutti {version('nlptutti')}", count_unread),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.normalisers", description=__doc__)
    parser.add_argument("--differences", action="store_true", help="list what each has wrong")
    options = parser.parse_args()
    each, compared = list(pairs()), (ours(), *others())
    right = {library.name: [is_right(library, pair) for pair in each] for library in compared}
    rows = []
    for kind in dict.fromkeys(pair.kind for pair in each):
        chosen = [n for n, pair in enumerate(each) if pair.kind == kind]
        rows.append(
            [
                kind,
                str(len(chosen)),
                *(str(sum(found[n] for n in chosen)) for found in right.values()),
            ]
        )
    rows.append(["all", str(len(each)), *(str(sum(found)) for found in right.values())])
    print(table(["", "pairs", *(f"{name}: right" for name in right)], rows))
    print()
    print(table(["", "spacing", "notation", "real", "all"], kinds_of_errors(each)))
    print()
    for library in compared:
        print(f"{library.name}: {milliseconds(library, each[:500]):.2f} ms a pair")
    if options.differences:
        print("\n".join(differences(each, right)))


def kinds_of_errors(each: Sequence[Pair]) -> Iterator[list[str]]:
    """The edits of all raw texts by kind, in characters; nlptutti does not tell them apart."""
    import kocer

    chosen = [pair for pair in each if "dual" not in pair.kind]
    reader = KoreanReader()
    counted = [kinds(reader, plain(pair.reference), pair.hypothesis) for pair in chosen]
    total = sum(counted, Kinds())
    theirs = kocer.breakdown(
        [pair.reference for pair in chosen], [pair.hypothesis for pair in chosen]
    )
    for name, *numbers in (
        ("stt evaluate", total.spacing, total.notation, total.real, total.total),
        (
            "kocer",
            theirs.spacing,
            theirs.punctuation + theirs.numbers_letters,
            theirs.remaining,
            theirs.raw_errors,
        ),
    ):
        yield [str(name), *map(str, numbers)]


def is_right(library: Library, pair: Pair) -> bool:
    return (library.count(pair) == 0) == pair.is_same


def milliseconds(library: Library, each: Sequence[Pair]) -> float:
    started = time.perf_counter()
    for pair in each:
        library.count(pair)
    return 1000 * (time.perf_counter() - started) / len(each)


def differences(each: Sequence[Pair], right: dict[str, list[bool]]) -> Iterator[str]:
    for n, pair in enumerate(each):
        wrong = [name for name, found in right.items() if not found[n]]
        if wrong:
            yield f"{pair.kind}: {pair.reference} | {pair.hypothesis}: wrong {', '.join(wrong)}"


if __name__ == "__main__":
    main()
