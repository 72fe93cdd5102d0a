"""Removes the n-grams that a model misses least.

Stolcke, "Entropy-based pruning of backoff language models", 1998: an n-gram's loss is the relative
entropy between the models with and without it. How often its context occurs is taken from the
counts, not from the model: lower orders of Kneser-Ney are no marginals (Chelba et al., 2010).
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stt.language_model.kneser_ney import Level

Losses = list[NDArray[np.float64]]


def losses(levels: Sequence[Level]) -> Losses:
    """``[n]`` for each order, in nats for each unit of text. Infinite for unigrams, which stay."""
    found = [np.full(len(levels[0]), np.inf)]
    n_tokens = levels[0].ngrams.counts.sum()
    for lower, level in pairwise(levels):
        contexts, n_contexts = level.ngrams.prefixes, len(lower)
        own, backed_off = level.probabilities, lower.probabilities[level.ngrams.suffixes]
        share = np.bincount(contexts, level.ngrams.counts, n_contexts)[contexts] / n_tokens
        # What the context leaves to the lower order, before and after it loses this n-gram.
        left = np.maximum(1 - np.bincount(contexts, own, n_contexts), 0)[contexts]
        left_below = np.maximum(1 - np.bincount(contexts, backed_off, n_contexts), 0)[contexts]
        with np.errstate(divide="ignore", invalid="ignore"):
            before = np.log(lower.backoffs[contexts])
            after = np.log((left + own) / (left_below + backed_off))
            lost = own * (np.log(own) - np.log(backed_off) - after) + left * (before - after)
        found.append(share * np.where(np.isnan(lost), np.inf, lost))
    return found


def kept(levels: Sequence[Level], lost: Losses, threshold: float) -> list[NDArray[np.bool_]]:
    """``[n]`` for each order: which n-grams lose at least ``threshold``, or belong to such a one.

    An n-gram stays with all that it begins or ends with, so that every context exists.
    """
    stay = [each >= threshold for each in lost]
    for order in range(len(levels) - 1, 1, -1):
        longer = levels[order].ngrams
        stay[order - 1][longer.prefixes[stay[order]]] = True
        stay[order - 1][longer.suffixes[stay[order]]] = True
    return stay


def prune(levels: Sequence[Level], lost: Losses, threshold: float) -> list[Level]:
    """The model with `kept` n-grams only; its back-off weights make every context sum to 1."""
    stay = kept(levels, lost, threshold)
    rows = [np.cumsum(each) - 1 for each in stay]
    pruned = []
    for order, level in enumerate(levels):
        backoffs = level.backoffs
        if order + 1 < len(levels):
            backoffs = _backoffs(level, levels[order + 1], stay[order + 1])
        ngrams = level.ngrams[stay[order]]
        if order:
            lower = rows[order - 1]
            ngrams = type(ngrams)(
                ngrams.units, ngrams.counts, lower[ngrams.prefixes], lower[ngrams.suffixes]
            )
        pruned.append(Level(ngrams, level.probabilities[stay[order]], backoffs[stay[order]]))
    while len(pruned) > 1 and not len(pruned[-1]):
        pruned.pop()
    return pruned


def _backoffs(level: Level, longer: Level, stay: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The weights of the contexts that lose n-grams; the others keep theirs."""
    contexts = longer.ngrams.prefixes
    loses = np.bincount(contexts[~stay], minlength=len(level)) > 0
    left, left_below = (
        1 - np.bincount(contexts[stay], each[stay], len(level))
        for each in (longer.probabilities, level.probabilities[longer.ngrams.suffixes])
    )
    return np.where(loses, left / np.where(loses, left_below, 1), level.backoffs)
