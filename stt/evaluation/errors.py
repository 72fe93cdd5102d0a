"""Error rates of hypotheses against references.

Rates cover the whole set: all errors over all units of all references, so long recordings weigh
more than short ones. There is a CER with and one without spaces, because writers of Korean differ
on where spaces go, which also changes the WER.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein


@dataclass(frozen=True)
class Errors:
    """The fewest edits that turn references into hypotheses, in words or characters."""

    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    reference_units: int = 0
    """Words or characters in the references."""

    @property
    def total(self) -> int:
        """All edits."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float | None:
        """Edits per unit of the references; can exceed 1.

        None if the references are empty and the hypotheses are not.
        """
        if self.reference_units:
            return self.total / self.reference_units
        return 0.0 if self.total == 0 else None

    def __add__(self, other: "Errors") -> "Errors":
        return Errors(
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
            self.reference_units + other.reference_units,
        )


@dataclass(frozen=True)
class Scores:
    """Errors of hypotheses against references."""

    words: Errors = Errors()
    characters: Errors = Errors()
    """Spaces between words count."""
    characters_without_spaces: Errors = Errors()

    def __add__(self, other: "Scores") -> "Scores":
        return Scores(
            self.words + other.words,
            self.characters + other.characters,
            self.characters_without_spaces + other.characters_without_spaces,
        )


def score(pairs: Iterable[tuple[str, str]]) -> Scores:
    """Count the errors. Normalise the texts first; this compares them unchanged.

    A reference may be empty; whatever the hypothesis then has counts as inserted.

    Args:
        pairs: (reference, hypothesis).
    """
    total = Scores()
    for reference, hypothesis in pairs:
        words = reference.split(), hypothesis.split()
        total += Scores(
            _count(*words),
            _count(reference.strip(), hypothesis.strip()),
            _count(*map("".join, words)),
        )
    return total


def percent(rate: float | None) -> str:
    """A rate for people: ``12.34 %``, or ``n/a`` if it is undefined."""
    return "n/a" if rate is None else f"{100 * rate:.2f} %"


def count_edits(reference: str, hypothesis: str) -> int:
    """The fewest edits, in characters."""
    return Levenshtein.distance(reference, hypothesis)


def _count(reference: Sequence[str], hypothesis: Sequence[str]) -> Errors:
    if reference == hypothesis:
        return Errors(reference_units=len(reference))
    edits = Counter(edit.tag for edit in Levenshtein.editops(reference, hypothesis))
    return Errors(
        substitutions=edits["replace"],
        deletions=edits["delete"],
        insertions=edits["insert"],
        reference_units=len(reference),
    )
