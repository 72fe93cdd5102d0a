"""Error rates of hypotheses against references.

Rates cover the whole set: all errors over all units of all references, so long recordings weigh
more than short ones. There is a CER with and one without spaces, because writers of Korean differ
on where spaces go, which also changes the WER.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


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


@dataclass(frozen=True)
class Scores:
    """Errors of hypotheses against references."""

    words: Errors
    characters: Errors
    """Spaces between words count."""
    characters_without_spaces: Errors


def score(pairs: Iterable[tuple[str, str]]) -> Scores:
    """Count the errors. Normalise the texts first; this compares them unchanged.

    A reference may be empty; whatever the hypothesis then has counts as inserted.

    Args:
        pairs: (reference, hypothesis).
    """
    import jiwer

    pairs = list(pairs)
    if not pairs:
        return Scores(Errors(), Errors(), Errors())
    references, hypotheses = map(list, zip(*pairs, strict=True))
    return Scores(
        _count(jiwer.process_words(_spaced(references), _spaced(hypotheses))),
        _count(jiwer.process_characters(references, hypotheses)),
        _count(jiwer.process_characters(_joined(references), _joined(hypotheses))),
    )


def _spaced(texts: Iterable[str]) -> list[str]:
    """Collapse white space to single spaces; jiwer splits words only at spaces."""
    return [" ".join(text.split()) for text in texts]


def _joined(texts: Iterable[str]) -> list[str]:
    """Remove all white space."""
    return ["".join(text.split()) for text in texts]


def _count(output: Any) -> Errors:
    # Not jiwer's own rate, which for empty references is the number of insertions.
    return Errors(
        substitutions=output.substitutions,
        deletions=output.deletions,
        insertions=output.insertions,
        reference_units=output.hits + output.substitutions + output.deletions,
    )
