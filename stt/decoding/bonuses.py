"""What a beam gains from hotwords and a language model as it writes, compiled.

Importing this module imports numba, so import it where a beam search is used, not at start.
"""

from typing import Any, NamedTuple

from stt.compiling import compiled
from stt.decoding.alphabet import Writing
from stt.decoding.hotwords import HotwordGraph
from stt.decoding.lexicon import Lexicon
from stt.decoding.tree import NOWHERE, ROOT
from stt.language_model.lookup import score
from stt.language_model.tables import Tables


class Weights(NamedTuple):
    """How much everything counts."""

    alpha: float
    """Of the language model's log-probs; 0 if there is none."""
    beta: float
    """Added for each of its units."""
    unknown_offset: float
    """Added to the log-prob of an unknown unit."""


class Limits(NamedTuple):
    """What is searched."""

    n_beams: int
    min_log_prob: float
    """Symbols below are not tried, except the likeliest one..."""
    min_hotword_log_prob: float
    """... and those above this that go on with a hotword."""
    max_behind: float
    """Beams that are so much worse than the best, without its unfinished hotword, are dropped."""
    pause_frames: int
    """A word ends at a silence as long."""


class Model(NamedTuple):
    """All that does not change during a search."""

    writing: Writing
    hotwords: HotwordGraph
    lexicon: Lexicon
    tables: Tables
    weights: Weights
    limits: Limits


@compiled
def child(tree: Any, node: int, letter: int) -> Any:
    """The child of a node by a letter, or `NOWHERE`."""
    if node == NOWHERE:
        return NOWHERE
    low, high = tree.firsts[node], tree.firsts[node + 1]
    while low < high:
        middle = (low + high) >> 1
        if tree.letters[middle] < letter:
            low = middle + 1
        else:
            high = middle
    if low < tree.firsts[node + 1] and tree.letters[low] == letter:
        return low
    return NOWHERE


@compiled
def bound(lexicon: Any, node: int) -> Any:
    """The look-ahead that a beam holds while it spells a unit."""
    return lexicon.unknown_bound if node == NOWHERE else lexicon.bounds[node]


@compiled
def end_unit(beam: Any, model: Any, is_hotword: bool) -> None:
    """Score the unit that a beam has spelled."""
    if beam.node == ROOT:
        return
    lexicon, weights = model.lexicon, model.weights
    unit = -1 if beam.node == NOWHERE else lexicon.units[beam.node]
    offset = 0.0
    if unit < 0:
        unit = model.tables.unknown
        if not is_hotword:
            offset = weights.unknown_offset
    log_prob, beam.state = score(model.tables, beam.state, unit)
    gained = log_prob + offset - bound(lexicon, beam.node)
    beam.bonus += weights.alpha * gained + weights.beta
    beam.node = ROOT


@compiled
def leave_hotword(beam: Any, graph: Any) -> None:
    """Give back what a beam has gained for a hotword and may not keep."""
    if beam.hotword != NOWHERE:
        beam.bonus += beam.kept - graph.bonuses[beam.hotword]
    beam.hotword, beam.kept = NOWHERE, 0.0


@compiled
def at_stake(beam: Any, graph: Any) -> Any:
    """What a beam has gained for a hotword and may have to give back."""
    return 0.0 if beam.hotword == NOWHERE else graph.bonuses[beam.hotword] - beam.kept


@compiled
def end_word(beam: Any, model: Any) -> None:
    """End the word that a beam is in, if any."""
    if not beam.in_word:
        return
    beam.in_word = False
    graph = model.hotwords
    is_hotword = beam.hotword != NOWHERE and graph.complete[beam.hotword] > 0
    if is_hotword:
        beam.kept = max(beam.kept, graph.complete[beam.hotword])
    if beam.hotword != NOWHERE and not graph.breaks[beam.hotword]:
        leave_hotword(beam, graph)
    beam.other, beam.may_begin = NOWHERE, True
    if model.weights.alpha:
        end_unit(beam, model, is_hotword)


@compiled
def write_for_model(beam: Any, letter: int, model: Any) -> None:
    """Spell one more letter of a unit of the language model."""
    lexicon, weights = model.lexicon, model.weights
    if not beam.in_word and lexicon.space >= 0 and beam.spoken >= 0:
        log_prob, beam.state = score(model.tables, beam.state, lexicon.space)
        beam.bonus += weights.alpha * log_prob + weights.beta
    before = beam.node
    after = child(lexicon.tree, before, letter)
    if after == NOWHERE and not lexicon.is_word:
        end_unit(beam, model, False)
        before = ROOT
        after = child(lexicon.tree, ROOT, letter)
    beam.bonus += weights.alpha * (bound(lexicon, after) - bound(lexicon, before))
    beam.node = after
    is_leaf = after == NOWHERE or lexicon.tree.firsts[after] == lexicon.tree.firsts[after + 1]
    if is_leaf and not lexicon.is_word:
        end_unit(beam, model, False)


@compiled
def later(beam: Any, letter: int, stands_alone: bool, tree: Any) -> Any:
    """The node of a hotword that began after the one being spelled, or begins here."""
    node = child(tree, beam.other, letter)
    if node == NOWHERE and (beam.may_begin or stands_alone):
        node = child(tree, ROOT, letter)
    return node


@compiled
def write_for_hotwords(beam: Any, letter: int, stands_alone: bool, graph: Any) -> None:
    """Spell one more letter of a hotword; those that begin here have another chance."""
    other = later(beam, letter, stands_alone, graph.tree)
    at = beam.hotword
    longer = child(graph.tree, at, letter)
    if at != NOWHERE and stands_alone:
        beam.kept = max(beam.kept, graph.complete[at])
    if longer != NOWHERE:
        beam.bonus += graph.bonuses[longer] - graph.bonuses[at]
        beam.hotword, beam.other = longer, other
    else:
        leave_hotword(beam, graph)
        if other != NOWHERE:
            beam.bonus += graph.bonuses[other]
        beam.hotword, beam.other = other, NOWHERE
    if beam.hotword != NOWHERE:
        beam.kept = max(beam.kept, graph.kept[beam.hotword])
    beam.may_begin = stands_alone


@compiled
def write(beam: Any, column: int, frame: int, model: Any) -> None:
    """Add what a column writes to a beam's bonus and states."""
    writing = model.writing
    if writing.ends_before[column]:
        end_word(beam, model)
    for place in range(writing.firsts[column], writing.firsts[column + 1]):
        letter = writing.letters[place]
        if beam.spoken >= 0 and frame - beam.spoken > model.limits.pause_frames:
            end_word(beam, model)
        if model.weights.alpha:
            write_for_model(beam, letter, model)
        if len(model.hotwords.bonuses) > 1:
            write_for_hotwords(beam, letter, writing.stands_alone[letter], model.hotwords)
        beam.in_word = True
        beam.spoken = frame
    if writing.ends_after[column]:
        end_word(beam, model)


@compiled
def goes_on(beam: Any, column: int, model: Any) -> Any:
    """Whether a column goes on with a hotword that the beam is spelling, or begins one."""
    writing, graph = model.writing, model.hotwords
    place = writing.firsts[column]
    if len(graph.bonuses) <= 1 or place == writing.firsts[column + 1]:
        return False
    letter = writing.letters[place]
    if child(graph.tree, beam.hotword, letter) != NOWHERE:
        return True
    return later(beam, letter, writing.stands_alone[letter], graph.tree) != NOWHERE
