"""How much audio each kind of device takes at a time, where the settings leave that open."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DeviceLimits:
    """Limits of one kind of device."""

    batch_seconds: float
    """Largest batch, in seconds of audio once padded."""
    windows_in_flight: int
    """Windows of one recording in the queue at a time."""
    windows_ahead: int
    """Windows of one recording that are read before there is room in the queue."""
    batches_in_flight: int
    """Batches that are launched at a time: with two, the next is ready when one ends."""
    max_queue_seconds: float
    """Seconds of audio that may wait."""


CPU = DeviceLimits(
    batch_seconds=30.0, windows_in_flight=2, windows_ahead=1, batches_in_flight=1,
    max_queue_seconds=600.0,
)  # fmt: skip
"""A newcomer waits for the batch that runs, and larger batches gain nothing on a CPU."""
GPU = DeviceLimits(
    batch_seconds=160.0, windows_in_flight=8, windows_ahead=4, batches_in_flight=2,
    max_queue_seconds=12_800.0,
)  # fmt: skip
"""A batch has one pass of `stt.engines.passes`. Larger ones gain nothing while a second is in
flight, and clients that all wait for the same batch would leave the device idle when it ends.
Waiting audio takes 64 kB of memory a second."""


def limits_of(device: str) -> DeviceLimits:
    """The limits of a device named as in `stt.engines.base.Engine.device`."""
    return CPU if device == "cpu" else GPU
