"""Interpolated modified Kneser-Ney smoothing.

Chen and Goodman, "An empirical study of smoothing techniques for language modeling", 1998; as in
KenLM's lmplz, n-grams that begin with ``<s>`` keep their counts, since nothing precedes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stt.language_model.counting import Counts
from stt.language_model.ngram import LEAST_LOG_PROB
from stt.language_model.tables import Ngrams

FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)
"""lmplz's, for counts that no text has by nature: of a grammar, or too few."""


@dataclass(frozen=True, eq=False)
class Level:
    """The n-grams of one order with their estimates."""

    ngrams: Counts
    probabilities: NDArray[np.float64]
    """``[n]``: of the last unit after the others, the lower orders mixed in."""
    backoffs: NDArray[np.float64]
    """``[n]``: the factor of the lower order's probability after this n-gram."""

    def __len__(self) -> int:
        return len(self.ngrams)


def estimate(levels: Sequence[Counts], start: int) -> list[Level]:
    """Estimate all probabilities and back-off weights.

    Args:
        levels: The counts of each order.
        start: The unit ``<s>``, which has no probability.
    """
    adjusted = [
        _adjusted(level, levels[order + 1] if order + 1 < len(levels) else None, start)
        for order, level in enumerate(levels)
    ]
    # The last term of the mixture is uniform, over all units but <s>.
    lower = np.full(1, 1 / (len(levels[0]) - 1))
    probabilities, backoffs = [], []
    for level, counts in zip(levels, adjusted, strict=True):
        discounts = np.array((0.0, *_discounts(counts)))[np.minimum(counts, 3)]
        n_contexts = len(lower)
        totals = np.maximum(np.bincount(level.prefixes, counts, n_contexts), 1)
        weights = np.bincount(level.prefixes, discounts, n_contexts) / totals
        lower = (counts - discounts) / totals[level.prefixes] + (
            weights[level.prefixes] * lower[level.suffixes]
        )
        probabilities.append(lower)
        weights[np.bincount(level.prefixes, minlength=n_contexts) == 0] = 1
        backoffs.append(weights)
    probabilities[0][start] = 0
    backoffs.append(np.ones(len(levels[-1])))
    return [
        Level(level, probability, backoff)
        for level, probability, backoff in zip(levels, probabilities, backoffs[1:], strict=True)
    ]


def _adjusted(level: Counts, longer: Counts | None, start: int) -> NDArray[np.int64]:
    """How many different units precede each n-gram; how often it occurs, if that is all there is.

    Most n-grams of a lower order are used where the longer one was not seen, so it matters in how
    many contexts they occur.
    """
    if longer is None:
        counts = level.counts
    else:
        preceding = np.bincount(longer.suffixes, minlength=len(level))
        counts = np.where(level.units[:, 0] == start, level.counts, preceding)
    if level.units.shape[1] == 1:
        counts = np.where(level.units[:, 0] == start, 0, counts)
    return counts.astype(np.int64)


def _discounts(counts: NDArray[np.int64]) -> tuple[float, float, float]:
    """What is taken from n-grams seen once, twice, and more often (Chen and Goodman, section 3)."""
    n_once, n_twice, n_thrice, n_four = (int((counts == each).sum()) for each in range(1, 5))
    if not all((n_once, n_twice, n_thrice, n_four)):
        return FALLBACK_DISCOUNTS
    share = n_once / (n_once + 2 * n_twice)
    once = 1 - 2 * share * n_twice / n_once
    twice = 2 - 3 * share * n_thrice / n_twice
    more = 3 - 4 * share * n_four / n_thrice
    is_sane = 0 < once < 1 and 0 < twice < 2 and 0 < more < 3
    return (once, twice, more) if is_sane else FALLBACK_DISCOUNTS


def to_ngrams(levels: Sequence[Level]) -> list[Ngrams]:
    """The estimates as an ARPA file has them."""
    return [
        Ngrams(each.ngrams.units, _logarithms(each.probabilities), _logarithms(each.backoffs))
        for each in levels
    ]


def _logarithms(values: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.log(np.maximum(values, np.exp(LEAST_LOG_PROB))).astype(np.float32)
