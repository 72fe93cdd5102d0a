"""What ``spacing=restored`` does to Korean: character error rates with spaces, and its cost.

``uv run --group bench --extra spacing python -m benchmarks.spacing --chat ko_chatbot.csv`` compares
what the bundled model recognises in its held-out speech, which is synthetic (espeak-ng), and texts
without their spaces: those of that speech, those of ``benchmarks/korean``, and everyday sentences
(a CSV file with the columns Q and A). Beside ours is what
kiwipiepy's own ``space`` makes of them, and dadeum's ``clean`` if that is installed.
"""

import argparse
import importlib.util
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psutil

from benchmarks.report import table
from benchmarks.setting import describe
from benchmarks.written import cases, halves
from stt.decoding.factory import GREEDY
from stt.engines.wants import BEST
from stt.evaluation.errors import score
from stt.korean.spacing import Analyse, find_breaks, open_analyser
from stt.normalisation import normalise_basic
from stt.types import join_words
from training.held_out import Subject, everyday_sentences

SPLITS = {
    "test_sentences": ("test_sentences", {}),
    "test_pairs": ("test_pairs", {}),
    "test_words": ("test_words", {}),
    "gap_0": ("test_sentences", {"word_gap": (0, 0)}),
}
"""Held-out speech: the split of each set, and how it is spoken. In gap_0 no pause marks a space."""


@dataclass(frozen=True)
class Case:
    right: str
    given: str
    """The same letters without the right spaces, or what was recognised."""


def restored(text: str, analyse: Analyse) -> str:
    """A text as ``spacing=restored`` answers it."""
    words = []
    for word in text.split():
        places = [0, *find_breaks(word, analyse), len(word)]
        words += [word[first:last] for first, last in pairwise(places)]
    return " ".join(words)


def without_spaces(texts: Iterable[str]) -> list[Case]:
    return [Case(text, text.replace(" ", "")) for text in map(normalise_basic, texts) if text]


def unchanged(texts: Iterable[str]) -> list[Case]:
    return [Case(text, text) for text in map(normalise_basic, texts) if text]


def own_sentences() -> list[str]:
    """The spoken sentences of ``benchmarks/korean``."""
    kinds = ("numbers", "look_alikes")
    return [
        case.spoken
        for kind in kinds
        for half in halves("korean", "numbers")
        for case in cases("korean", kind, half)
    ]


def recognised(n_clips: int) -> dict[str, list[Case]]:
    """The held-out speech of the bundled model, and what it recognises."""
    subject = Subject.bundled("ko-mini")
    engine = subject.load(threads=1)
    found = {}
    for name, (split, delivery) in SPLITS.items():
        # Named apart from the sets of `training.evaluate`, whose texts differ.
        corpus = subject.speak(split, f"spacing_{name}" if delivery else name, **delivery)
        each = []
        for index in range(min(n_clips, len(corpus))):
            decoder = GREEDY.open(engine).decoder
            [frames] = engine.forward([corpus.waveform(index)], BEST)
            text = join_words(decoder.feed(frames) + decoder.finish())
            each.append(Case(normalise_basic(corpus.texts[index]), normalise_basic(text)))
        found[name] = each
    return found


def error_rate(case_set: list[Case], space: Callable[[str], str] = str) -> float:
    """The CER, spaces included."""
    pairs = [(case.right, normalise_basic(space(case.given))) for case in case_set]
    return score(pairs).characters.rate or 0.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spacing", description=__doc__)
    parser.add_argument("--clips", type=int, default=300, help="at most so many of each set")
    parser.add_argument("--chat", type=Path, metavar="CSV", help="everyday sentences")
    options = parser.parse_args()
    print(describe())

    sets = {f"{name}, recognised": each for name, each in recognised(options.clips).items()}
    for name in ("test_sentences", "test_words"):
        texts = [case.right for case in sets[f"{name}, recognised"]]
        sets[f"{name}, without spaces"] = without_spaces(texts)
    sets["benchmarks/korean, without spaces"] = without_spaces(own_sentences())
    sets["benchmarks/korean, as they are"] = unchanged(own_sentences())
    if options.chat:
        everyday = everyday_sentences(options.chat)
        sets["everyday, without spaces"] = without_spaces(everyday)
        sets["everyday, as people wrote them"] = unchanged(everyday)

    process, started = psutil.Process(), time.perf_counter()
    before = process.memory_info().rss
    analyse = open_analyser()
    load_seconds = time.perf_counter() - started
    grown = (process.memory_info().rss - before) / 1e6
    unspaced = sets["benchmarks/korean, without spaces"]
    started = time.perf_counter()
    for case in unspaced:
        restored(case.given, analyse)
    each_ms = (time.perf_counter() - started) / len(unspaced) * 1e3

    from kiwipiepy import Kiwi

    kiwi = Kiwi(num_workers=1, load_multi_dict=False, load_typo_dict=False)
    ways: dict[str, Callable[[str], str]] = {
        "before": str,
        "restored": lambda text: restored(text, analyse),
        "kiwipiepy's space": lambda text: str(kiwi.space(text)),
        "with reset_whitespace": lambda text: str(kiwi.space(text, reset_whitespace=True)),
    }
    if importlib.util.find_spec("dadeum"):
        from dadeum import clean

        ways["dadeum"] = clean
    rows = [
        [name, str(len(each)), *(f"{error_rate(each, way):.2%}" for way in ways.values())]
        for name, each in sets.items()
    ]
    print(table(["set", "texts", *ways], rows))
    print(
        f"Loading took {load_seconds:.1f} s and {grown:.0f} MB; a sentence without spaces takes "
        f"{each_ms:.1f} ms."
    )


if __name__ == "__main__":
    main()
