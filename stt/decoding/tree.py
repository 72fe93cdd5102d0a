"""Prefix trees of letters, as flat arrays that compiled code can walk."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ROOT, NOWHERE = 0, -1


class Tree(NamedTuple):
    """A tree whose nodes are numbered breadth first; so the children of each are neighbours."""

    firsts: NDArray[np.int32]
    """``[n_nodes + 1]``: the first child of each node; its last is before the next one's first."""
    letters: NDArray[np.int32]
    """``[n_nodes]``: the letter that leads to each node; ascending among siblings."""


def grow(words: Sequence[Sequence[int]]) -> tuple[Tree, NDArray[np.int32]]:
    """The tree of some words, and the node of each word, ``[n_words]``.

    Args:
        words: Their letters.
    """
    lengths = np.array([len(word) for word in words], np.int64)
    table = np.full((len(words), int(lengths.max(initial=0))), -1, np.int64)
    for row, word in enumerate(words):
        table[row, : len(word)] = word
    nodes = np.zeros(len(words), np.int64)
    letters, parents = [np.array([-1])], [np.array([-1])]
    n_nodes, n_letters = 1, int(table.max(initial=0)) + 1
    for depth in range(table.shape[1]):
        rows = np.flatnonzero(lengths > depth)
        keys, inverse = np.unique(nodes[rows] * n_letters + table[rows, depth], return_inverse=True)
        nodes[rows] = n_nodes + inverse
        letters.append(keys % n_letters)
        parents.append(keys // n_letters)
        n_nodes += len(keys)
    # Parents ascend from level to level and within each, so children are in order of parents.
    firsts = np.searchsorted(np.concatenate(parents)[1:], np.arange(n_nodes + 1)) + 1
    tree = Tree(firsts.astype(np.int32), np.concatenate(letters).astype(np.int32))
    return tree, nodes.astype(np.int32)


def parents_of(tree: Tree) -> NDArray[np.int32]:
    """``[n_nodes]``: the parent of each node; -1 for the root."""
    counts = np.diff(tree.firsts)
    return np.concatenate([[-1], np.repeat(np.arange(len(counts)), counts)]).astype(np.int32)
