"""Blocks of any length -> the runs of chunks in which nobody speaks."""

from dataclasses import dataclass

import numpy as np

from stt.activity.base import CHUNK_SAMPLES, Detector
from stt.activity.runs import runs
from stt.types import Waveform


@dataclass(frozen=True)
class Pause:
    """Samples without speech, in whole chunks."""

    begin: int
    end: int
    is_open: bool
    """Whether it may go on: nothing behind it has been heard yet."""

    @property
    def length(self) -> int:
        """In samples."""
        return self.end - self.begin


class Pauses:
    """The pauses of one recording, as it is heard."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._rest: Waveform = np.zeros(0, np.float32)
        """Samples behind the last whole chunk."""
        self._n_chunks = 0
        self._runs: list[tuple[int, int]] = []
        """First and last + 1 of the quiet chunks."""

    def feed(self, block: Waveform) -> None:
        """Add the next ``[n]`` samples."""
        samples = np.concatenate([self._rest, block])
        whole = len(samples) // CHUNK_SAMPLES * CHUNK_SAMPLES
        self._rest = samples[whole:]
        if not whole:
            return
        is_quiet = ~self._detector.feed(samples[:whole])
        for first, last in runs(is_quiet):
            begin, end = first + self._n_chunks, last + self._n_chunks
            if self._runs and self._runs[-1][1] == begin:
                begin = self._runs.pop()[0]
            else:
                begin -= self._detector.lag_chunks
            self._runs.append((begin, end))
        self._n_chunks += len(is_quiet)

    def finish(self) -> None:
        """End the recording: what is left of it counts as a chunk."""
        if len(self._rest):
            self.feed(np.zeros(CHUNK_SAMPLES - len(self._rest), np.float32))

    @property
    def heard_samples(self) -> int:
        """How far all chunks are known."""
        return self._n_chunks * CHUNK_SAMPLES

    def after(self, sample: int) -> list[Pause]:
        """The pauses that end behind a sample, in order."""
        return [
            Pause(begin * CHUNK_SAMPLES, end * CHUNK_SAMPLES, end == self._n_chunks)
            for begin, end in self._runs
            if end * CHUNK_SAMPLES > sample
        ]

    def forget_before(self, sample: int) -> None:
        """Drop the pauses that end before a sample."""
        self._runs = [run for run in self._runs if run[1] * CHUNK_SAMPLES > sample]

    def cover(self, begin: int, end: int) -> bool:
        """Whether a pause covers all chunks that begin in this range of samples.

        Depends on the chunks up to ``end`` only, however much has been fed.
        """
        first, last = begin // CHUNK_SAMPLES, end // CHUNK_SAMPLES
        return first >= last or any(run[0] <= first and last <= run[1] for run in self._runs)
