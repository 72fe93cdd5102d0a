"""The states that an alignment passes: all words of a text, what is between them, and their costs.

Each word that can be heard is a *unit* of states, in this order::

    gap  star  symbol  separator  symbol  separator ... symbol

A *gap* emits the blank or the delimiter before the word. A *star* emits anything, for speech that
is not in the text. *Separators* are the blanks of CTC: one is needed between two equal symbols,
others may be left out. From the gap or star of one word the path may *skip* to the gap of a later
one, or from star to star, for text that is not spoken. A last unit of only a gap and a star follows
the text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stt.alignment.spelling import SpelledWord
from stt.types import Vocabulary

SYMBOL, SEPARATOR, GAP, STAR = range(4)
"""Kinds of states."""


@dataclass(frozen=True)
class Costs:
    """What departures of speech and text cost, in nats.

    A symbol of the text where the model hears another costs 5 to 10 nats, since models are
    overconfident. So a passage is aligned as long as about half of its symbols are right; and a
    single wrong word is cheaper to accept than to take for two departures.
    """

    star_symbol: float = 4.0
    """Each frame of speech in a star. Silence costs nothing there."""
    star: float = 8.0
    """Each star."""
    skip_symbol: float = 2.0
    """Each symbol of the text that is not spoken, up to `skip_most`."""
    skip: float = 6.0
    """Each skip."""
    skip_most: float = 50.0
    """At most, for a skip of any length: chapters may be missing."""
    floor: float = 10.0
    """Most that one frame can cost."""


class Trellis:
    """The states of a text, by formula: nothing here grows faster than the text."""

    def __init__(self, words: Sequence[SpelledWord], vocabulary: Vocabulary) -> None:
        heard = [index for index, word in enumerate(words) if word.columns]
        self.words_of_units: NDArray[np.int32] = np.array(heard, np.int32)
        """``[n_units]``: indices of the words."""
        lengths = [len(words[index].columns) for index in heard]
        self.first_symbols: NDArray[np.int64] = np.concatenate([[0], np.cumsum(lengths)]).astype(
            np.int64
        )
        """``[n_units + 1]``: index of the first symbol of each unit, and the number of symbols."""
        symbols = np.array([c for index in heard for c in words[index].columns], np.int64)
        self.separators: tuple[int, ...] = _separators(vocabulary)
        """Columns between words, the blank first."""
        wanted, inverse = np.unique(symbols, return_inverse=True)
        self.columns: tuple[int, ...] = (*self.separators, *wanted.tolist())
        """The columns of the vocabulary that an alignment needs."""
        self.symbols: NDArray[np.int32] = (inverse + len(self.separators)).astype(np.int32)
        """``[n_symbols]``: index of each symbol in `columns`."""
        self.free_stars: NDArray[np.bool_] = _follow_missing(words, heard)
        """``[n_units + 1]``: whether words before the unit are heard but cannot be spelled."""

    @property
    def n_units(self) -> int:
        """Words that can be heard; the last unit, of no word, is one more."""
        return len(self.words_of_units)

    @property
    def n_states(self) -> int:
        """All states."""
        return self.first_state(self.n_units) + 2

    def first_state(self, unit: int) -> int:
        """The gap of a unit."""
        return int(unit + 2 * self.first_symbols[unit])

    def states(self, units: NDArray[np.int64]) -> NDArray[np.int64]:
        """All states of some units, which are in order."""
        ends = np.append(self.first_symbols, self.first_symbols[-1])
        firsts = units + 2 * self.first_symbols[units]
        sizes = np.where(units < self.n_units, 2 * (ends[units + 1] - ends[units]) + 1, 2)
        before = np.cumsum(sizes) - sizes
        return np.repeat(firsts - before, sizes) + np.arange(int(sizes.sum()))

    @cached_property
    def units(self) -> NDArray[np.int32]:
        """``[n_states]``: the unit of each state."""
        sizes = 2 * np.diff(self.first_symbols) + 1
        return np.repeat(np.arange(self.n_units + 1, dtype=np.int32), [*sizes, 2])

    @cached_property
    def kinds(self) -> NDArray[np.uint8]:
        """``[n_states]``: `SYMBOL`, `SEPARATOR`, `GAP` or `STAR`."""
        starts = np.arange(self.n_units + 1) + 2 * self.first_symbols
        offsets = np.arange(self.n_states) - starts[self.units]
        kinds = np.where(offsets % 2 == 0, SYMBOL, SEPARATOR).astype(np.uint8)
        kinds[starts], kinds[starts + 1] = GAP, STAR
        return kinds

    @cached_property
    def symbols_of_states(self) -> NDArray[np.int32]:
        """``[n_states]``: index of the symbol that a state emits; -1 for other kinds."""
        is_symbol = self.kinds == SYMBOL
        return np.where(is_symbol, np.cumsum(is_symbol) - 1, -1).astype(np.int32)


def _separators(vocabulary: Vocabulary) -> tuple[int, ...]:
    spaces = [
        column
        for column in range(len(vocabulary.symbols))
        if column not in (vocabulary.blank, *vocabulary.special)
        and vocabulary.written(column).isspace()
    ]
    return (vocabulary.blank, *spaces)


def _follow_missing(words: Sequence[SpelledWord], heard: Sequence[int]) -> NDArray[np.bool_]:
    follows = np.zeros(len(heard) + 1, np.bool_)
    unit = 0
    for index, word in enumerate(words):
        while unit < len(heard) and heard[unit] < index:
            unit += 1
        if word.missing and not word.columns:
            follows[unit] = True
    return follows
