"""Blocks of any length -> the runs of chunks in which nobody speaks."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from stt.activity.base import CHUNK_SAMPLES, Detector, Listener
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


@dataclass
class _Stretch:
    """Chunks in a row that may be a pause."""

    begin: int
    end: int
    known: int
    """The chunks before this one have been listened to."""
    listener: Listener | None = None
    quiet: list[tuple[int, int]] = field(default_factory=list)
    """First and last + 1 of the chunks known to have no speech."""


class Pauses:
    """The pauses of one recording, as it is heard.

    Stretches that may be pauses are listened to when somebody asks for pauses as long as they are.
    Until then their samples are held; `forget_before` drops them.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._rest: Waveform = np.zeros(0, np.float32)
        """Samples behind the last whole chunk."""
        self._n_chunks = 0
        self._stretches: list[_Stretch] = []
        self._held: list[Waveform] = []
        self._held_chunk = 0
        """The first chunk whose samples are held."""

    def feed(self, block: Waveform) -> None:
        """Add the next ``[n]`` samples."""
        samples = np.concatenate([self._rest, block])
        whole = len(samples) // CHUNK_SAMPLES * CHUNK_SAMPLES
        self._rest = samples[whole:]
        if not whole:
            return
        for first, last in runs(self._detector.feed(samples[:whole])):
            begin, end = first + self._n_chunks, last + self._n_chunks
            if self._stretches and self._stretches[-1].end == begin:
                self._stretches[-1].end = end
            else:
                self._stretches.append(_Stretch(begin, end, known=begin))
        self._n_chunks += whole // CHUNK_SAMPLES
        self._held.append(samples[:whole])

    def finish(self) -> None:
        """End the recording: what is left of it counts as a chunk."""
        if len(self._rest):
            self.feed(np.zeros(CHUNK_SAMPLES - len(self._rest), np.float32))

    @property
    def heard_samples(self) -> int:
        """How far all chunks are known."""
        return self._n_chunks * CHUNK_SAMPLES

    def after(self, sample: int, at_least: int = 0) -> Iterator[Pause]:
        """The pauses that end behind a sample, in order, if they are long enough, in samples."""
        for stretch in self._stretches:
            yield from self._in(stretch, sample, at_least)

    def last_after(self, sample: int, at_least: int = 0) -> Iterator[Pause]:
        """The same, the last one first."""
        for stretch in reversed(self._stretches):
            yield from reversed(list(self._in(stretch, sample, at_least)))

    def open_pause(self) -> Pause | None:
        """The pause that may go on, if there is one."""
        last = next(self.last_after(self.heard_samples - 1), None)
        return last if last and last.is_open else None

    def cover(self, begin: int, end: int) -> bool:
        """Whether a pause covers all chunks that begin in this range of samples.

        Depends on the chunks up to ``end`` only, however much has been fed.
        """
        first, last = begin // CHUNK_SAMPLES, end // CHUNK_SAMPLES
        return first >= last or any(
            quiet[0] <= first and last <= quiet[1]
            for stretch in self._stretches
            if stretch.begin <= first and last <= stretch.end
            for quiet in self._quiet(stretch)
        )

    def forget_before(self, sample: int) -> None:
        """Drop the pauses that end before a sample."""
        self._stretches = [each for each in self._stretches if each.end * CHUNK_SAMPLES > sample]
        lead = self._detector.lead_chunks
        begin = self._n_chunks - lead
        for stretch in self._stretches:
            # The last run stays, since it may go on.
            stretch.quiet[:-1] = [
                quiet for quiet in stretch.quiet[:-1] if quiet[1] * CHUNK_SAMPLES > sample
            ]
            begin = min(begin, stretch.known if stretch.listener else stretch.begin - lead)
        if begin > self._held_chunk:
            self._held = [self._samples(begin, self._n_chunks).copy()]
            self._held_chunk = begin

    def _in(self, stretch: _Stretch, sample: int, at_least: int) -> Iterator[Pause]:
        end, length = stretch.end * CHUNK_SAMPLES, (stretch.end - stretch.begin) * CHUNK_SAMPLES
        if end <= sample or length < at_least:
            return
        for first, last in self._quiet(stretch):
            pause = Pause(first * CHUNK_SAMPLES, last * CHUNK_SAMPLES, last == self._n_chunks)
            if pause.end > sample and pause.length >= at_least:
                yield pause

    def _quiet(self, stretch: _Stretch) -> list[tuple[int, int]]:
        """The runs of a stretch that are long enough for the detector."""
        least = self._detector.least_chunks
        if stretch.end - stretch.begin >= least and stretch.known < stretch.end:
            self._listen(stretch)
        return [quiet for quiet in stretch.quiet if quiet[1] - quiet[0] >= least]

    def _listen(self, stretch: _Stretch) -> None:
        begin = stretch.known
        if stretch.listener is None:
            stretch.listener = self._detector.listen()
            begin = max(0, begin - self._detector.lead_chunks)
        is_quiet = stretch.listener.feed(self._samples(begin, stretch.end))[stretch.known - begin :]
        for first, last in runs(is_quiet):
            run = first + stretch.known, last + stretch.known
            if stretch.quiet and stretch.quiet[-1][1] == run[0]:
                run = stretch.quiet.pop()[0], run[1]
            stretch.quiet.append(run)
        stretch.known = stretch.end

    def _samples(self, begin: int, end: int) -> Waveform:
        """The samples of held chunks; copies only the blocks from ``begin`` on."""
        first, blocks = self._n_chunks, [np.zeros(0, np.float32)]
        for block in reversed(self._held):
            if first <= begin:
                break
            blocks.append(block)
            first -= len(block) // CHUNK_SAMPLES
        joined = np.concatenate(blocks[::-1])
        return joined[(begin - first) * CHUNK_SAMPLES : (end - first) * CHUNK_SAMPLES]
