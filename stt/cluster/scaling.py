"""Scales engine replicas by the seconds of audio in their queues."""

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ray.serve.config import AutoscalingContext

QUEUED_SECONDS = "queued_audio_seconds"
"""Name of the figure that an engine replica reports to Ray's autoscaler."""
SCALE_DOWN_SHARE = 0.25
"""Scale down when the queue is below this share of the target."""


def wanted_engines(queued_seconds: float, n_engines: int, target_seconds: float) -> int:
    """Enough replicas to queue at most the target each; one fewer when the queue is nearly empty.

    Args:
        queued_seconds: Audio in all queues.
        n_engines: Current number of replicas.
        target_seconds: Audio that may wait in each.
    """
    wanted = math.ceil(queued_seconds / target_seconds)
    if wanted < n_engines and queued_seconds > SCALE_DOWN_SHARE * target_seconds * n_engines:
        return n_engines
    return max(wanted, n_engines - 1)


class QueuePolicy:
    """Called by Ray, which applies its own bounds and delays to the result."""

    def __init__(self, target_seconds: float) -> None:
        self._target_seconds = target_seconds

    def __call__(self, context: "AutoscalingContext") -> tuple[int, dict[str, Any]]:
        """See `wanted_engines`."""
        queued = (context.aggregated_metrics or {}).get(QUEUED_SECONDS, {})
        n_engines = max(1, context.current_num_replicas)
        return wanted_engines(sum(queued.values()), n_engines, self._target_seconds), {}
