"""The back-pointers of the search: which states each path came from, until they are settled."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Block:
    """The back-pointers of some frames, and what the frames emitted."""

    first_frame: int
    states: NDArray[np.int64]
    """``[n_states]`` the active states of the trellis, ascending."""
    gaps: NDArray[np.int32]
    """``[n_states]`` column of `sources` of each gap and star; of others, anything."""
    steps: NDArray[np.uint8]
    """``[n_frames, n_states]`` see `stt.alignment.viterbi.advance`."""
    sources: NDArray[np.int32]
    """``[n_frames, 2 * n_gaps]`` likewise."""
    emitted: NDArray[np.float32]
    """``[n_frames, n_columns]`` log-probs less the best; of the columns that the states need."""
    columns: NDArray[np.int32]
    """``[n_states]`` of `emitted`."""
    separator: NDArray[np.float32]
    """``[n_frames]`` the same of the likeliest separator."""
    star: NDArray[np.float32]
    """``[n_frames]`` the same of a star."""
    best: NDArray[np.float32]
    """``[n_frames]`` the highest log-prob."""

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.best)

    @property
    def n_bytes(self) -> int:
        """Its size in memory, roughly."""
        return self.steps.nbytes + self.sources.nbytes + self.emitted.nbytes

    def until(self, n_frames: int) -> "Block":
        """Its first frames."""
        return self._cut(slice(0, n_frames))

    def after(self, n_frames: int) -> "Block":
        """Its other frames."""
        return self._cut(slice(n_frames, None))

    def _cut(self, frames: slice) -> "Block":
        return Block(
            self.first_frame + (frames.start or 0), self.states, self.gaps, self.steps[frames],
            self.sources[frames], self.emitted[frames], self.columns, self.separator[frames],
            self.star[frames], self.best[frames],
        )  # fmt: skip


class Position(NamedTuple):
    """Where a path is at some frame."""

    block: int
    """Index of the block that has the frame."""
    frame: int
    """In the block."""
    state: int
    """Index into the block's states."""


class Backpointers:
    """The blocks whose path is not settled, the oldest first."""

    def __init__(self) -> None:
        from stt.alignment import viterbi  # imports numba

        self._viterbi = viterbi
        self._blocks: list[Block] = []

    def __len__(self) -> int:
        """Number of blocks."""
        return len(self._blocks)

    @property
    def n_bytes(self) -> int:
        """Size of all blocks."""
        return sum(block.n_bytes for block in self._blocks)

    def add(self, block: Block) -> None:
        """Add the next frames."""
        self._blocks.append(block)

    def end(self, state: int) -> Position:
        """The last frame, in a state of the last block."""
        return Position(len(self._blocks) - 1, len(self._blocks[-1]) - 1, state)

    def meeting(self, states: NDArray[np.int32]) -> Position | None:
        """The last frame at which the best paths to these states of the last block are one."""
        for index in range(len(self._blocks) - 1, -1, -1):
            block = self._blocks[index]
            frame, states = self._viterbi.meet(block.steps, block.sources, block.gaps, states)
            if frame >= 0:
                return Position(index, frame, int(states[0]))
            if index:
                states = self._before(index, states)
        return None

    def halfway(self, states: NDArray[np.int32]) -> list[Position]:
        """Where the best paths to these states of the last block are, half of the blocks ago."""
        half = len(self._blocks) // 2
        origins = states
        for index in range(len(self._blocks) - 1, half, -1):
            block = self._blocks[index]
            distinct, of = np.unique(origins, return_inverse=True)
            before = self._viterbi.origins(block.steps, block.sources, block.gaps, distinct)
            origins = self._before(index, before)[of]
        return [Position(half, len(self._blocks[half]) - 1, state) for state in origins.tolist()]

    def settle(self, position: Position) -> list[tuple[Block, NDArray[np.int32]]]:
        """Forget all frames up to a position.

        Returns:
            Blocks with these frames, the latest first, and the state of the best path at each
            frame, ``[n_frames]``.
        """
        last = self._blocks[position.block]
        blocks = [*self._blocks[: position.block], last.until(position.frame + 1)]
        rest = last.after(position.frame + 1)
        settled = []
        state = position.state
        for index in range(position.block, -1, -1):
            block = blocks[index]
            path = np.empty(len(block), np.int32)
            state = self._viterbi.trace(block.steps, block.sources, block.gaps, state, path)
            if index:
                state = int(self._before(index, np.array([state], np.int32))[0])
            settled.append((block, path))
        self._blocks[: position.block + 1] = [rest] if len(rest) else []
        return settled

    def _before(self, index: int, states: NDArray[np.int32]) -> NDArray[np.int32]:
        """States of a block in the numbering of the block before it."""
        older = self._blocks[index - 1].states
        return np.searchsorted(older, self._blocks[index].states[states]).astype(np.int32)
