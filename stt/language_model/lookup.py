"""Scores of an n-gram model, compiled: the inner loop of a beam search calls them.

Importing this module imports numba, so import it where a language model is used, not at start.
"""

from typing import Any

import numpy as np

from stt.compiling import compiled as compiled
from stt.language_model.tables import EMPTY, MULTIPLIER, Tables

_MULTIPLIER = np.uint64(MULTIPLIER)


@compiled
def find(tables: Tables, state: int, unit: int) -> Any:
    """The slot of a unit after exactly this context, int64, or -1."""
    slots = tables.slots
    mask = len(slots) - 1
    key = (np.uint64(state) << np.uint64(32)) | np.uint64(unit)
    # The upper bits of the product, as many as the table needs.
    place = np.int64((key * _MULTIPLIER) >> np.uint64(32)) * len(slots) >> 32
    while slots[place].state != EMPTY:
        if slots[place].state == state and slots[place].unit == unit:
            return place
        place = (place + 1) & mask
    return -1


@compiled
def score(tables: Tables, state: int, unit: int) -> tuple[Any, Any]:
    """The log-prob of a unit after a context, and the context after it.

    The same as KenLM's ``BaseScore``, in natural log.

    Args:
        tables: Of an `NgramModel`.
        state: The context: ``start_state``, or the state that an earlier call returned.
        unit: An index into the model's units; any other number is an unknown unit.

    Returns:
        float32 and int32.
    """
    total = np.float32(0)
    while True:
        place = find(tables, state, unit)
        if place >= 0:
            slot = tables.slots[place]
            return total + slot.log_prob, slot.next_state
        if state > 0:
            total += tables.backoffs[state]
            state = tables.suffixes[state]
        else:
            unit = tables.unknown


@compiled
def end_score(tables: Tables, state: int) -> Any:
    """The log-prob of the end of the text after a context, float32; 0 if there is no ``</s>``."""
    if tables.end < 0:
        return np.float32(0)
    return score(tables, state, tables.end)[0]


@compiled
def score_all(tables: Tables, state: int, units: Any) -> Any:
    """``[n_units]`` float32: the log-probs of units ``[n_units]`` int32, one after the other."""
    log_probs = np.empty(len(units), np.float32)
    for place in range(len(units)):
        log_probs[place], state = score(tables, state, units[place])
    return log_probs
