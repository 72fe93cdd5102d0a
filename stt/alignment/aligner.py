"""Aligns frames with a text as they arrive, in memory that does not grow with the recording.

Only the words near the best paths are active. They are chosen anew for every block of frames: those
that paths within `_KEEP` of the best one are in; the text that may follow within a block; and where
`anchors` heard the window elsewhere in the text. What all paths agree on is settled, and its
back-pointers are dropped.
"""

import numpy as np
from numpy.typing import NDArray

from stt.alignment.anchors import AnchorFinder
from stt.alignment.backpointers import Backpointers, Block, Position
from stt.alignment.found import Found
from stt.alignment.trellis import GAP, STAR, SYMBOL, Costs, Trellis

_BLOCK_FRAMES = 256
_WINDOW_BLOCKS = 4
_AHEAD_SYMBOLS = 200
"""Text that is active after the best paths, besides what a block can hold at most: a passage as
long may be missing without an anchor."""
_FRAMES_PER_SYMBOL = 2
"""At least, in the fastest speech for the length of a block."""
_ANCHOR_SYMBOLS = 100
"""Text that is active before and after an anchor."""
_EXTEND = 30.0
"""The text after paths that are at most this much worse than the best becomes active."""
_KEEP = 60.0
"""Paths that are worse are dropped; so are those that a skip from the best path could replace."""
_BETTER = 0.01
_PENDING_BYTES = 16_000_000
"""Of back-pointers; with more, the older half of the best path is settled though others differ."""


class Aligner:
    """The alignment of one recording: `feed` all frames, then `finish`."""

    def __init__(
        self,
        trellis: Trellis,
        costs: Costs | None = None,
        *,
        block_frames: int = _BLOCK_FRAMES,
        ahead_symbols: int = _AHEAD_SYMBOLS,
        keep: float = _KEEP,
        pending_bytes: int = _PENDING_BYTES,
    ) -> None:
        """
        Args:
            trellis: The states of the text.
            costs: Replaces the usual costs.
            block_frames: Active states are chosen anew after so many frames.
            ahead_symbols: Text that is active after the best paths.
            keep: Paths that are so much worse than the best one are dropped.
            pending_bytes: Size of the back-pointers above which paths that differ are dropped.
        """
        from stt.alignment import viterbi  # imports numba

        self._trellis = trellis
        self._costs = costs or Costs()
        self._block_frames = block_frames
        self._spoken_at_most = block_frames // _FRAMES_PER_SYMBOL
        self._ahead = ahead_symbols + self._spoken_at_most
        self._keep = keep
        self._pending_bytes = pending_bytes
        self._anchors = AnchorFinder(trellis)
        self._viterbi = viterbi
        self._waiting: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
        self.n_frames = 0
        """Frames searched so far."""
        self.n_steps = 0
        """States times frames searched so far."""
        self.loss = 0.0
        """Cost of the best path so far, as a log-probability."""
        self._pending = Backpointers()
        self._states: NDArray[np.int64] = np.zeros(1, np.int64)
        self._scores: NDArray[np.float32] = np.zeros(1, np.float32)  # in the first gap
        self.found = Found(len(trellis.symbols), trellis.n_units)

    @property
    def pending_bytes(self) -> int:
        """Size of the back-pointers held."""
        return self._pending.n_bytes

    def feed(self, log_probs: NDArray[np.float32], best: NDArray[np.float32]) -> None:
        """Add frames.

        Args:
            log_probs: ``[n_frames, n_columns]`` natural log of the trellis's `columns`.
            best: ``[n_frames]`` the highest log-prob of each frame, of any column.
        """
        self._waiting.append((log_probs, best))
        if sum(len(each) for _, each in self._waiting) >= self._block_frames:
            self._search_waiting()

    def finish(self) -> Found:
        """End the recording: settle the best path."""
        self._search_waiting()
        if self._pending:
            last, loss = self._best_end()
            self.loss += loss
            self._settle(self._pending.end(last))
        return self.found

    def _search_waiting(self) -> None:
        """Search the frames that wait, a window at a time."""
        if not self._waiting:
            return
        log_probs, best = self._waiting[0]
        if len(self._waiting) > 1:
            log_probs, best = (np.concatenate(part) for part in zip(*self._waiting, strict=True))
        self._waiting = []
        size = _WINDOW_BLOCKS * self._block_frames
        for begin in range(0, len(best), size):
            self._search(log_probs[begin : begin + size], best[begin : begin + size])

    def _search(self, log_probs: NDArray[np.float32], best: NDArray[np.float32]) -> None:
        """Search the frames of a window."""
        anchors = self._anchors.find(log_probs, best)
        for begin in range(0, len(best), self._block_frames):
            frames = slice(begin, begin + self._block_frames)
            active = self._followed()
            for anchor in anchors:
                if not active[self._units(anchor.first_symbol, anchor.last_symbol + 1)].all():
                    first = max(0, anchor.first_symbol - _ANCHOR_SYMBOLS)
                    active[self._units(first, anchor.last_symbol + self._ahead)] = True
            self._advance(active, log_probs[frames], best[frames])
            self._settle_agreed()

    def _followed(self) -> NDArray[np.bool_]:
        """``[n_units + 1]``: the units that paths are in or may reach within a block."""
        trellis, costs = self._trellis, self._costs
        units = trellis.units[self._states]
        firsts = np.flatnonzero(np.diff(units, prepend=-1))
        numbers = units[firsts]
        merits = np.maximum.reduceat(self._scores, firsts)
        kinds = trellis.kinds[self._states]
        waiting = np.where((kinds == GAP) | (kinds == STAR), self._scores, -np.inf)
        waits = np.maximum.reduceat(waiting, firsts).astype(np.float64)
        # What a skip from a better path would give each unit.
        prices = costs.skip_symbol * trellis.first_symbols[numbers]
        near = np.maximum.accumulate(waits + prices)[:-1] - costs.skip - prices[1:]
        far = np.maximum.accumulate(waits)[:-1] - costs.skip_most
        given = np.concatenate([[-np.inf], np.maximum(near, far)])
        top = merits.max()
        kept = (merits >= top - self._keep) & (merits > given + _BETTER)
        kept[merits.argmax()] = True
        active = np.zeros(trellis.n_units + 1, np.bool_)
        for unit, merit in zip(numbers[kept].tolist(), merits[kept].tolist(), strict=True):
            ahead = self._ahead if merit >= top - _EXTEND else self._spoken_at_most
            first = int(trellis.first_symbols[unit])
            active[self._units(first, first + ahead)] = True
        return active

    def _units(self, first_symbol: int, end_symbol: int) -> slice:
        """The units of some symbols, and the one after."""
        firsts = self._trellis.first_symbols
        begin = int(np.searchsorted(firsts, first_symbol, side="right")) - 1
        return slice(begin, int(np.searchsorted(firsts, end_symbol, side="left")) + 1)

    def _advance(
        self, active: NDArray[np.bool_], log_probs: NDArray[np.float32], best: NDArray[np.float32]
    ) -> None:
        """Search the frames of a block among the states of the active units."""
        trellis, costs = self._trellis, self._costs
        states = trellis.states(np.flatnonzero(active))
        kinds = trellis.kinds[states]
        is_gap = kinds == GAP
        gap_units = trellis.units[states[is_gap]]
        symbols = trellis.symbols_of_states[states]
        needed = np.where(symbols >= 0, trellis.symbols[symbols], 0)
        used, columns = np.unique(needed, return_inverse=True)
        floor = -np.float32(costs.floor)
        emitted = np.maximum(log_probs[:, used] - best[:, None], floor)
        separator = np.maximum(log_probs[:, : len(trellis.separators)].max(axis=1) - best, floor)
        star = np.maximum(separator, -np.float32(costs.star_symbol))
        scores = np.full(len(states), -np.inf, np.float32)
        at = np.searchsorted(states, self._states)
        stays = (at < len(states)) & (states[np.minimum(at, len(states) - 1)] == self._states)
        scores[at[stays]] = self._scores[stays]
        steps = np.zeros((len(best), len(states)), np.uint8)
        sources = np.zeros((len(best), 2 * len(gap_units)), np.int32)
        self._viterbi.advance(
            scores, emitted, separator, star, columns.astype(np.int32), kinds,
            self._viterbi.entry_reach(kinds, needed, np.diff(states, prepend=-2) > 1),
            trellis.first_symbols[gap_units],
            np.where(trellis.free_stars[gap_units], 0, costs.star).astype(np.float32),
            costs.skip, costs.skip_symbol, costs.skip_most, steps, sources,
        )  # fmt: skip
        top = scores.max()
        self.loss += float(top)
        scores -= top
        scores[scores < -self._keep] = -np.inf
        self._states, self._scores = states, scores
        gaps = 2 * (np.cumsum(is_gap) - 1) + (kinds == STAR)
        self._pending.add(
            Block(
                self.n_frames, states, gaps.astype(np.int32), steps, sources, emitted,
                columns.astype(np.int32), separator, star, best,
            )
        )  # fmt: skip
        self.n_frames += len(best)
        self.n_steps += steps.size

    def _best_end(self) -> tuple[int, float]:
        """The active state in which the best path ends, and what the text left over costs."""
        trellis, costs = self._trellis, self._costs
        kinds = trellis.kinds[self._states]
        left = len(trellis.symbols) - trellis.first_symbols[trellis.units[self._states]]
        # The last symbol of a word is before the gap of the next one.
        is_last = np.append(kinds[1:] == GAP, False) & (np.diff(self._states, append=-1) == 1)
        left = np.where(is_last, np.append(left[1:], 0), left)
        skips = np.minimum(costs.skip + costs.skip_symbol * left, costs.skip_most)
        totals = self._scores - np.where(left > 0, skips, 0.0)
        totals[~((kinds == GAP) | (kinds == STAR) | is_last)] = -np.inf
        last = int(totals.argmax())
        return last, float(totals[last])

    def _settle_agreed(self) -> None:
        """Settle what all paths agree on, and more if there is too much to keep."""
        alive = np.flatnonzero(self._scores > -np.inf)
        if (position := self._pending.meeting(alive.astype(np.int32))) is not None:
            self._settle(position)
        if self._pending.n_bytes > self._pending_bytes:
            self._settle_half(alive)

    def _settle_half(self, alive: NDArray[np.int64]) -> None:
        """Settle the older half of the best path, and drop the paths that differ there."""
        positions = self._pending.halfway(alive.astype(np.int32))
        agreed = positions[int(self._scores[alive].argmax())]
        differs = [position.state != agreed.state for position in positions]
        self._scores[alive[differs]] = -np.inf
        self._settle(agreed)

    def _settle(self, position: Position) -> None:
        """Record the best path up to a position, and forget it."""
        for block, path in self._pending.settle(position):
            self._record(block, path)

    def _record(self, block: Block, path: NDArray[np.int32]) -> None:
        states = block.states[path]
        kinds, units = self._trellis.kinds[states], self._trellis.units[states]
        frames = block.first_frame + np.arange(len(path))
        said = np.flatnonzero(kinds == SYMBOL)
        losses = block.separator.copy()
        losses[said] = block.emitted[said, block.columns[path[said]]]
        inside = (kinds != GAP) & (kinds != STAR)
        np.add.at(self.found.losses, units[inside], losses[inside])
        self.found.add_symbols(
            self._trellis.symbols_of_states[states[said]],
            frames[said], losses[said] + block.best[said], losses[said],
        )  # fmt: skip
        loud = (kinds == STAR) & (block.separator < block.star)
        self.found.add_stars(units[loud], frames[loud])
