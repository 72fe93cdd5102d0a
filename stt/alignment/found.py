"""Where each symbol of a text is spoken, filled in as paths settle."""

import numpy as np
from numpy.typing import NDArray


class Found:
    """Where each symbol of the text is spoken, filled in as paths settle."""

    def __init__(self, n_symbols: int, n_units: int) -> None:
        self.first_frames = np.full(n_symbols, -1, np.int64)
        """``[n_symbols]``: the first frame of each symbol; -1 if it is not spoken."""
        self.last_frames = np.full(n_symbols, -1, np.int64)
        self.log_probs = np.full(n_symbols, -np.inf, np.float32)
        """``[n_symbols]``: of each symbol, the log-prob at its surest frame."""
        self.losses = np.zeros(n_units, np.float64)
        """``[n_units]``: log-probs of the path less the highest ones, over all frames of a word."""
        self.star_frames = np.full((n_units + 1, 2), -1, np.int64)
        """``[n_units + 1, 2]``: first and last frame of speech before a word that is not in the
        text; -1 if there is none."""
        self._peak_losses = np.zeros(n_symbols, np.float32)

    def add_symbols(
        self,
        symbols: NDArray[np.int32],
        frames: NDArray[np.int64],
        log_probs: NDArray[np.float32],
        losses: NDArray[np.float32],
    ) -> None:
        """Add frames of symbols; blocks come last first, and a symbol may be in two of them."""
        order = np.lexsort((log_probs, symbols))
        peaks = order[np.flatnonzero(np.diff(symbols[order], append=-1))]
        better = peaks[log_probs[peaks] > self.log_probs[symbols[peaks]]]
        self.log_probs[symbols[better]] = log_probs[better]
        self._peak_losses[symbols[better]] = losses[better]
        _widen(self.first_frames, self.last_frames, symbols, frames)

    def add_stars(self, units: NDArray[np.int32], frames: NDArray[np.int64]) -> None:
        """Add frames of speech that is not in the text."""
        _widen(self.star_frames[:, 0], self.star_frames[:, 1], units, frames)

    def other_losses(self, first_symbols: NDArray[np.int64]) -> NDArray[np.float64]:
        """``[n_units]``: what the other frames of each word lost, those besides the surest ones."""
        if not len(self.losses):
            return self.losses
        peaks = np.add.reduceat(self._peak_losses.astype(np.float64), first_symbols[:-1])
        return np.minimum(0.0, self.losses - peaks)


def _widen(
    firsts: NDArray[np.int64],
    lasts: NDArray[np.int64],
    items: NDArray[np.int32],
    frames: NDArray[np.int64],
) -> None:
    """Widen the frames of each item; -1 stands for none."""
    unset = items[firsts[items] < 0]
    firsts[unset] = np.iinfo(np.int64).max
    np.minimum.at(firsts, items, frames)
    np.maximum.at(lasts, items, frames)
