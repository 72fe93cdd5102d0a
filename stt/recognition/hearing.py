"""A recording while it is read: its windows, and what is noticed about it."""

from collections.abc import Callable, Generator
from dataclasses import replace

import numpy as np

from stt.audio.level import SPEECH_DBFS, Levels
from stt.audio.reading import Blocks
from stt.notices import Code, Notice, Report
from stt.recognition.channels import ChannelCutters
from stt.recognition.chunking import Window
from stt.types import SAMPLE_RATE, Waveform

SPEECH_SHARE = 0.02
"""A recording of which less is loud is all but silent."""


class Hearing:
    """One recording while it is read: its windows, and what is noticed about it."""

    def __init__(
        self,
        blocks: Blocks,
        cutters: ChannelCutters,
        notices: tuple[Notice, ...] = (),
        listen: Callable[[Waveform], None] | None = None,
    ) -> None:
        self.blocks = blocks
        self._listen = listen
        self.cutters = cutters
        self._notices = notices
        self._levels = Levels()
        self.found_words = False

    @property
    def seconds(self) -> float:
        """Length of the audio read so far."""
        return self.cutters.n_samples / SAMPLE_RATE

    @property
    def charged_seconds(self) -> float:
        """What it counts for: its length, or what was computed of all channels if that is more."""
        return max(self.seconds, self.cutters.computed_seconds)

    @property
    def report(self) -> Report:
        """The reader's report and, without words, why there may be none."""
        report = self.blocks.report
        report = replace(report, warnings=(*report.warnings, *self._notices))
        if self.found_words:
            return report
        hint = "Check that the language is right."
        if self._levels.loud_share < SPEECH_SHARE:
            hint = "It is all but silent: check the microphone and the track."
        notice = Notice(
            Code.NO_SPEECH,
            f"No speech was recognised in {self.seconds:.1f} s. The level is "
            f"{self._levels.dbfs:.0f} dBFS, and {self._levels.loud_share:.0%} of the recording is "
            f"louder than {SPEECH_DBFS} dBFS, the level of quiet speech. {hint}",
        )
        return replace(report, warnings=(*report.warnings, notice))

    def windows(self) -> Generator[Window]:
        """Cut all windows."""
        for block in self.blocks:
            for samples in np.atleast_2d(block):
                self._levels.feed(samples)
            if self._listen:
                self._listen(block)
            yield from self.cutters.feed(block)
        yield from self.cutters.finish()
