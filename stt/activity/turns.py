"""Samples -> turns: when somebody begins to speak, and when they have stopped."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from stt.activity.base import CHUNK_SAMPLES
from stt.types import SAMPLE_RATE, Waveform

HYSTERESIS = 0.15
"""Speech continues down to a probability this much below the threshold, as in Silero's own
iterator: else a voice near the threshold would be cut into pieces."""
LEAST_TO_GO_ON = 0.01


class SpeechProbabilities(Protocol):
    """Listens to one recording, from its start on."""

    def feed(self, samples: Waveform) -> NDArray[np.float32]:
        """Return the probability of speech of each chunk, ``[n_chunks]``, 0 to 1.

        Args:
            samples: ``[n_chunks * CHUNK_SAMPLES]``, the next of the recording.
        """
        ...


@dataclass(frozen=True)
class TurnConfig:
    """When a turn begins and ends."""

    threshold: float
    """Probability from which a chunk is speech, 0 to 1."""
    silence_seconds: float
    """Silence after which the turn has ended."""


@dataclass(frozen=True)
class Boundary:
    """Where a turn begins or ends."""

    sample: int
    """Position in the recording, at 16 kHz. An end lies after the silence."""
    begins: bool


class Turns:
    """The turns of one recording, as it is heard; they do not depend on how it is cut."""

    def __init__(self, probabilities: SpeechProbabilities, config: TurnConfig) -> None:
        self._probabilities = probabilities
        self._begin = config.threshold
        self._go_on = max(LEAST_TO_GO_ON, config.threshold - HYSTERESIS)
        self._silence_samples = config.silence_seconds * SAMPLE_RATE
        self._rest: Waveform = np.zeros(0, np.float32)
        """Samples after the last whole chunk."""
        self.heard_samples = 0
        """Samples for which it is decided whether somebody speaks."""
        self.is_open = False
        """Somebody speaks, or has not been silent for long enough."""
        self._silent_from: int | None = None
        """Where the silence of an open turn began."""

    def feed(self, block: Waveform) -> list[Boundary]:
        """Add the next ``[n]`` samples at 16 kHz; return the boundaries found, in order."""
        samples = np.concatenate([self._rest, block])
        whole = len(samples) // CHUNK_SAMPLES * CHUNK_SAMPLES
        self._rest = samples[whole:]
        if not whole:
            return []
        probabilities = self._probabilities.feed(samples[:whole])
        return [found for each in probabilities.tolist() for found in self._step(each)]

    def _step(self, probability: float) -> Iterator[Boundary]:
        begin, end = self.heard_samples, self.heard_samples + CHUNK_SAMPLES
        self.heard_samples = end
        if not self.is_open:
            if probability >= self._begin:
                self.is_open, self._silent_from = True, None
                yield Boundary(begin, begins=True)
        elif probability >= self._go_on:
            self._silent_from = None
        else:
            if self._silent_from is None:
                self._silent_from = begin
            if end - self._silent_from >= self._silence_samples:
                self.is_open = False
                yield Boundary(end, begins=False)
