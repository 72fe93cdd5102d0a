"""The errors of a text by kind: spacing, notation, real."""

from dataclasses import dataclass

from stt.evaluation.errors import count_edits
from stt.evaluation.nearest import distance
from stt.evaluation.readers import Reader
from stt.evaluation.spellings import spelled, spelled_reference
from stt.evaluation.transcriptions import Reference


@dataclass(frozen=True)
class Kinds:
    """The edits between raw texts, in characters; together they are all of them.

    Raw texts are unchanged but for runs of white space, which are one space.
    """

    spacing: int = 0
    """Those that vanish if the spaces of both texts are removed."""
    notation: int = 0
    """Those of the others that vanish if each word may be written in its own way or as it is said:
    numerals, Latin letters, units, case, punctuation."""
    real: int = 0
    """The rest: something else was understood."""
    reference_characters: int = 0
    """Characters of the raw references, with spaces."""

    @property
    def by_name(self) -> dict[str, int]:
        """The edits of each kind."""
        return {"spacing": self.spacing, "notation": self.notation, "real": self.real}

    @property
    def total(self) -> int:
        """All edits of the raw CER."""
        return sum(self.by_name.values())

    @property
    def raw_rate(self) -> float | None:
        """The raw CER; None if the references are empty and the hypotheses are not."""
        if self.reference_characters:
            return self.total / self.reference_characters
        return None if self.total else 0.0

    def __add__(self, other: "Kinds") -> "Kinds":
        return Kinds(
            self.spacing + other.spacing,
            self.notation + other.notation,
            self.real + other.real,
            self.reference_characters + other.reference_characters,
        )


def kinds(reader: Reader, reference: Reference, hypothesis: str) -> Kinds:
    """Tell the errors of one text apart."""
    raw = " ".join(reference.text.split()), " ".join(hypothesis.split())
    edits = count_edits(*raw)
    without_spaces = count_edits(*(text.replace(" ", "") for text in raw)) if edits else 0
    real = without_spaces
    if without_spaces:
        # Both texts as they stand are among the spellings, so no more edits can be left.
        left, right = spelled_reference(reader, reference), spelled(reader, hypothesis)
        real = min(without_spaces, distance(left, right))
    return Kinds(edits - without_spaces, without_spaces - real, real, len(raw[0]))
