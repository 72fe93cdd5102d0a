"""Several channels -> one."""

import numpy as np
from numpy.typing import NDArray

from stt.audio.cleaning import Cleaner
from stt.audio.findings import Findings
from stt.types import Waveform

CANCELS, AGREES = 0.1, 0.4
"""The mean of n channels, of which only one sounds, has 1/n^2 of its energy. With less than
`CANCELS` of that they cancel; they do so until there is more than `AGREES`."""
AS_LOUD = 0.8
"""Energy ratio from which on the first channel counts as the loudest."""
LOUDER = 4.0
"""Energy ratio from which on another channel is taken."""
MIN_SECONDS = 0.1
"""Shorter blocks decide nothing."""
INAUDIBLE = 1e-8
"""Mean square below which a block decides nothing: -80 dBFS."""
FADE_SECONDS = 0.01
LAG_SECONDS = 0.0005
"""Differences over this time have no offset and little hum, which channels share while their speech
cancels."""


class Downmix:
    """Mixes blocks to mono: the mean, or the louder channel while the channels cancel.

    FFmpeg's downmix is up to 1.4 times as loud as the mean, and librosa's is the mean.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._cleaner = Cleaner(findings)
        self._channel: int | None = None
        """The channel in use; None: the mean."""
        self._started = False

    def feed(self, channels: NDArray[np.float32], rate: int) -> Waveform:
        """``[n_channels, n]`` -> ``[n]``.

        Raises:
            InvalidAudio: as `Cleaner.feed`.
        """
        channels = self._cleaner.feed(channels)
        if len(channels) == 1:
            self._channel, self._started = None, True
            only: Waveform = channels[0]
            return only
        mean = _mean(channels)
        before, self._channel = self._channel, self._choose(channels, mean, rate)
        mixed = mean if self._channel is None else channels[self._channel]
        if self._started and before != self._channel and (before or 0) < len(channels):
            fade = min(len(mean), round(FADE_SECONDS * rate))
            ramp = np.linspace(0, 1, fade, dtype=np.float32)
            old = (mean if before is None else channels[before])[:fade]
            mixed = mixed.copy()
            mixed[:fade] = old + ramp * (mixed[:fade] - old)
        self._started = True
        if self._channel is not None:
            self._findings.one_channel_seconds += channels.shape[1] / rate
        return mixed

    def _choose(self, channels: NDArray[np.float32], mean: Waveform, rate: int) -> int | None:
        n_channels, n_samples = channels.shape
        current = self._channel if (self._channel or 0) < n_channels else None
        if n_samples < MIN_SECONDS * rate:
            return current
        lag = round(LAG_SECONDS * rate)
        channels, mean = channels[:, lag:] - channels[:, :-lag], mean[lag:] - mean[:-lag]
        energies = np.array([np.dot(each, each) for each in channels]) / n_samples
        loudest = int((energies >= AS_LOUD * energies.max()).argmax())
        if energies[loudest] < INAUDIBLE:
            return current
        ratio = np.dot(mean, mean) / n_samples / energies[loudest] * n_channels**2
        if ratio > (CANCELS if current is None else AGREES):
            return None
        if current is not None and energies[loudest] < LOUDER * energies[current]:
            return current
        return loudest


def _mean(channels: NDArray[np.float32]) -> Waveform:
    import librosa

    mixed: Waveform = librosa.to_mono(channels)
    return mixed
