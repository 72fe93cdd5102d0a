"""The detectors, and which of them listens.

What they call a pause is not computed, so they err towards speech: a pause that is taken for
speech costs time, speech that is taken for a pause is missing in the text."""

from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stt.activity.base import CHUNK_SAMPLES, Detector
from stt.activity.silero import Silero, SileroWeights, find_weights
from stt.types import SAMPLE_RATE, Waveform

Vad: TypeAlias = Literal["auto", "off"]
"""Whether pauses are left out; see `open_detector`."""

SPEECH_PROBABILITY = 0.05
"""Chunks from here on may be speech. Silero's own default is 0.5."""
RISE = 10 ** (6 / 10)
"""So much louder than the background, in power, is speech to us whatever Silero says: whispers,
coughs, the click of a door."""
FLOOR = 10 ** (-80 / 10)
"""Mean square below which no background counts; full scale is 1."""
LOW_CHUNKS = 9
"""Nobody acts on pauses shorter than this, 0.29 s."""
LEAD_CHUNKS = 32
"""With a second of lead, Silero finds as much speech as when it hears the whole recording."""
SMOOTHED_CHUNKS = 8
"""The background is the quietest quarter of a second ..."""
BACKGROUND_CHUNKS = round(4 * SAMPLE_RATE / CHUNK_SAMPLES)
"""... of the last four seconds."""
DIGITAL_SILENCE = 3e-4
"""Largest sample of digital silence, full scale is 1; noise in a quiet room is far louder."""


class SpeechDetector:
    """Hears speech where the level rises from the background, or where Silero's model does.

    Silero is asked only where the level stays low, and only about stretches as long as the pauses
    that somebody looks for. Most recordings have few of them.
    """

    least_chunks = LOW_CHUNKS
    lead_chunks = LEAD_CHUNKS

    def __init__(self) -> None:
        self._rises = Rises()

    def feed(self, samples: Waveform) -> NDArray[np.bool_]:
        """See `Detector`."""
        return ~self._rises.feed(samples)

    def listen(self) -> "SileroListener":
        """See `Detector`."""
        return SileroListener()


class SileroListener:
    """Takes for a pause what Silero is sure of."""

    def __init__(self) -> None:
        self._silero = open_silero()

    def feed(self, samples: Waveform) -> NDArray[np.bool_]:
        """See `Listener`."""
        return self._silero.feed(samples) < SPEECH_PROBABILITY


class Rises:
    """Finds chunks that are louder than the background: what was quietest in the last seconds."""

    def __init__(self) -> None:
        self._powers = np.zeros(0, np.float32)
        self._levels = np.zeros(0, np.float32)
        """Powers, each averaged with those just before it."""

    def feed(self, samples: Waveform) -> NDArray[np.bool_]:
        """See `Detector`."""
        chunks = samples.reshape(-1, CHUNK_SAMPLES)
        new = np.einsum("ij,ij->i", chunks, chunks) / CHUNK_SAMPLES
        powers = np.concatenate([self._powers, new])
        # At the start of a recording there is less to average.
        padded = np.concatenate([np.repeat(powers[:1], SMOOTHED_CHUNKS - 1), powers])
        means = np.lib.stride_tricks.sliding_window_view(padded, SMOOTHED_CHUNKS).mean(axis=1)
        levels = np.concatenate([self._levels, means[len(means) - len(new) :]])
        earlier = np.full(BACKGROUND_CHUNKS - 1, np.inf, np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(
            np.concatenate([earlier, levels]), BACKGROUND_CHUNKS
        )
        floors = windows[len(windows) - len(new) :].min(axis=1)
        self._powers = powers[-SMOOTHED_CHUNKS + 1 :]
        self._levels = levels[-BACKGROUND_CHUNKS + 1 :]
        return new > RISE * np.maximum(floors, FLOOR)  # type: ignore[no-any-return]


class SilenceDetector:
    """Hears speech in everything but digital silence; costs next to nothing."""

    least_chunks = 1
    lead_chunks = 0

    def feed(self, samples: Waveform) -> NDArray[np.bool_]:
        """See `Detector`."""
        peaks = np.abs(samples.reshape(-1, CHUNK_SAMPLES)).max(axis=1, initial=0.0)
        return peaks <= DIGITAL_SILENCE  # type: ignore[no-any-return]

    def listen(self) -> "NothingToHear":
        """See `Detector`."""
        return NothingToHear()


class NothingToHear:
    """Listens to stretches that are known to be pauses."""

    def feed(self, samples: Waveform) -> NDArray[np.bool_]:
        """See `Listener`."""
        return np.ones(len(samples) // CHUNK_SAMPLES, np.bool_)


def open_detector(vad: Vad, device: str) -> Detector | None:
    """The detector for one recording.

    Args:
        vad: ``off`` leaves out nothing.
        device: Of the engine. On a GPU a second of speech takes less time than Silero on a core,
            so only digital silence is left out there.

    Raises:
        ConfigurationError: the detector's weights are not installed.
    """
    if vad == "off":
        return None
    return SpeechDetector() if device == "cpu" else SilenceDetector()


def open_silero() -> Silero:
    """The model that says how probable speech is, for one recording.

    Raises:
        ConfigurationError: its weights are not installed.
    """
    return Silero(_weights())


@lru_cache(maxsize=1)
def _weights() -> SileroWeights:
    from threadpoolctl import threadpool_limits

    # By default numpy computes products on all cores, beside the model: on two busy cores
    # that took ten times the processor time. Nothing else here has large products in numpy.
    threadpool_limits(1, user_api="blas")
    return SileroWeights.load(find_weights())
