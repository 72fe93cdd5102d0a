"""How much audio fits into memory at a time, learnt from what did not."""

import math
import time
from collections.abc import Callable

RETRY_SECONDS = 600.0
"""After that long twice as much is tried again: the memory may have been another process's."""


class Fitting:
    """The most padded samples to compute at a time.

    Each failure halves what failed; so after the first batch that is too large the next ones fit.
    One thread writes while others read.
    """

    def __init__(self, most: float = math.inf, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            most: The limit while nothing has failed, in padded samples.
            clock: Returns seconds; replaced in tests.
        """
        self._most = most
        self._clock = clock
        self._learnt: tuple[float, float] | None = None
        """The limit after the last failure, and the clock's time of it."""

    @property
    def most(self) -> float:
        """Padded samples that are expected to fit."""
        if self._learnt is None:
            return self._most
        samples, since = self._learnt
        # 2 ** 60 is beyond any limit, and a float's range ends soon after.
        n_doublings = min(60, (self._clock() - since) // RETRY_SECONDS)
        return min(self._most, samples * 2**n_doublings)

    def failed(self, samples: float) -> None:
        """Learn that so many padded samples were too many, although each row fits alone."""
        self._learnt = (min(self.most, samples / 2), self._clock())
