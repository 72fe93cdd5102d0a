"""The units of a language model as letters: what a hypothesis has spelled of the next unit."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stt.decoding.alphabet import Alphabet
from stt.decoding.tree import Tree, grow, parents_of
from stt.errors import ConfigurationError
from stt.language_model.ngram import SPACES, SPECIAL, NgramModel
from stt.language_model.tables import SLOT, Tables

AMBIGUOUS = (
    "The language model's units are syllables, but this checkpoint writes letters that do not tell "
    "where a syllable ends. Use a model of words: stt lm build --unit word."
)
WITHOUT_WORDS = (
    "The language model's units are words, but this checkpoint writes nothing between words. Use a "
    "model of characters: stt lm build --unit syllable."
)


class Lexicon(NamedTuple):
    """All units of a language model, for compiled code."""

    tree: Tree
    units: NDArray[np.int32]
    """``[n_nodes]``: the unit that is complete at each node, or -1."""
    bounds: NDArray[np.float32]
    """``[n_nodes]``: the highest unigram log-prob of the units at and below each node.

    It is added while a unit is being spelled, and taken back when the unit is scored: improbable
    beginnings lose early (Ortmanns et al., 1996, *language model look-ahead*).
    """
    unknown_bound: float
    """The same for letters that begin no unit."""
    is_word: bool
    """Whether units are words; else they are characters."""
    space: int
    """The unit between words of a character model, or -1."""


NO_TABLES = Tables(
    np.full(4, -1, np.int32).astype(SLOT), np.zeros(1, np.float32), np.zeros(1, np.int32), 0, -1
)
NO_LEXICON = Lexicon(
    Tree(np.ones(2, np.int32), np.full(1, -1, np.int32)),
    np.full(1, -1, np.int32), np.zeros(1, np.float32), 0.0, True, -1,
)  # fmt: skip
"""Stand in where there is no language model."""


def spell_units(model: NgramModel, alphabet: Alphabet, unknown_offset: float) -> Lexicon:
    """Spell all units of a language model with a checkpoint's letters.

    Units that the checkpoint cannot write are left out, since it will never write them.

    Args:
        model: The language model.
        alphabet: The checkpoint's letters.
        unknown_offset: Added to the log-prob of unknown units.

    Raises:
        ConfigurationError: no unit can be written, or not unambiguously.
    """
    is_word = model.kind == "word"
    if alphabet.is_ambiguous and not is_word:
        raise ConfigurationError(AMBIGUOUS)
    if is_word and alphabet.writing.stands_alone.all():
        raise ConfigurationError(WITHOUT_WORDS)
    unigrams = _unigrams(model)
    spelled: dict[tuple[int, ...], int] = {}
    for unit, text in enumerate(model.units):
        if text in SPECIAL or (not is_word and text in SPACES):
            continue
        letters, missing = alphabet.spell(text)
        if letters and not missing:
            # Of several cases of a word, the likeliest.
            known = spelled.get(tuple(letters))
            if known is None or unigrams[unit] > unigrams[known]:
                spelled[tuple(letters)] = unit
    if not spelled:
        raise ConfigurationError(
            "The checkpoint can write none of the language model's units. Is it of this language?"
        )
    tree, nodes = grow(list(spelled))
    units = np.full(len(tree.letters), -1, np.int32)
    units[nodes] = list(spelled.values())
    bounds = np.full(len(units), -np.inf, np.float32)
    bounds[nodes] = unigrams[units[nodes]]
    for node, parent in zip(
        range(len(units) - 1, 0, -1), parents_of(tree)[:0:-1].tolist(), strict=True
    ):
        bounds[parent] = max(bounds[parent], bounds[node])
    bounds[0] = 0
    unknown = float(unigrams[model.tables.unknown]) + unknown_offset
    return Lexicon(tree, units, bounds, unknown, is_word, -1 if is_word else model.space)


def _unigrams(model: NgramModel) -> NDArray[np.float32]:
    """``[n_units]``: the log-prob of each unit without context."""
    slots = model.tables.slots
    mine = slots[slots["state"] == 0]
    unigrams = np.full(len(model.units), -np.inf, np.float32)
    unigrams[mine["unit"]] = mine["log_prob"]
    return unigrams
