"""How loud a recording is, to explain why nothing was recognised in it."""

import math

import numpy as np

from stt.types import SAMPLE_RATE, Waveform

FRAME_SAMPLES = SAMPLE_RATE // 10
SPEECH_DBFS = -50
"""Quiet speech, far from the microphone."""
FLOOR_DBFS = -120.0
"""Of digital silence."""


class Levels:
    """Measures blocks as they pass."""

    def __init__(self) -> None:
        self._energy = 0.0
        self._n_samples = self._n_frames = self._n_loud = 0

    def feed(self, block: Waveform) -> None:
        """Add ``[n]`` samples; the rest of a block behind its frames counts for the level only."""
        self._energy += float(np.dot(block, block))
        self._n_samples += len(block)
        frames = block[: len(block) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
        powers = np.einsum("ij,ij->i", frames, frames) / FRAME_SAMPLES
        self._n_frames += len(frames)
        self._n_loud += int((powers > 10 ** (SPEECH_DBFS / 10)).sum())

    @property
    def dbfs(self) -> float:
        """Root mean square of all samples, relative to full scale."""
        power = self._energy / max(1, self._n_samples)
        return max(FLOOR_DBFS, 10 * math.log10(max(power, 1e-12)))

    @property
    def loud_share(self) -> float:
        """Share of the recording above `SPEECH_DBFS`, 0 to 1."""
        return self._n_loud / max(1, self._n_frames)
