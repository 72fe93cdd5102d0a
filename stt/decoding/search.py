"""CTC prefix beam search, compiled (Hannun et al., 2014, https://arxiv.org/abs/1408.2873).

A *beam* is a hypothesis of all symbols so far. Its probability is summed over all paths that emit
them; its bonus is what the language model and the hotwords add.

Importing this module imports numba, so import it where a beam search is used, not at start.
"""

from typing import Any, NamedTuple

import numpy as np

from stt.decoding.alphabet import Writing
from stt.decoding.hotwords import HotwordGraph
from stt.decoding.lexicon import Lexicon
from stt.decoding.tree import NOWHERE, ROOT
from stt.language_model.lookup import compiled, end_score, score
from stt.language_model.tables import Tables

BEAM = np.dtype(
    [
        ("key", np.uint64),  # of all its symbols
        ("blank", np.float64),  # log-prob of the paths that end in a blank
        ("symbol", np.float64),  # log-prob of those that end in its last symbol
        ("bonus", np.float64),
        ("history", np.int32),  # the emission before the last one, or -1
        ("parent", np.int32),  # the beam whose last emission becomes history; -1 if none does
        ("column", np.int32),  # its last emission, as in `stt.decoding.words.Emission`; or -1
        ("first_frame", np.int32),
        ("last_frame", np.int32),
        ("peak", np.float32),
        ("posterior", np.float32),
        ("spoken", np.int32),  # the last frame that wrote a letter, or -1
        ("in_word", np.bool_),
        ("state", np.int32),  # of the language model
        ("node", np.int32),  # of the unit being spelled; `NOWHERE` if there is no such unit
        ("hotword", np.int32),  # node of the hotword being spelled; `NOWHERE` if there is none
        ("kept", np.float32),  # of its bonus, if it goes no further
        ("other", np.int32),  # node of one that began later, within the first
        ("may_begin", np.bool_),  # whether a hotword may begin with any next letter
    ]
)
EMISSION = np.dtype(
    [
        ("before", np.int32),  # the emission before, or -1
        ("key", np.uint64),  # of all symbols up to this one
        ("depth", np.int32),  # their number, without settled ones
        ("column", np.int32),
        ("first_frame", np.int32),
        ("last_frame", np.int32),
        ("peak", np.float32),
        ("posterior", np.float32),
    ]
)


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


KEYS = 4096
_NEXT_KEY = np.uint64(0xD1342543DE82EF95)


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
def add(a: float, b: float) -> float:
    """log(exp(a) + exp(b))."""
    if a < b:
        a, b = b, a
    return a if b == -np.inf else a + np.log1p(np.exp(b - a))


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


@compiled
def find(keys: Any, places: Any, key: Any) -> Any:
    """The slot of a key, taken or free; ``places`` is -1 where it is free."""
    slot = np.int64(key >> np.uint64(52))
    while places[slot] >= 0 and keys[slot] != key:
        slot = (slot + 1) & (KEYS - 1)
    return slot


@compiled
def stay(beams: Any, n: int, new: Any, frame: int, blank: float, at: Any, posterior: Any) -> None:
    """Candidates that emit nothing new: a blank, or more of the last symbol."""
    for b in range(n):
        new[b] = beams[b]
        beam = new[b]
        beam.parent = -1
        last = at[beam.column] if beam.column >= 0 else -np.inf
        beam.blank = add(beam.blank, beam.symbol) + blank
        beam.symbol += last
        if last > blank and beam.last_frame >= frame - 1:
            beam.last_frame = frame
            if beam.spoken == frame - 1:
                beam.spoken = frame
            if last > beam.peak:
                beam.peak, beam.posterior = last, posterior[beam.column]


@compiled
def emit(
    beam: Any, parent: int, column: int, frame: int, log_prob: float, posterior: float
) -> None:
    """Place the last symbol of a beam."""
    beam.parent, beam.column = parent, column
    beam.first_frame, beam.last_frame = frame, frame
    beam.peak, beam.posterior = log_prob, posterior


@compiled
def extend(
    beams: Any, n: int, new: Any, columns: Any, n_columns: int, frame: int, blank_column: int,
    at: Any, posterior: Any, keys: Any, places: Any, used: Any, model: Any,
) -> int:  # fmt: skip
    """Candidates with one more symbol, after those of `stay`; returns the number of all."""
    limits = model.limits
    n_used, n_new = n, n
    best = -np.inf
    for b in range(n):
        slot = find(keys, places, new[b].key)
        keys[slot], places[slot], used[b] = new[b].key, b, slot
        stake = at_stake(new[b], model.hotwords)
        best = max(best, add(new[b].blank, new[b].symbol) + new[b].bonus - stake)
    for b in range(n):
        old = beams[b]
        total = add(old.blank, old.symbol)
        for index in range(n_columns):
            column = columns[index]
            log_prob = at[column]
            if column == blank_column:
                continue
            is_likely = index == 0 or log_prob >= limits.min_log_prob
            if not is_likely and (
                log_prob < limits.min_hotword_log_prob or not goes_on(old, column, model)
            ):
                continue
            path = (old.blank if column == old.column else total) + log_prob
            if path + old.bonus < best - limits.max_behind:
                continue
            key = (old.key ^ np.uint64(column + 1)) * _NEXT_KEY
            slot = find(keys, places, key)
            if places[slot] >= 0:
                beam = new[places[slot]]
                is_surer = path > add(beam.blank, beam.symbol)
                beam.symbol = add(beam.symbol, path)
                if is_surer:  # its last symbol is rather here than where it was before
                    emit(beam, b, column, frame, log_prob, posterior[column])
                    if model.writing.firsts[column] < model.writing.firsts[column + 1]:
                        beam.spoken = frame
                continue
            new[n_new] = old
            beam = new[n_new]
            beam.key, beam.blank, beam.symbol = key, -np.inf, path
            emit(beam, b, column, frame, log_prob, posterior[column])
            write(beam, column, frame, model)
            keys[slot], places[slot], used[n_used] = key, n_new, slot
            n_new += 1
            n_used += 1
    for index in range(n_used):
        places[used[index]] = -1
    return n_new


@compiled
def select(
    beams: Any, new: Any, n_new: int, totals: Any, model: Any, history: Any, n_history: int,
    kept: Any, pushed: Any,
) -> tuple[int, int]:  # fmt: skip
    """Keep the best candidates; returns the number of beams, and of emissions in the history.

    The best one without what is at stake is always kept, so that a hotword that is not completed
    does not cost the text that is right.
    """
    limits = model.limits
    safest, best = 0, -np.inf
    for index in range(n_new):
        totals[index] = add(new[index].blank, new[index].symbol) + new[index].bonus
        safe = totals[index] - at_stake(new[index], model.hotwords)
        if safe > best:
            safest, best = index, safe
    least = best - limits.max_behind
    totals[safest] = np.inf
    if n_new > limits.n_beams:
        least = max(least, np.partition(totals[:n_new], n_new - limits.n_beams)[-limits.n_beams])
    n = 0
    pushed[:] = -1
    for index in range(n_new):
        has_room = n < limits.n_beams - (index < safest)
        if index != safest and (totals[index] < least or not has_room):
            continue
        kept[n] = new[index]
        parent = new[index].parent
        if parent >= 0:
            old = beams[parent]
            if old.column >= 0 and pushed[parent] < 0:
                entry = history[n_history]
                entry.before, entry.column, entry.key = old.history, old.column, old.key
                entry.depth = 1 if old.history < 0 else history[old.history].depth + 1
                entry.first_frame, entry.last_frame = old.first_frame, old.last_frame
                entry.peak, entry.posterior = old.peak, old.posterior
                pushed[parent] = n_history
                n_history += 1
            kept[n].history = pushed[parent]
        n += 1
    for index in range(n):
        beams[index] = kept[index]
    return n, n_history


@compiled
def advance(
    beams: Any, n: int, history: Any, n_history: int, columns: Any, log_probs: Any, norms: Any,
    first_frame: int, blank_column: int, temperature: float, model: Any, at: Any, posterior: Any,
) -> tuple[int, int]:  # fmt: skip
    """Search some frames.

    Args:
        beams: ``[n_beams]`` of `BEAM`, changed in place.
        n: Number of beams in use.
        history: Of `EMISSION`, with room for ``n_beams`` more for each frame.
        n_history: Number of emissions in it.
        columns: ``[n_frames, k] int32``, as in `stt.frames.TopFrames`.
        log_probs: ``[n_frames, k] float32``.
        norms: ``[n_frames] float32``.
        first_frame: Number of the first of these frames in the recording.
        blank_column: Column of the blank.
        temperature: Of the calibration.
        model: What to search with.
        at: ``[n_vocab] float32``, all -inf; scratch.
        posterior: ``[n_vocab] float32``, scratch.

    Returns:
        ``n`` and ``n_history`` after the frames.
    """
    k = columns.shape[1]
    most = model.limits.n_beams * (k + 1)
    new, kept = np.empty(most, beams.dtype), np.empty(model.limits.n_beams, beams.dtype)
    totals = np.empty(most)
    pushed = np.empty(model.limits.n_beams, np.int32)
    keys, places = np.empty(KEYS, np.uint64), np.full(KEYS, -1, np.int32)
    used = np.empty(most, np.int64)
    for index in range(len(columns)):
        frame = first_frame + index
        for rank in range(k):
            column = columns[index, rank]
            at[column] = log_probs[index, rank]
            posterior[column] = log_probs[index, rank] / temperature - norms[index]
        stay(beams, n, new, frame, at[blank_column], at, posterior)
        n_new = extend(
            beams, n, new, columns[index], k, frame, blank_column, at, posterior, keys, places,
            used, model,
        )  # fmt: skip
        n, n_history = select(beams, new, n_new, totals, model, history, n_history, kept, pushed)
        for rank in range(k):
            at[columns[index, rank]] = -np.inf
    return n, n_history


@compiled
def common(beams: Any, n: int, history: Any, heads: Any) -> Any:
    """The number of emissions up to which all beams have the same symbols; 0 if none.

    Leaves the emission of each beam at that depth in ``heads``, or -1.
    """
    depth = 1 << 30
    for b in range(n):
        heads[b] = beams[b].history
        depth = min(depth, 0 if heads[b] < 0 else history[heads[b]].depth)
    while depth > 0:
        agree = True
        for b in range(n):
            while heads[b] >= 0 and history[heads[b]].depth > depth:
                heads[b] = history[heads[b]].before
            # Emissions before the first one held are settled: all beams have them.
            agree = agree and heads[b] >= 0 and heads[0] >= 0
            agree = agree and history[heads[b]].key == history[heads[0]].key
        if agree:
            return depth
        depth -= 1
        if heads[0] < 0:
            return 0
    return 0


@compiled
def compact(beams: Any, n: int, history: Any, n_history: int, depth: int, numbers: Any) -> int:
    """Forget emissions up to a depth, and those that no beam has; returns how many are left."""
    numbers[:n_history] = -1
    for b in range(n):
        entry = beams[b].history
        while entry >= 0 and numbers[entry] < 0 and history[entry].depth > depth:
            numbers[entry] = 0
            entry = history[entry].before
    n_left = 0
    for entry in range(n_history):
        if numbers[entry] == 0:
            history[n_left] = history[entry]
            before = history[n_left].before
            history[n_left].before = -1 if before < 0 else numbers[before]
            history[n_left].depth -= depth
            numbers[entry] = n_left
            n_left += 1
    for b in range(n):
        entry = beams[b].history
        beams[b].history = -1 if entry < 0 else numbers[entry]
    return n_left


@compiled
def end(beams: Any, model: Any) -> Any:
    """The score of each beam if the text ended here, ``[n] float64``; changes the beams."""
    totals = np.empty(len(beams))
    for b in range(len(beams)):
        beam = beams[b]
        end_word(beam, model)
        leave_hotword(beam, model.hotwords)
        if model.weights.alpha and beam.spoken >= 0:
            beam.bonus += model.weights.alpha * end_score(model.tables, beam.state)
        totals[b] = add(beam.blank, beam.symbol) + beam.bonus
    return totals
