"""Splits a batch into passes that fit into a GPU's memory."""

import time
from collections.abc import Callable, Iterator, Mapping

from stt.engines.fitting import Fitting
from stt.types import SAMPLE_RATE

PASS_SECONDS = 160.0
"""Padded audio in one GPU pass: its products have 8,000 rows, enough to keep a large GPU busy, and
its signals take a few hundred megabytes."""


class Passes:
    """What one forward of the model takes at a time, as far as memory allows."""

    def __init__(
        self,
        *,
        shares: bool,
        pads: bool,
        seconds: float = PASS_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            shares: Whether several waveforms share a pass.
            pads: Whether these may have different lengths.
            seconds: Padded audio in a pass, while memory suffices.
            clock: Returns seconds; replaced in tests.
        """
        self.pads = pads
        self.fitting = Fitting(seconds * SAMPLE_RATE if shares else 0.0, clock)

    def groups(self, lengths: Mapping[int, int]) -> Iterator[list[int]]:
        """The waveforms of each pass: similar lengths, longest first.

        Args:
            lengths: Samples of each waveform, by its index.
        """
        group: list[int] = []
        longest = 0
        for index in sorted(lengths, key=lambda index: -lengths[index]):
            length = lengths[index]
            full = longest * (len(group) + 1) > self.fitting.most
            if group and (full or not (self.pads or length == longest)):
                yield group
                group = []
            if not group:
                longest = length
            group.append(index)
        if group:
            yield group
