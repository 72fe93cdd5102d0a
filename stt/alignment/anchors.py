"""Where in the text a window of speech is: what the model heard, looked up in the text.

The search only follows paths near the best one. Where a chapter is missing from the recording, or
the recording begins in the middle of the text, the right path is far away. So the best symbol of
each frame is read as text, and its n-grams that occur once in the text tell where else to look.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stt.alignment.trellis import Trellis

_SIZES = (3, 4, 5, 6, 8, 10, 12, 16, 20, 24)
_UNIQUE_SHARE = 0.95
_MIN_HITS = 3
_DRIFT_SHARE, _DRIFT_SYMBOLS = 0.5, 8
_MAX_ANCHORS = 8
_HEARD_TOLERANCE = 1e-3
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Anchor:
    """Speech of a window that is in the text."""

    first_symbol: int
    """Of the text."""
    last_symbol: int
    first_frame: int
    """Of the window."""
    last_frame: int
    n_hits: int
    """N-grams that agree."""


class AnchorFinder:
    """Knows every n-gram that occurs once in a text, n just long enough that most do."""

    def __init__(self, trellis: Trellis) -> None:
        self._n_separators = len(trellis.separators)
        self.size = _SIZES[-1]
        for size in _SIZES:
            grams, places, share = _unique(trellis.symbols, size)
            if share >= _UNIQUE_SHARE:
                self.size = size
                break
        self._grams, self._places = grams, places

    def find(self, log_probs: NDArray[np.float32], best: NDArray[np.float32]) -> list[Anchor]:
        """The places of a window in the text, those with most agreement first.

        Args:
            log_probs: ``[n_frames, n_columns]`` of the trellis's columns.
            best: ``[n_frames]`` the highest log-prob of each frame, of any column.
        """
        symbols, frames = self._hear(log_probs, best)
        if len(symbols) < self.size or not len(self._grams):
            return []
        grams = _grams(symbols, self.size)
        found = np.searchsorted(self._grams, grams)
        found[found == len(self._grams)] = 0
        hits = np.flatnonzero(self._grams[found] == grams)
        anchors = [
            Anchor(
                int(places[0]),
                int(places[-1]) + self.size - 1,
                int(frames[heard[0]]),
                int(frames[heard[-1] + self.size - 1]),
                len(heard),
            )
            for heard, places in _lines(hits, self._places[found[hits]])
            if len(heard) >= _MIN_HITS
        ]
        return sorted(anchors, key=lambda each: -each.n_hits)[:_MAX_ANCHORS]

    def _hear(
        self, log_probs: NDArray[np.float32], best: NDArray[np.float32]
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The symbols of the best path and the frame of each; -1 for one not in the text."""
        columns = log_probs.argmax(axis=1).astype(np.int32)
        heard = np.take_along_axis(log_probs, columns[:, None].astype(np.int64), axis=1)[:, 0]
        columns[heard < best - _HEARD_TOLERANCE] = -1
        frames = np.flatnonzero(np.diff(columns, prepend=-2))
        symbols = columns[frames]
        is_symbol = (symbols < 0) | (symbols >= self._n_separators)
        return symbols[is_symbol], frames[is_symbol]


def _grams(symbols: NDArray[np.int32], size: int) -> NDArray[np.uint64]:
    """``[n - size + 1]``: a hash of each n-gram."""
    n = len(symbols) - size + 1
    values = np.zeros(max(n, 0), np.uint64)
    for offset in range(size if n > 0 else 0):
        values = (values ^ (symbols[offset : offset + n] + 2).astype(np.uint64)) * _MULTIPLIER
        values ^= values >> np.uint64(29)
    return values


def _unique(
    symbols: NDArray[np.int32], size: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64], float]:
    """Hashes of the n-grams that occur once, sorted; their places; their share of all."""
    grams, places, counts = np.unique(_grams(symbols, size), return_index=True, return_counts=True)
    once = counts == 1
    return grams[once], places[once], float(once.sum() / max(counts.sum(), 1))


def _lines(
    heard: NDArray[np.int64], places: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Group hits that advance alike in speech and text."""
    if not len(heard):
        return
    lines: list[list[int]] = []
    for index in range(len(heard)):
        for line in lines:
            spoken = heard[index] - heard[line[-1]]
            written = places[index] - places[line[-1]]
            if written > 0 and abs(written - spoken) <= _DRIFT_SHARE * spoken + _DRIFT_SYMBOLS:
                line.append(index)
                break
        else:
            lines.append([index])
    for line in lines:
        yield heard[line], places[line]
