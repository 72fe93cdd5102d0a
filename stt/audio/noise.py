"""The signal-to-noise ratio (SNR) of a recording, estimated from its waveform alone."""

import math

import numpy as np
from numpy.typing import NDArray

from stt.types import SAMPLE_RATE, Waveform

FRAME_SAMPLES = SAMPLE_RATE // 50
QUIET_SHARE = 0.1
"""Share of a recording that is taken for pauses between words."""
SPEECH_RATIO = 4.0
"""A frame counts as speech if its power is this many times that of the background: 6 dB."""
MOST_DB = 60.0
"""Higher ratios cannot be told from digital silence."""


class NoiseMeter:
    """Estimates the signal-to-noise ratio (SNR) of one recording; feed it the blocks in order.

    The background is the power of frames of 20 ms at the 10th percentile, the signal that of all
    frames at least 6 dB above the background, less the background. Music and other voices in the
    pauses count as noise, those behind words do not show, and a recording without pauses looks
    noisier than it is.
    """

    def __init__(self) -> None:
        self._powers: list[NDArray[np.float32]] = []
        self._rest = np.empty(0, np.float32)

    def feed(self, block: Waveform) -> None:
        """Add ``[n]`` samples."""
        samples = np.concatenate([self._rest, block])
        n_frames = len(samples) // FRAME_SAMPLES
        frames = samples[: n_frames * FRAME_SAMPLES].reshape(n_frames, FRAME_SAMPLES)
        self._rest = samples[n_frames * FRAME_SAMPLES :]
        self._powers.append(np.einsum("ij,ij->i", frames, frames) / np.float32(FRAME_SAMPLES))

    @property
    def snr_db(self) -> float | None:
        """The estimate, up to `MOST_DB`; None without any sound that stands out."""
        powers = np.concatenate(self._powers) if self._powers else np.empty(0, np.float32)
        if not len(powers):
            return None
        background = float(np.quantile(powers, QUIET_SHARE))
        speech = powers[powers > SPEECH_RATIO * background]
        if not len(speech):
            return None
        signal = float(speech.mean()) - background
        return min(MOST_DB, 10 * math.log10(signal / max(background, 1e-12)))
