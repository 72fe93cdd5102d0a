"""Which characters of a reference stand against which of a hypothesis."""

from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

EQUAL, SUBSTITUTED, DELETED, INSERTED = "equal", "replace", "delete", "insert"


@dataclass(frozen=True)
class Piece:
    """A stretch of both texts, all of one kind."""

    kind: str
    reference: str
    """"" if the hypothesis has more."""
    hypothesis: str
    """"" if the reference has more."""


def align(reference: str, hypothesis: str) -> tuple[Piece, ...]:
    """Cut both texts into pieces with the fewest edits, so that the CER counts what is marked."""
    return tuple(
        Piece(
            code.tag,
            reference[code.src_start : code.src_end],
            hypothesis[code.dest_start : code.dest_end],
        )
        for code in Levenshtein.opcodes(reference, hypothesis)
    )
