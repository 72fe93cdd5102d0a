"""What a reader notices while it reads, summed up in one report."""

from stt.notices import Code, Notice, Report

MIN_COPIED_SECONDS = 1.0
"""Shorter stretches that two channels share are not worth a warning."""


class Findings:
    """Collects warnings; each kind once, with its sum."""

    def __init__(self) -> None:
        self._notices: dict[Code, Notice] = {}
        self.unread_bytes = 0
        self.damaged_packets = 0
        self.invalid_samples = 0
        self.one_channel_seconds = 0.0
        self.track = self.n_tracks = 1
        self.n_channels = 0
        """The most channels in any recording of the file; 0 if they are mixed."""
        self._copies: dict[tuple[int, int], float] = {}

    def add(self, code: Code, message: str) -> None:
        """Add a warning; the first of a kind counts."""
        self._notices.setdefault(code, Notice(code, message))

    def add_copy(self, copy: int, original: int, seconds: float) -> None:
        """Note that a channel is the same as another; they count from 1."""
        pair = copy, original
        self._copies[pair] = self._copies.get(pair, 0.0) + seconds

    def report(self) -> Report:
        """Everything found so far."""
        if self.unread_bytes:
            self.add(
                Code.UNREAD_DATA,
                f"{self.unread_bytes} bytes of the file cannot be read as audio, so text may be "
                "missing. If they hold speech, send them as a file of their own.",
            )
        if self.damaged_packets:
            self.add(
                Code.DAMAGED,
                f"{self.damaged_packets} packets could not be decoded, so text may be missing.",
            )
        if self.invalid_samples:
            self.add(
                Code.INVALID_SAMPLES,
                f"{self.invalid_samples} samples are NaN, infinite or impossibly large; they "
                "count as silence.",
            )
        if self.one_channel_seconds:
            self.add(
                Code.OPPOSITE_CHANNELS,
                f"The channels cancel each other for {self.one_channel_seconds:.1f} s, so the "
                "louder one was used. The polarity of one of them is probably reversed.",
            )
        self._add_channels()
        return Report(
            tuple(self._notices.values()), self.track, self.n_tracks, max(1, self.n_channels)
        )

    def _add_channels(self) -> None:
        if self.n_channels == 1:
            self.add(
                Code.ONE_CHANNEL,
                "The recording has one channel, so there was nothing to split: if there are "
                "several speakers, their words are in one text.",
            )
        copies = [
            f"channel {copy} is the same as channel {original} for {seconds:.1f} s"
            for (copy, original), seconds in self._copies.items()
            if seconds >= MIN_COPIED_SECONDS
        ]
        if copies:
            self.add(
                Code.SAME_CHANNELS,
                f"The same sound was transcribed once: {', '.join(copies)}.",
            )
