"""Blocks of a recording -> the windows of each of its channels."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stt.errors import AudioTooLong
from stt.recognition.chunking import Window, WindowCutter
from stt.types import SAMPLE_RATE, FrameGrid

MIXED = 0
"""The number of a recording whose channels are mixed; those kept apart count from 1."""


class ChannelCutters:
    """Cuts each channel separately, so that a channel costs only what is said on it.

    A channel begins with the block of its first sample that is not zero: a copy of another channel,
    or one that nobody is on, costs nothing.
    """

    def __init__(
        self, open_cutter: Callable[[], WindowCutter], grid: FrameGrid, max_seconds: float
    ) -> None:
        """
        Args:
            open_cutter: Makes the cutter of a channel.
            grid: That of its windows.
            max_seconds: The most that may be computed of all channels together.
        """
        self._open_cutter, self._grid = open_cutter, grid
        self._cutters: dict[int, WindowCutter] = {}
        self.begins: dict[int, int] = {}
        """The sample of the recording at which each channel begins, by its number."""
        self._max_samples = max_seconds * SAMPLE_RATE
        self._computed_samples = 0
        self.n_samples = 0
        """Samples fed so far, of one channel."""

    @property
    def computed_seconds(self) -> float:
        """Length of the windows cut so far, over all channels; overlaps count once."""
        return self._computed_samples / SAMPLE_RATE

    def feed(self, block: NDArray[np.float32]) -> Iterator[Window]:
        """Add ``[n]`` samples of a recording that is mixed, or ``[n_channels, n]``.

        Raises:
            AudioTooLong: more has to be computed than ``max_seconds``.
        """
        if block.ndim == 1:
            yield from self._feed(MIXED, block)
        else:
            # Of recordings joined in one file, one may have fewer channels than another.
            silence = np.zeros(block.shape[1], np.float32)
            for index in range(max(len(block), *self._cutters, 0)):
                samples = block[index] if index < len(block) else silence
                if index + 1 in self._cutters or samples.any():
                    yield from self._feed(index + 1, samples)
        self.n_samples += block.shape[-1]

    def finish(self) -> Iterator[Window]:
        """End the input; errors are those of `feed`."""
        for number, cutter in sorted(self._cutters.items()):
            yield from self._noted(number, cutter.finish())

    def _feed(self, number: int, samples: NDArray[np.float32]) -> Iterator[Window]:
        if number not in self._cutters:
            self._cutters[number] = self._open_cutter()
            self.begins[number] = self.n_samples
        yield from self._noted(number, self._cutters[number].feed(samples))

    def _noted(self, number: int, windows: list[Window]) -> Iterator[Window]:
        for window in windows:
            n_frames = window.core.stop - window.core.start
            self._computed_samples += n_frames * self._grid.stride_samples
            if self._computed_samples > self._max_samples + SAMPLE_RATE:  # the last frame's rest
                raise AudioTooLong(
                    f"The channels have more than {self._max_samples / SAMPLE_RATE:g} s to "
                    "transcribe together, which is the limit; send the recording in parts, or mix "
                    "the channels."
                )
            yield replace(window, channel=number)
