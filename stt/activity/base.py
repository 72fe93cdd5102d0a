"""What a detector of speech is."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from stt.types import Waveform

CHUNK_SAMPLES = 512
"""Detectors decide for 32 ms at a time."""


class Detector(Protocol):
    """Listens to one recording, from its start on."""

    lag_chunks: int
    """A pause begins this many chunks before the first that `feed` reports as quiet."""

    def feed(self, samples: Waveform) -> NDArray[np.bool_]:
        """Return whether each chunk may have speech, ``[n_chunks]``; never changes its mind.

        Args:
            samples: ``[n_chunks * CHUNK_SAMPLES]``, the next of the recording.
        """
        ...
