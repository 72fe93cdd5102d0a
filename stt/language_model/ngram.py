"""An n-gram model with back-off, as flat tables that compiled code can walk.

A *state* is a context: the units before the next one, as far as the model distinguishes them. State
0 is the empty context. A context that has no continuations and no back-off weight is no state of
its own, since it scores like its suffix; so a decoder's hypotheses merge as early as possible.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np

from stt.language_model.tables import Ngrams, Tables, lay_out
from stt.normalisation import compose

START, END, UNKNOWN = "<s>", "</s>", "<unk>"
SPECIAL = frozenset((START, END, UNKNOWN))
SPACES = ("|", "<space>", "▁", " ")
"""Spellings of the unit between words in a character model, the preferred one first."""

LOG_10 = float(np.log(10))
LEAST_LOG_PROB = -99 * LOG_10
"""What ARPA files write as the logarithm of zero, in natural log."""

Kind: TypeAlias = Literal["word", "character"]


@dataclass(frozen=True, eq=False)
class NgramModel:
    """An n-gram model with back-off."""

    order: int
    units: tuple[str, ...]
    """The vocabulary, with the special units; never without ``<unk>``."""
    kind: Kind
    """``character`` if every unit is one character (a syllable, in Korean), else ``word``."""
    counts: tuple[int, ...]
    """Number of n-grams of each order."""
    tables: Tables
    start_state: int
    """The context at the start of a text."""

    @classmethod
    def of(cls, units: Sequence[str], ngrams: Sequence[Ngrams]) -> "NgramModel":
        """Build the tables.

        Args:
            units: The vocabulary. ``<unk>`` is added if it is missing.
            ngrams: By order, from unigrams on. Every unit has a unigram.

        Raises:
            ModelBroken: an n-gram is listed twice.
        """
        units, ngrams = with_unknown(tuple(units), list(ngrams))
        special = [units.index(unit) if unit in units else -1 for unit in (START, END, UNKNOWN)]
        tables, start_state = lay_out(len(units), ngrams, *special)
        counts = tuple(map(len, ngrams))
        return cls(len(ngrams), units, kind_of(units), counts, tables, start_state)

    @property
    def n_states(self) -> int:
        """Number of contexts, the empty one included."""
        return len(self.tables.backoffs)

    @cached_property
    def space(self) -> int:
        """The unit between words of a character model; -1 if it has none, as in Chinese."""
        return next((self._indices[text] for text in SPACES if text in self._indices), -1)

    @cached_property
    def _indices(self) -> Mapping[str, int]:
        indices: dict[str, int] = {}
        for index, unit in enumerate(self.units):
            indices.setdefault(compose(unit), index)
        return indices

    def unit(self, text: str) -> int:
        """The unit that spells ``text``, in its own case if there is one, else in another.

        The index of ``<unk>`` if no unit does. A space is the unit between words.
        """
        if text == " " and self.space >= 0:
            return self.space
        text = compose(text)
        for spelling in (text, text.lower(), text.upper()):
            if spelling in self._indices:
                return self._indices[spelling]
        return self.tables.unknown


def kind_of(units: Sequence[str]) -> Kind:
    """Whether a vocabulary is one of characters or of words."""
    plain = [unit for unit in units if unit not in SPECIAL and unit not in SPACES]
    is_character = all(len(compose(unit)) == 1 for unit in plain)
    return "character" if is_character else "word"


def with_unknown(
    units: tuple[str, ...], ngrams: list[Ngrams]
) -> tuple[tuple[str, ...], list[Ngrams]]:
    """The same model with a unigram for ``<unk>``.

    Where it is missing or has no probability, it becomes as improbable as the rarest unit. KenLM
    scores it 10^-100 then, which no recording outweighs: unknown words would be left out of a text.
    """
    first = ngrams[0]
    possible = first.log_probs[first.log_probs > LEAST_LOG_PROB]
    rarest = np.float32(possible.min(initial=0))
    if UNKNOWN not in units:
        added = Ngrams(
            np.append(first.units, np.array([[len(units)]], np.int32), axis=0),
            np.append(first.log_probs, rarest),
            np.append(first.backoffs, np.float32(0)),
        )
        return (*units, UNKNOWN), [added, *ngrams[1:]]
    is_impossible = (first.units[:, 0] == units.index(UNKNOWN)) & (
        first.log_probs <= LEAST_LOG_PROB
    )
    log_probs = np.where(is_impossible, rarest, first.log_probs)
    return units, [replace(first, log_probs=log_probs), *ngrams[1:]]
