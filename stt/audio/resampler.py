"""Samples of any rate -> 16 kHz, block by block."""

from fractions import Fraction

import numpy as np

from stt.types import SAMPLE_RATE, Waveform

RESAMPLE_QUALITY = "HQ"
"""The quality of ``librosa.load``, so that both give the same samples."""


class Resampler:
    """Resamples blocks to 16 kHz; the result does not depend on how they are cut.

    The total length is ``ceil(n * 16000 / rate)``, as librosa's. At rates that divide badly, soxr
    delays up to 0.2 s until more samples arrive.
    """

    def __init__(self, rate: float) -> None:
        """
        Args:
            rate: Input rate in Hz; at `SAMPLE_RATE` blocks pass unchanged.
        """
        self._ratio = SAMPLE_RATE / Fraction(rate)
        self._n_in = self._n_out = 0
        self._stream = None
        if rate != SAMPLE_RATE:
            import soxr

            self._stream = soxr.ResampleStream(
                rate, SAMPLE_RATE, 1, dtype="float32", quality=RESAMPLE_QUALITY
            )

    def feed(self, block: Waveform) -> Waveform:
        """Add ``[n]`` float32 at the input rate; return the samples that are final, maybe none."""
        if self._stream is None:
            return block
        self._n_in += len(block)
        resampled: Waveform = self._stream.resample_chunk(block)
        self._n_out += len(resampled)
        return resampled

    def finish(self) -> Waveform:
        """End the input and return the remaining samples."""
        if self._stream is None:
            return np.zeros(0, np.float32)
        tail = self._stream.resample_chunk(np.zeros(0, np.float32), last=True)
        missing = max(0, -(-self._n_in * self._ratio // 1) - self._n_out)
        tail = tail[: int(missing)]
        return np.pad(tail, (0, int(missing) - len(tail)))
