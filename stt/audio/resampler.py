"""Samples of any rate -> 16 kHz, a block at a time, as they come."""

from fractions import Fraction

import numpy as np

from stt.types import SAMPLE_RATE, Waveform

RESAMPLE_QUALITY = "HQ"
"""What ``librosa.load`` takes too, so that both give the same samples."""


class Resampler:
    """Brings blocks to 16 kHz; how they are cut does not show in the samples that come out.

    Together they are ``ceil(n * 16000 / rate)``, as librosa's are. At rates that divide badly soxr
    keeps up to 0.2 s back until more comes.
    """

    def __init__(self, rate: float) -> None:
        """
        Args:
            rate: Of what is fed, in Hz; at `SAMPLE_RATE` blocks pass as they are.
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
        """Take ``[n]`` float32 at the rate; return what is certain by now, maybe nothing."""
        if self._stream is None:
            return block
        self._n_in += len(block)
        resampled: Waveform = self._stream.resample_chunk(block)
        self._n_out += len(resampled)
        return resampled

    def finish(self) -> Waveform:
        """No more blocks: return the rest."""
        if self._stream is None:
            return np.zeros(0, np.float32)
        tail = self._stream.resample_chunk(np.zeros(0, np.float32), last=True)
        missing = max(0, -(-self._n_in * self._ratio // 1) - self._n_out)
        tail = tail[: int(missing)]
        return np.pad(tail, (0, int(missing) - len(tail)))
