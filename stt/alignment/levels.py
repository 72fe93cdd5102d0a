"""Where sound begins and ends around a word: finer than frames, which only say what is heard.

A CTC model emits a symbol somewhere in its sound. Where the level rises from silence just before
the first symbol of a word, or falls to silence just after its last, that is its true start or end.
"""

import numpy as np
from numpy.typing import NDArray

from stt.types import SAMPLE_RATE, Waveform

HOP_SAMPLES = SAMPLE_RATE // 100
HOP_SECONDS = HOP_SAMPLES / SAMPLE_RATE
_QUIET_DB = 30.0
"""Silence is so much below the loudest moment of the word."""
_QUIET_HOPS = 3
"""Shorter silence may be that of a plosive."""
_REACH_HOPS = 40
"""So far from a symbol its sound may begin or end."""
_LOWEST_DB = -120.0


class Levels:
    """The level of a recording, measured as it arrives."""

    def __init__(self) -> None:
        self._pieces: list[NDArray[np.float32]] = []
        self._rest: Waveform = np.zeros(0, np.float32)
        self._db: NDArray[np.float32] = np.zeros(0, np.float32)

    def feed(self, waveform: Waveform) -> None:
        """Add samples."""
        waveform = np.concatenate([self._rest, waveform])
        n = len(waveform) // HOP_SAMPLES
        self._rest = waveform[n * HOP_SAMPLES :].copy()
        hops = waveform[: n * HOP_SAMPLES].reshape(n, HOP_SAMPLES)
        power = np.einsum("ij,ij->i", hops, hops) / HOP_SAMPLES
        self._pieces.append(10 * np.log10(np.maximum(power, 10 ** (_LOWEST_DB / 10))))

    def start(self, start: float, end: float, *, earliest: float) -> float:
        """Where the sound of a word begins.

        Args:
            start: When its first symbol is emitted, in seconds.
            end: End of its last symbol.
            earliest: Where it may begin.

        Returns:
            ``start`` if no silence is near.
        """
        first, last = _hop(start), max(_hop(end), _hop(start) + 1)
        low = max(_hop(earliest), first - _REACH_HOPS)
        quiet = self._quiet(low - _QUIET_HOPS, last, first, last)
        first -= low - _QUIET_HOPS  # in `quiet`
        if first >= len(quiet):
            return start
        if quiet[first]:
            loud = np.flatnonzero(~quiet[first : first + _REACH_HOPS])
            return start + int(loud[0]) * HOP_SECONDS if len(loud) else start
        runs = np.flatnonzero(_runs(quiet[:first]))
        if not len(runs):
            return start
        onset = low + int(runs[-1])  # the hop after the last run of silence
        return min(start, onset * HOP_SECONDS)

    def end(self, start: float, end: float, *, latest: float) -> float:
        """Where the sound of a word ends: as `start`, the other way round."""
        first, last = _hop(start), max(_hop(end), _hop(start) + 1)
        high = min(_hop(latest), last + _REACH_HOPS)
        quiet = self._quiet(first, high + _QUIET_HOPS, first, last)
        last -= first  # in `quiet`
        if last > len(quiet):
            return end
        if quiet[last - 1]:
            loud = np.flatnonzero(~quiet[max(0, last - _REACH_HOPS) : last][::-1])
            return end - int(loud[0]) * HOP_SECONDS if len(loud) else end
        runs = np.flatnonzero(_runs(quiet[last:]))
        return max(end, (first + last + int(runs[0])) * HOP_SECONDS) if len(runs) else end

    def _quiet(self, begin: int, end: int, first: int, last: int) -> NDArray[np.bool_]:
        """Which hops from ``begin`` to ``end`` are silent, by the level from ``first`` to ``last``.

        Hops outside the recording are silent.
        """
        if self._pieces:
            self._db = np.concatenate([self._db, *self._pieces])
            self._pieces = []
        inside = self._db[max(begin, 0) : max(end, 0)]
        padded = np.full(max(end - begin, 0), _LOWEST_DB, np.float32)
        offset = max(0, -begin)
        padded[offset : offset + len(inside)] = inside
        word = self._db[first:last]
        return padded < (word.max() if len(word) else 0.0) - _QUIET_DB


def _runs(quiet: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where `_QUIET_HOPS` silent hops begin."""
    n = max(0, len(quiet) - _QUIET_HOPS + 1)
    runs = np.ones(n, np.bool_)
    for offset in range(_QUIET_HOPS):
        runs &= quiet[offset : offset + n]
    return runs


def _hop(seconds: float) -> int:
    return int(seconds / HOP_SECONDS + 1e-6)
