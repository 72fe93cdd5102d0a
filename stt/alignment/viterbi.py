"""The search for the best path through some states of a trellis, compiled.

Importing this module imports numba, so import it where an alignment is made, not at start.
"""

import numpy as np
from numpy.typing import NDArray

from stt.alignment.trellis import GAP, SEPARATOR, STAR, SYMBOL
from stt.compiling import compiled

STAY, STEP, LEAP, JUMP, SKIP = range(5)
"""How a path enters a state: from itself, from 1, 2 or 3 states before, or by a skip."""
TIE = 1e-3
"""Skips are taken if they are no worse than this; scores have rounding errors."""


@compiled
def advance(
    scores: NDArray[np.float32],
    emitted: NDArray[np.float32],
    separator: NDArray[np.float32],
    star: NDArray[np.float32],
    columns: NDArray[np.int32],
    kinds: NDArray[np.uint8],
    reach: NDArray[np.uint8],
    positions: NDArray[np.int64],
    star_costs: NDArray[np.float32],
    skip: float,
    skip_symbol: float,
    skip_most: float,
    steps: NDArray[np.uint8],
    sources: NDArray[np.int32],
) -> None:
    """Advance the scores of the active states by the frames of a block.

    Of equally good paths, a skip as late as possible is taken, so that paths soon have all but
    their last frames in common.

    Args:
        scores: ``[n_states]`` after the frame before; replaced by those after the last frame.
        emitted: ``[n_frames, n_columns]`` log-probs less the highest of the frame.
        separator: ``[n_frames]`` the same of the likeliest separator.
        star: ``[n_frames]`` the same of a star.
        columns: ``[n_states]`` of `emitted`; of symbols only.
        kinds: ``[n_states]`` kinds.
        reach: ``[n_states]`` how many states back a path may come from at one frame, 0 to 3.
        positions: ``[n_gaps]`` symbols of the text before each gap.
        star_costs: ``[n_gaps]`` cost of entering the star of that gap.
        skip, skip_symbol, skip_most: see `stt.alignment.trellis.Costs`.
        steps: ``[n_frames, n_states]`` set to how the best path enters each state.
        sources: ``[n_frames, 2 * n_gaps]`` set to the state that a skip to that gap, or to the
            star after it, comes from.
    """
    n_frames, n_states = steps.shape
    new = np.empty(n_states, np.float32)
    old = scores.copy()
    for t in range(n_frames):
        gap = -1
        price = 0.0
        # The best states to skip from: any, and stars only; by symbols skipped, and at most.
        near, near_from, far, far_from = -np.inf, -1, -np.inf, -1
        near_star, near_star_from, far_star, far_star_from = -np.inf, -1, -np.inf, -1
        for s in range(n_states):
            best, step = old[s], STAY
            kind = kinds[s]
            if kind == GAP:
                gap += 1
                price = skip_symbol * positions[gap]
                if reach[s] >= 1 and old[s - 1] > best:
                    best, step = old[s - 1], STEP
                by_skip, source = far - skip_most, far_from
                if near - skip - price > by_skip:
                    by_skip, source = near - skip - price, near_from
                if source >= 0 and by_skip >= best - TIE:
                    best, step = np.float32(by_skip), SKIP
                    sources[t, 2 * gap] = source
                new[s] = best + separator[t]
            elif kind == STAR:
                cost = star_costs[gap]
                if reach[s] >= 1 and old[s - 1] - cost > best:
                    best, step = old[s - 1] - cost, STEP
                if reach[s] >= 2 and old[s - 2] - cost > best:
                    best, step = old[s - 2] - cost, LEAP
                by_skip, source = far_star - skip_most, far_star_from
                if near_star - skip - price > by_skip:
                    by_skip, source = near_star - skip - price, near_star_from
                if source >= 0 and by_skip >= best - TIE:
                    best, step = np.float32(by_skip), SKIP
                    sources[t, 2 * gap + 1] = source
                new[s] = best + star[t]
                if old[s] > far_star:
                    far_star, far_star_from = old[s], s
                if old[s] + price > near_star:
                    near_star, near_star_from = old[s] + price, s
                leave, leave_from = old[s], s
                if old[s - 1] >= leave:
                    leave, leave_from = old[s - 1], s - 1
                if leave > far:
                    far, far_from = leave, leave_from
                if leave + price > near:
                    near, near_from = leave + price, leave_from
            else:
                if reach[s] >= 1 and old[s - 1] > best:
                    best, step = old[s - 1], STEP
                if reach[s] >= 2 and old[s - 2] > best:
                    best, step = old[s - 2], LEAP
                if reach[s] >= 3 and old[s - 3] > best:
                    best, step = old[s - 3], JUMP
                new[s] = best + (separator[t] if kind == SEPARATOR else emitted[t, columns[s]])
            steps[t, s] = step
        old, new = new, old
    scores[:] = old


@compiled
def trace(
    steps: NDArray[np.uint8],
    sources: NDArray[np.int32],
    gaps: NDArray[np.int32],
    last: int,
    path: NDArray[np.int32],
) -> int:
    """Follow the best path back from a state after the last frame.

    Args:
        steps, sources: As `advance` left them.
        gaps: ``[n_states]`` column of `sources` of each gap and star; of others, anything.
        last: The state of the last frame.
        path: ``[n_frames]`` set to the state of each frame.

    Returns:
        The state before the first frame.
    """
    state = last
    for t in range(len(path) - 1, -1, -1):
        path[t] = state
        step = steps[t, state]
        state = sources[t, gaps[state]] if step == SKIP else state - step
    return state


@compiled
def meet(
    steps: NDArray[np.uint8],
    sources: NDArray[np.int32],
    gaps: NDArray[np.int32],
    states: NDArray[np.int32],
) -> tuple[int, NDArray[np.int32]]:
    """Follow the best paths back from several states until they meet.

    Returns:
        The last frame at which all are in one state, or -1; and their states there, or before the
        first frame.
    """
    n_frames, n_states = steps.shape
    seen = np.full(n_states, -1, np.int64)
    current = states.copy()
    n = len(current)
    for t in range(n_frames - 1, -1, -1):
        if n == 1:
            return t, current[:1]
        kept = 0
        for i in range(n):
            state = current[i]
            step = steps[t, state]
            before = sources[t, gaps[state]] if step == SKIP else state - step
            if seen[before] != t:
                seen[before] = t
                current[kept] = before
                kept += 1
        n = kept
    return -1, current[:n]


@compiled
def origins(
    steps: NDArray[np.uint8],
    sources: NDArray[np.int32],
    gaps: NDArray[np.int32],
    states: NDArray[np.int32],
) -> NDArray[np.int32]:
    """The states before the first frame that the best paths to ``states`` come from."""
    found = states.copy()
    for i in range(len(found)):
        state = found[i]
        for t in range(len(steps) - 1, -1, -1):
            step = steps[t, state]
            state = sources[t, gaps[state]] if step == SKIP else state - step
        found[i] = state
    return found


def entry_reach(
    kinds: NDArray[np.uint8], symbols: NDArray[np.int32], starts: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """How many states back each of some neighbouring states may be entered from.

    Args:
        kinds: ``[n_states]`` kinds.
        symbols: ``[n_states]`` column of symbols; of others, anything.
        starts: ``[n_states]`` whether the state before is not active; the first one of a unit.
    """
    n = len(kinds)
    before = {back: np.maximum(np.arange(n) - back, 0) for back in (2, 3)}
    is_first = np.zeros(n, bool)  # symbol after a star
    is_first[1:] = (kinds[1:] == SYMBOL) & (kinds[:-1] == STAR)
    differs = {back: symbols != symbols[before[back]] for back in (2, 3)}
    inner = (kinds == SYMBOL) & ~is_first
    reach = np.ones(n, np.uint8)
    reach[inner & differs[2]] = 2
    reach[is_first] = 2
    # The last symbol of the word before is three back: past the star and the gap.
    cut = np.zeros(n, bool)
    for back in (1, 2):
        cut[back:] |= starts[: max(0, n - back)]
    reach[is_first & differs[3] & ~cut & (kinds[before[3]] == SYMBOL)] = 3
    reach[kinds == STAR] = 2
    is_cut_star = np.zeros(n, bool)
    is_cut_star[1:] = starts[:-1]
    reach[(kinds == STAR) & is_cut_star] = 1
    reach[starts] = 0
    return reach
