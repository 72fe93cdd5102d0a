"""An n-gram model as flat arrays: a trie of its n-grams, contexts as states, a hash table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stt.errors import ModelBroken

SLOT = np.dtype(
    [("state", np.int32), ("unit", np.int32), ("log_prob", np.float32), ("next_state", np.int32)]
)
"""An entry of the hash table. Its 16 bytes never straddle a cache line."""
EMPTY = -1
"""The ``state`` of a free slot."""
MULTIPLIER = 0x9E3779B97F4A7C15
"""2^64 over the golden ratio: the upper bits of a product with it are the hash (Knuth, vol. 3)."""


@dataclass(frozen=True, eq=False)
class Ngrams:
    """All n-grams of one order, as an ARPA file lists them. Rows are in any order, none twice."""

    units: NDArray[np.int32]
    """``[n, order]``: indices into the vocabulary, the earliest unit first."""
    log_probs: NDArray[np.float32]
    """``[n]``, natural log: of the last unit after the others."""
    backoffs: NDArray[np.float32]
    """``[n]``, natural log: what a shorter context costs after this n-gram; 0 where it has none."""

    def __len__(self) -> int:
        return len(self.units)


class Tables(NamedTuple):
    """What `stt.language_model.lookup` reads. numba accepts it as an argument."""

    slots: NDArray[np.void]
    """``[2^k]`` of `SLOT`: open addressing by (state, unit), linear probing."""
    backoffs: NDArray[np.float32]
    """``[n_states]``, natural log."""
    suffixes: NDArray[np.int32]
    """``[n_states]``: the next shorter context; 0 for state 0."""
    unknown: int
    """The unit that stands for units outside the vocabulary."""
    end: int
    """The unit after the last one of a text; -1 if the model has none."""


@dataclass(frozen=True, eq=False)
class _Trie:
    """All n-grams as nodes. Node 0 is the empty one; a longer n-gram has a higher number."""

    n_units: int
    keys: NDArray[np.int64]
    """``[n_nodes]``: parent times ``n_units`` plus unit, ascending; -1 for node 0."""
    log_probs: NDArray[np.float32]
    """``[n_nodes]``; NaN where an n-gram is only the context of others."""
    backoffs: NDArray[np.float32]
    """``[n_nodes]``."""
    firsts: NDArray[np.int64]
    """``[order + 1]``: the first node of each order from 1 on, then the number of nodes."""

    @property
    def parents(self) -> NDArray[np.int64]:
        return self.keys[1:] // self.n_units

    def child(self, parents: NDArray[np.int64], units: NDArray[np.int64]) -> NDArray[np.int64]:
        """The node of each parent followed by a unit; -1 where there is none."""
        keys = parents * self.n_units + units
        nodes = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[nodes] == keys, nodes, -1)


def lay_out(
    n_units: int, ngrams: Sequence[Ngrams], start: int, end: int, unknown: int
) -> tuple[Tables, int]:
    """Make the tables of all n-grams.

    Args:
        n_units: Size of the vocabulary.
        ngrams: By order, from unigrams on. Every unit has a unigram.
        start: The unit before a text; -1 if there is none.
        end: The unit after a text; -1 if there is none.
        unknown: The unit for units outside the vocabulary.

    Returns:
        The tables, and the state at the start of a text.

    Raises:
        ModelBroken: an n-gram is listed twice.
    """
    trie = _make_trie(n_units, ngrams)
    suffixes = _suffixes(trie)
    _fill_in(trie, suffixes)
    states, is_state = _states(trie, suffixes)
    nodes = np.arange(1, len(trie.keys))
    slots = _hash_table(
        states[trie.parents], trie.keys[1:] % trie.n_units, trie.log_probs[1:], states[nodes]
    )
    tables = Tables(
        slots=slots,
        backoffs=trie.backoffs[is_state],
        suffixes=states[suffixes[is_state]].astype(np.int32),
        unknown=unknown,
        end=end,
    )
    if start < 0:
        return tables, 0
    (node,) = trie.child(np.array([0]), np.array([start]))
    return tables, int(states[node])


def _make_trie(n_units: int, ngrams: Sequence[Ngrams]) -> _Trie:
    """Number the n-grams order by order.

    SRILM can prune an n-gram and keep a longer one that begins with it; the shorter is put back
    without a log-prob of its own.
    """
    rows = [each.units for each in ngrams]
    keys = [np.array([-1])]
    log_probs, backoffs = [np.zeros(1, np.float32)], [np.zeros(1, np.float32)]
    # The nodes of the first k units of all n-grams of order k or more, as far as computed.
    prefixes = [np.zeros(len(each), np.int64) for each in rows]
    firsts = [1]
    for order, each in enumerate(ngrams, start=1):
        own = [prefixes[k] * n_units + rows[k][:, order - 1] for k in range(order - 1, len(rows))]
        listed, places = np.unique(own[0], return_index=True)
        if len(listed) < len(own[0]):
            raise ModelBroken(f"The language model lists an n-gram of order {order} twice.")
        found = np.unique(np.concatenate((listed, *own[1:])))
        is_listed = np.isin(found, listed, assume_unique=True)
        for values, collected, missing in (
            (each.log_probs, log_probs, np.nan),
            (each.backoffs, backoffs, 0.0),
        ):
            column = np.full(len(found), missing, np.float32)
            column[is_listed] = values[places]
            collected.append(column)
        for k in range(order - 1, len(rows)):
            prefixes[k] = firsts[-1] + np.searchsorted(found, own[k - order + 1])
        keys.append(found)
        firsts.append(firsts[-1] + len(found))
    return _Trie(
        n_units,
        np.concatenate(keys),
        np.concatenate(log_probs),
        np.concatenate(backoffs),
        np.array(firsts),
    )


def _suffixes(trie: _Trie) -> NDArray[np.int64]:
    """``[n_nodes]``: the node of the longest proper suffix that the model has."""
    suffixes = np.zeros(len(trie.keys), np.int64)
    for first, last in zip(trie.firsts[1:-1], trie.firsts[2:], strict=True):
        nodes = np.arange(first, last)
        parents, units = np.divmod(trie.keys[first:last], trie.n_units)
        # Drop units from the front of the context until it continues with this unit. Every unit
        # has a unigram, so this ends.
        while len(nodes):
            parents = suffixes[parents]
            found = trie.child(parents, units)
            is_found = found >= 0
            suffixes[nodes[is_found]] = found[is_found]
            nodes, parents, units = (each[~is_found] for each in (nodes, parents, units))
    return suffixes


def _fill_in(trie: _Trie, suffixes: NDArray[np.int64]) -> None:
    """Give n-grams that only are the context of others what backing off gives them."""
    for node in np.flatnonzero(np.isnan(trie.log_probs)):
        context, unit = divmod(int(trie.keys[node]), trie.n_units)
        total, found = 0.0, -1
        while found < 0:
            total += float(trie.backoffs[context])
            context = int(suffixes[context])
            found = int(trie.child(np.array([context]), np.array([unit]))[0])
        trie.log_probs[node] = total + trie.log_probs[found]


def _states(
    trie: _Trie, suffixes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The state after each node, and which nodes are states."""
    is_state = trie.backoffs != 0
    is_state[trie.parents] = True
    is_state[0] = True
    is_state[trie.firsts[-2] :] = False  # the longest n-grams are no contexts
    states = np.cumsum(is_state) - 1
    for first, last in zip(trie.firsts[:-1], trie.firsts[1:], strict=True):
        shorter = states[suffixes[first:last]]
        states[first:last] = np.where(is_state[first:last], states[first:last], shorter)
    return states, is_state


def _hash_table(
    states: NDArray[np.int64],
    units: NDArray[np.int64],
    log_probs: NDArray[np.float32],
    next_states: NDArray[np.int64],
) -> NDArray[np.void]:
    """Insert all entries at once: each round fills the free slots, and the rest move on by one."""
    n_bits = max(2, int(2 * len(states)).bit_length())  # between a quarter and half full
    table: NDArray[Any] = np.zeros(1 << n_bits, SLOT)
    table["state"] = EMPTY
    keys = (states.astype(np.uint64) << np.uint64(32)) | units.astype(np.uint64)
    places = ((keys * np.uint64(MULTIPLIER)) >> np.uint64(64 - n_bits)).astype(np.int64)
    waiting = np.arange(len(states))
    taken = np.full(len(table), -1, np.int64)
    while len(waiting):
        free = taken[places] < 0
        taken[places[free]] = waiting[free]  # of several for one slot, the last stays
        is_left = taken[places] != waiting
        waiting, places = waiting[is_left], (places[is_left] + 1) % len(table)
    is_full = taken >= 0
    filled = taken[is_full]
    table["state"][is_full] = states[filled]
    table["unit"][is_full] = units[filled]
    table["log_prob"][is_full] = log_probs[filled]
    table["next_state"][is_full] = next_states[filled]
    return table
