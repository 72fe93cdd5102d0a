"""Runs of chunks that are alike."""

import numpy as np
from numpy.typing import NDArray


def runs(is_in: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last + 1 of each run of true values in ``[n]``, in order."""
    changes = np.flatnonzero(np.diff(is_in, prepend=False, append=False))
    return list(zip(changes[::2].tolist(), changes[1::2].tolist(), strict=True))
