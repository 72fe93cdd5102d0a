"""Several channels -> each by itself, at 16 kHz.

Telephone systems and studios record each speaker on a channel. Other programs write one signal to
both; such a copy is silenced, so that what was said once is written once.
"""

from collections.abc import Iterator
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stt.audio.cleaning import Cleaner
from stt.audio.ffmpeg import Block
from stt.audio.findings import Findings
from stt.audio.resampler import Resampler

Channels: TypeAlias = Literal["mix", "split"]
"""Whether the channels of a recording are mixed, or each is transcribed separately."""
COPY = 1e-4
"""A channel is a copy of another if their difference, or with reversed polarity their sum, has less
than this share of its energy: -40 dB. Codecs change the two sides of one signal by less, and nobody
hears speech so far below the other."""


class Splitter:
    """Blocks of any rate and channels -> ``[n_channels, n]`` at 16 kHz, without a seam.

    A copy of another channel is silent, block by block.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._cleaner = Cleaner(findings)
        self._resamplers: list[Resampler] = []
        self._rate = 0

    def feed(self, block: Block) -> Iterator[NDArray[np.float32]]:
        """Add a block; yields the samples that are final.

        Raises:
            InvalidAudio: as `Cleaner.feed`.
        """
        channels = self._cleaner.feed(block.samples.T)
        copies = originals_of(channels)
        for copy, original in copies.items():
            self._findings.add_copy(copy + 1, original + 1, channels.shape[1] / block.rate)
        if (block.rate, len(channels)) != (self._rate, len(self._resamplers)):
            yield from self.finish()
            self._rate = block.rate
            self._resamplers = [Resampler(block.rate) for _ in channels]
        self._findings.n_channels = max(self._findings.n_channels, len(channels))
        silence = np.zeros(channels.shape[1], np.float32)
        # One by one: all channels of the largest recording are a tenth of a reader's memory.
        resampled = np.stack(
            [
                each.feed(silence if index in copies else np.ascontiguousarray(channels[index]))
                for index, each in enumerate(self._resamplers)
            ]
        )
        if resampled.shape[1]:
            yield resampled

    def finish(self) -> Iterator[NDArray[np.float32]]:
        """Yield the rest; each channel has the length that `stt.audio.reading.Mixer` gives."""
        if self._resamplers:
            tails = np.stack([each.finish() for each in self._resamplers])
            if tails.shape[1]:
                yield tails
        self._resamplers, self._rate = [], 0


def originals_of(channels: NDArray[np.float32]) -> dict[int, int]:
    """The channels of ``[n_channels, n]`` that are copies, and the first that each is a copy of.

    Silent channels are none.
    """
    if len(channels) == 1:
        return {}
    products = (channels @ channels.T).astype(np.float64)  # exact to a millionth, enough for `COPY`
    energies = products.diagonal()
    found: dict[int, int] = {}
    for copy in range(1, len(channels)):
        for original in range(copy):
            if original in found or not energies[copy] > 0:
                continue
            # |a - b|^2, or |a + b|^2 if that is less.
            apart = energies[original] + energies[copy] - 2 * abs(products[original, copy])
            if apart <= COPY * energies[copy]:
                found[copy] = original
                break
    return found
