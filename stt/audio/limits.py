"""Limits of a recording: its length, its samples, and the silence that its timestamps ask for."""

from stt.errors import AudioTooLong, InvalidAudio

MIN_RATE, MAX_RATE = 4_000, 384_000
"""Hz. Telephones use 8 kHz, the fastest converters 384 kHz; other rates mean a broken header."""
MAX_CHANNELS = 8
MAX_SAMPLES_PER_SECOND = 2 * 96_000
"""Limit over all channels, for each second of the maximum length."""
FREE_SILENCE_SECONDS = 600.0
SILENCE_RATIO = 20.0
"""Silence that timestamps may add, and more of it for each second of sound: a packet of 20 ms that
claims to come four hours later must not cost four hours of work."""


class Cap:
    """Limits the decoded audio, in seconds and in samples over all channels.

    By seconds alone, 8 channels at 384 kHz would cost 32 times as much as stereo at 48 kHz.
    """

    def __init__(self, max_seconds: float) -> None:
        self._max_seconds = max_seconds
        self._max_samples = max_seconds * MAX_SAMPLES_PER_SECOND
        self._samples = 0
        self.heard_seconds = 0.0
        """Decoded so far."""
        self.silent_seconds = 0.0
        """Added so far, for gaps."""
        self.claimed_seconds = 0.0
        """Length by the headers read so far."""

    @property
    def seconds(self) -> float:
        """Length of the recording so far."""
        return self.heard_seconds + self.silent_seconds

    def check_header(self, rate: int, channels: int, claimed_seconds: float) -> None:
        """Check a header, before anything is decoded."""
        check_shape(rate, channels)
        self.claimed_seconds = self.seconds + claimed_seconds
        self._check(claimed_seconds, claimed_seconds * rate * channels)

    def count(self, n_samples: int, channels: int, rate: int) -> None:
        """Add ``n_samples`` of each channel, at ``rate`` Hz."""
        self.heard_seconds += n_samples / rate
        self._samples += n_samples * channels
        self._check(self.seconds, self._samples)

    def add_silence(self, seconds: float) -> bool:
        """Add a gap unless it is too long for the sound so far; returns whether it was added."""
        allowed = FREE_SILENCE_SECONDS + SILENCE_RATIO * self.heard_seconds
        if self.silent_seconds + seconds > allowed:
            return False
        self.silent_seconds += seconds
        self._check(self.seconds, self._samples)
        return True

    def _check(self, seconds: float, samples: float) -> None:
        if seconds > self._max_seconds + 1e-6:  # sums of many quotients are inexact
            raise AudioTooLong(
                f"The recording is longer than {self._max_seconds:g} s, which is the limit; send "
                "it in parts."
            )
        if samples > self._max_samples + 1:
            raise AudioTooLong(
                f"The recording has more than {self._max_samples:g} samples over all channels, "
                "which is the limit; send it in parts, in mono, or at a lower sample rate."
            )


def check_shape(rate: int, channels: int) -> None:
    """
    Raises:
        InvalidAudio: the rate or the number of channels is out of bounds.
    """
    if not MIN_RATE <= rate <= MAX_RATE:
        raise InvalidAudio(f"The sample rate is {rate} Hz; expected {MIN_RATE} to {MAX_RATE} Hz.")
    if not 1 <= channels <= MAX_CHANNELS:
        raise InvalidAudio(f"The file has {channels} channels; expected 1 to {MAX_CHANNELS}.")
