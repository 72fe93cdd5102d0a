"""Samples that no recorder writes -> silence."""

import numpy as np
from numpy.typing import NDArray

from stt.audio.findings import Findings
from stt.errors import InvalidAudio

MAX_AMPLITUDE = 2.0**31
"""Full scale is 1, but some programs write floats on the scale of 32-bit integers. Far larger
samples would overflow in the sums of downmix, resampler and model."""
CLICKS = 100
CLICKS_SHARE = 0.01
"""So many samples, and this share of all, may be invalid: those are clicks of a broken plugin."""


class Cleaner:
    """Silences invalid samples, and counts them."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._n_samples = 0

    def feed(self, channels: NDArray[np.float32]) -> NDArray[np.float32]:
        """``[n_channels, n]`` -> the same, finite and within `MAX_AMPLITUDE`.

        Raises:
            InvalidAudio: too many samples are not.
        """
        self._n_samples += channels.size
        if np.abs(channels).max(initial=0) <= MAX_AMPLITUDE:  # false for NaN
            return channels
        valid = np.abs(channels) <= MAX_AMPLITUDE
        self._findings.invalid_samples += int(channels.size - valid.sum())
        if self._findings.invalid_samples > CLICKS + CLICKS_SHARE * self._n_samples:
            raise InvalidAudio(
                "The samples contain many NaN or infinite values, or impossibly large ones."
            )
        return np.where(valid, channels, np.float32(0))
