"""What a reader notices while it reads, summed up in one report."""

from stt.notices import Code, Notice, Report


class Findings:
    """Collects warnings; each kind once, with its sum."""

    def __init__(self) -> None:
        self._notices: dict[Code, Notice] = {}
        self.unread_bytes = 0
        self.damaged_packets = 0
        self.invalid_samples = 0
        self.one_channel_seconds = 0.0
        self.track = self.n_tracks = 1

    def add(self, code: Code, message: str) -> None:
        """Add a warning; the first of a kind counts."""
        self._notices.setdefault(code, Notice(code, message))

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
        return Report(tuple(self._notices.values()), self.track, self.n_tracks)
