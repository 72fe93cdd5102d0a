"""Counts the n-grams of texts, with arrays instead of dictionaries."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stt.language_model.ngram import START
from stt.language_model.texts import Sentences


@dataclass(frozen=True, eq=False)
class Counts:
    """The different n-grams of one order."""

    units: NDArray[np.int32]
    """``[n, order]``. At order 1 row ``i`` is unit ``i``, whether it occurs or not."""
    counts: NDArray[np.int64]
    """``[n]``: how often each occurs."""
    prefixes: NDArray[np.int64]
    """``[n]``: the row, one order lower, of the n-gram without its last unit."""
    suffixes: NDArray[np.int64]
    """``[n]``: the row, one order lower, of the n-gram without its first unit."""

    def __len__(self) -> int:
        return len(self.counts)

    def __getitem__(self, rows: NDArray[np.bool_]) -> "Counts":
        return Counts(self.units[rows], self.counts[rows], self.prefixes[rows], self.suffixes[rows])


def count_ngrams(sentences: Sentences, order: int) -> list[Counts]:
    """Count the n-grams of each order up to ``order``. None reaches beyond its sentence."""
    tokens = sentences.tokens.astype(np.int64)
    n_units = len(sentences.units)
    none = np.zeros(n_units, np.int64)
    levels = [
        Counts(
            np.arange(n_units, dtype=np.int32)[:, None],
            np.bincount(tokens, minlength=n_units),
            none,
            none,
        )
    ]
    rows = tokens  # of the n-gram that begins at each token
    begins = np.arange(len(tokens))
    ends_at = _sentence_ends(sentences)
    for length in range(2, order + 1):
        begins = begins[begins + length <= ends_at[begins]]
        keys = rows[begins] * n_units + tokens[begins + length - 1]
        found, first, inverse, counts = np.unique(
            keys, return_index=True, return_inverse=True, return_counts=True
        )
        places = begins[first]
        levels.append(
            Counts(
                sentences.tokens[places[:, None] + np.arange(length)],
                counts,
                found // n_units,
                rows[places + 1],
            )
        )
        rows = np.zeros(len(tokens), np.int64)
        rows[begins] = inverse
    return levels


def _sentence_ends(sentences: Sentences) -> NDArray[np.int64]:
    """``[n_tokens]``: where the sentence of each token ends, exclusively."""
    starts = np.flatnonzero(sentences.tokens == sentences.units.index(START))
    lengths = np.diff(np.append(starts, len(sentences.tokens)))
    return np.repeat(starts + lengths, lengths)
