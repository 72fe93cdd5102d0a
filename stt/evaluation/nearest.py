"""Of all spellings of two texts, the two that are nearest to each other."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from stt.evaluation.errors import count_edits
from stt.evaluation.spellings import JOINT, Lattice

MOST_CELLS = 2**26
"""Of the table of distances (256 MB): about 8,000 characters against 8,000. Longer texts, such as
half an hour of speech in one piece, are compared by their usual spellings."""

_START = -1


@dataclass(frozen=True)
class Nearest:
    """One spelling of each text; words with single spaces."""

    reference: str
    hypothesis: str
    usual_reference: str
    """The usual spelling of the reference, on which no hypothesis has any influence."""


def nearest(reference: Lattice, hypothesis: Lattice) -> Nearest:
    """Choose the spellings with the fewest edits between them, without spaces.

    Of those that are equally near, the usual ones.
    """
    usual = _usual(reference), _usual(hypothesis)
    has_choice = any(len(ways) > 1 for ways in (*reference, *hypothesis))
    if not has_choice or usual[0] == usual[1]:
        return Nearest(*usual, usual[0])
    left, right = _Nodes(reference), _Nodes(hypothesis)
    if len(left.codes) * len(right.codes) > MOST_CELLS:
        return Nearest(*usual, usual[0])
    from stt.evaluation.lattice_distance import trace

    _, chosen_left, chosen_right = trace(*left.arrays(), *right.arrays())
    return Nearest(left.chosen(chosen_left), right.chosen(chosen_right), usual[0])


def distance(reference: Lattice, hypothesis: Lattice) -> int:
    """The edits between the two spellings that `nearest` chooses."""
    chosen = nearest(reference, hypothesis)
    return count_edits(*(text.replace(" ", "") for text in (chosen.reference, chosen.hypothesis)))


def _usual(lattice: Lattice) -> str:
    return " ".join(filter(None, (ways[0] for ways in lattice)))


class _Nodes:
    """A lattice as a graph: a node for each character, and one where several spellings end."""

    def __init__(self, lattice: Lattice) -> None:
        self._lattice = lattice
        self.codes = [_START]
        self._before: list[int] = []
        self._first = [0, 0]
        self._joints: dict[int, int] = {}
        last = 0
        for at, ways in enumerate(lattice):
            ends = [self._spell(way, last) for way in ways]
            last = ends[0]
            if len(ways) > 1:
                last = self._joints[at] = len(self.codes)
                self._add(JOINT, ends)

    def _spell(self, way: str, last: int) -> int:
        for character in way:
            if character != " ":
                self._add(ord(character), [last])
                last = len(self.codes) - 1
        return last

    def _add(self, code: int, before: list[int]) -> None:
        self.codes.append(code)
        self._before += before
        self._first.append(len(self._before))

    def arrays(self) -> tuple[Any, Any, Any]:
        """The graph, int32: codes [n], offsets [n + 1] into predecessors [n_edges]."""
        return (
            np.array(self.codes, np.int32),
            np.array(self._first, np.int32),
            np.array(self._before, np.int32),
        )

    def chosen(self, ways: Any) -> str:
        """The text along a path: int32 [n], at each joint the index of the spelling."""
        joints = self._joints
        words = (
            each[ways[joints[at]]] if at in joints else each[0]
            for at, each in enumerate(self._lattice)
        )
        return " ".join(filter(None, words))
