"""How much audio at a time a device wants: what the settings come to where they are left open."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DeviceLimits:
    """Of one kind of device."""

    batch_seconds: float
    """Largest batch, in seconds of audio once padded."""
    windows_in_flight: int
    """Windows of one recording that are in the queue at a time."""

    @property
    def max_queue_seconds(self) -> float:
        """Seconds of audio that may wait: twenty batches."""
        return 20 * self.batch_seconds


CPU = DeviceLimits(batch_seconds=30.0, windows_in_flight=2)
"""Batching gains nothing here; a batch is what a newcomer has to wait for."""
GPU = DeviceLimits(batch_seconds=640.0, windows_in_flight=8)
"""Four of `stt.engines.torch`'s passes, each of which hides the copies of the next: less than a
tenth of a second of a large GPU. What waits is 64 kB of memory for each second of audio."""


def limits_of(device: str) -> DeviceLimits:
    """Of a device as `stt.engines.base.Engine.device` names it."""
    return CPU if device == "cpu" else GPU
