"""The words that are most often taken for others."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from stt.evaluation.results import Result

_MOST_WORDS = 3
"""Of a substitution; longer stretches are no confusion of words any more."""


@dataclass(frozen=True)
class Substitution:
    """Words of references that a model took for others."""

    reference: str
    """Usually one word; a few if they were joined or split too."""
    hypothesis: str
    count: int
    example: str
    """Name of the first recording with it."""


def substitutions(results: Iterable[Result], count: int) -> tuple[Substitution, ...]:
    """The most frequent ones; ties: the first found. Differences only in spaces do not count."""
    found: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], str] = {}
    for result in results:
        for pair in _substituted(*(text.split() for text in result.compared)):
            found[pair] += 1
            examples.setdefault(pair, result.utterance.name)
    return tuple(Substitution(*pair, n, examples[pair]) for pair, n in found.most_common(count))


def _substituted(reference: list[str], hypothesis: list[str]) -> Iterable[tuple[str, str]]:
    for begin, end, other_begin, other_end in _stretches(reference, hypothesis):
        words, others = reference[begin:end], hypothesis[other_begin:other_end]
        if not words or not others or "".join(words) == "".join(others):
            continue
        if len(words) == len(others):
            yield from zip(words, others, strict=True)
        elif max(len(words), len(others)) <= _MOST_WORDS:
            yield " ".join(words), " ".join(others)


def _stretches(reference: list[str], hypothesis: list[str]) -> Iterable[tuple[int, int, int, int]]:
    """Where the words between two correct ones are, in both texts."""
    begin = other_begin = 0
    for block in Levenshtein.opcodes(reference, hypothesis):
        if block.tag == "equal":
            yield begin, block.src_start, other_begin, block.dest_start
            begin, other_begin = block.src_end, block.dest_end
    yield begin, len(reference), other_begin, len(hypothesis)
