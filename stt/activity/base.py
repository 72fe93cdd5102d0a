"""What a detector of speech is.

It works in two steps. The first one is cheap and finds the *stretches* in which perhaps nobody
speaks. Only those that are as long as the pauses somebody looks for are then listened to.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from stt.types import Waveform

CHUNK_SAMPLES = 512
"""Detectors decide for 32 ms at a time."""


class Listener(Protocol):
    """Listens to one stretch, from its start on."""

    def feed(self, samples: Waveform) -> NDArray[np.bool_]:
        """Return whether nobody speaks in each chunk, ``[n_chunks]``; never changes its mind.

        Args:
            samples: ``[n_chunks * CHUNK_SAMPLES]``, the next ones; the first call begins with
                `Detector.lead_chunks` before the stretch, or as many as there are.
        """
        ...


class Detector(Protocol):
    """Finds the stretches of one recording, from its start on."""

    least_chunks: int
    """Pauses shorter than this are not reported."""
    lead_chunks: int
    """What a listener wants to hear before a stretch."""

    def feed(self, samples: Waveform) -> NDArray[np.bool_]:
        """Return whether each chunk may be in a pause, ``[n_chunks]``; never changes its mind.

        Args:
            samples: ``[n_chunks * CHUNK_SAMPLES]``, the next of the recording.
        """
        ...

    def listen(self) -> Listener:
        """Return what listens to a stretch.

        Raises:
            ConfigurationError: the detector's weights are not installed.
        """
        ...
