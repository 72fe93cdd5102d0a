"""The edit distance of two lattices, compiled (Mohri, 2003, https://doi.org/10.1142/S0129054103002114).

Importing this module imports numba, so import it where it is used, not at start.
"""

from typing import Any

import numpy as np

from stt.compiling import compiled
from stt.evaluation.spellings import JOINT


@compiled
def distances(
    codes: Any, first: Any, before: Any, other_codes: Any, other_first: Any, other_before: Any
) -> Any:
    """The fewest edits between the paths to each pair of nodes, int32 [n, n_other].

    Nodes are as `stt.evaluation.nearest._Nodes.arrays` gives them: a character has one node
    before it, a joint one or more and no character of its own.
    """
    n, n_other = len(codes), len(other_codes)
    table = np.empty((n, n_other), np.int32)
    for i in range(n):
        for j in range(n_other):
            fewest = np.int32(2**30)
            if i == 0 and j == 0:
                fewest = np.int32(0)
            elif codes[i] == JOINT:
                for at in range(first[i], first[i + 1]):
                    fewest = min(fewest, table[before[at], j])
            elif other_codes[j] == JOINT:
                for at in range(other_first[j], other_first[j + 1]):
                    fewest = min(fewest, table[i, other_before[at]])
            else:
                if i > 0:
                    fewest = min(fewest, table[before[first[i]], j] + 1)
                if j > 0:
                    fewest = min(fewest, table[i, other_before[other_first[j]]] + 1)
                if i > 0 and j > 0:
                    here = table[before[first[i]], other_before[other_first[j]]]
                    fewest = min(fewest, here + (codes[i] != other_codes[j]))
            table[i, j] = fewest
    return table


@compiled
def trace(
    codes: Any, first: Any, before: Any, other_codes: Any, other_first: Any, other_before: Any
) -> Any:
    """The edit distance, and the way of a best path into each joint, int32 [n] and [n_other]."""
    table = distances(codes, first, before, other_codes, other_first, other_before)
    ways, other_ways = np.zeros(len(codes), np.int32), np.zeros(len(other_codes), np.int32)
    i, j = len(codes) - 1, len(other_codes) - 1
    while i > 0 or j > 0:
        cost = table[i, j]
        if codes[i] == JOINT:
            while table[before[first[i] + ways[i]], j] != cost:
                ways[i] += 1
            i = before[first[i] + ways[i]]
        elif other_codes[j] == JOINT:
            while table[i, other_before[other_first[j] + other_ways[j]]] != cost:
                other_ways[j] += 1
            j = other_before[other_first[j] + other_ways[j]]
        else:
            up = before[first[i]] if i > 0 else 0
            left = other_before[other_first[j]] if j > 0 else 0
            if i > 0 and j > 0 and table[up, left] + (codes[i] != other_codes[j]) == cost:
                i, j = up, left
            elif i > 0 and table[up, j] + 1 == cost:
                i = up
            else:
                j = left
    return table[len(codes) - 1, len(other_codes) - 1], ways, other_ways
