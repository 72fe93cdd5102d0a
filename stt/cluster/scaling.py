"""How many engine replicas there should be, by the seconds of audio that wait."""

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ray.serve.config import AutoscalingContext

QUEUED = "queued_audio_seconds"
"""What an engine replica reports to Ray's autoscaler."""
ALMOST = 0.25
"""Below this share of the target one engine fewer would do."""


def wanted_engines(queued_seconds: float, n_engines: int, target_seconds: float) -> int:
    """Replicas among which what waits is the target or less; one fewer where little waits.

    Args:
        queued_seconds: Audio that waits in all of them.
        n_engines: As many as there are now.
        target_seconds: Audio that may wait in each.
    """
    wanted = math.ceil(queued_seconds / target_seconds)
    if wanted < n_engines and queued_seconds > ALMOST * target_seconds * n_engines:
        return n_engines  # more than a little waits: what is there is needed
    return max(wanted, n_engines - 1)


class QueuePolicy:
    """Ray's seam; its own bounds and delays are applied to what this returns."""

    def __init__(self, target_seconds: float) -> None:
        self._target_seconds = target_seconds

    def __call__(self, context: "AutoscalingContext") -> tuple[int, dict[str, Any]]:
        """See `wanted_engines`."""
        queued = (context.aggregated_metrics or {}).get(QUEUED, {})
        n_engines = max(1, context.current_num_replicas)
        return wanted_engines(sum(queued.values()), n_engines, self._target_seconds), {}
