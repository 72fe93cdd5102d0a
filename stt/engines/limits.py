"""How much audio each kind of device takes at a time, where the settings leave that open."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DeviceLimits:
    """Limits of one kind of device."""

    batch_seconds: float
    """Largest batch, in seconds of audio once padded."""
    windows_in_flight: int
    """Windows of one recording in the queue at a time."""
    batches_in_flight: int
    """Batches that are launched at a time: with two, the next is ready when one ends."""

    @property
    def max_queue_seconds(self) -> float:
        """Seconds of audio that may wait: twenty batches."""
        return 20 * self.batch_seconds


CPU = DeviceLimits(batch_seconds=30.0, windows_in_flight=2, batches_in_flight=1)
"""A newcomer waits for the batch that runs, and larger batches gain nothing on a CPU."""
GPU = DeviceLimits(batch_seconds=640.0, windows_in_flight=8, batches_in_flight=2)
"""Four passes of `stt.engines.torch`, each of which hides the next one's copies: less than a tenth
of a second on a large GPU. Waiting audio takes 64 kB of memory a second."""


def limits_of(device: str) -> DeviceLimits:
    """The limits of a device named as in `stt.engines.base.Engine.device`."""
    return CPU if device == "cpu" else GPU
