"""Every metric of the service, on one page; ``docs/operations.md`` says what they mean.

Names and units are Prometheus' conventions: seconds, and ``_total`` for what only grows.
"""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi.routing import iter_route_contexts
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.routing import BaseRoute

from stt.inference.observer import Stage
from stt.models.state import LoadState, Status

REQUEST_BUCKETS = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600,
)  # fmt: skip
"""A probe takes milliseconds, an hour of audio on a slow machine minutes."""
WORK_BUCKETS = (0.001, 0.0025, 0.005, *REQUEST_BUCKETS[1:15])
SIZE_BUCKETS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128)
RTFX_BUCKETS = (0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
UNMATCHED = "unmatched"
"""Label of all paths that no route has: what clients make up is no label."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WEBSOCKET"})


class Metrics:
    """The metrics of one application, in a registry of its own. An `Observer`."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        labels = ("method", "route")
        self.request_duration = Histogram(
            "stt_request_duration_seconds",
            "From the head of a request to the end of its answer.",
            (*labels, "status"),
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )
        self.requests_in_progress = Gauge(
            "stt_requests_in_progress",
            "Requests and WebSockets that are not done.",
            labels,
            registry=registry,
        )
        self.request_failures = Counter(
            "stt_request_failures",
            "Requests that were not answered with what they asked for, by the code of the problem; "
            "`cancelled`: the client had gone.",
            ("reason",),
            registry=registry,
        )
        self.decode_duration = Histogram(
            "stt_decode_duration_seconds",
            "Time spent on decoding and resampling one recording.",
            buckets=WORK_BUCKETS,
            registry=registry,
        )
        self.queue_duration = Histogram(
            "stt_queue_duration_seconds",
            "Time that one window waited for its batch.",
            buckets=WORK_BUCKETS,
            registry=registry,
        )
        self.inference_duration = Histogram(
            "stt_inference_duration_seconds",
            "Time that one batch was in the model.",
            buckets=WORK_BUCKETS,
            registry=registry,
        )
        self.batch_size = Histogram(
            "stt_batch_size", "Windows in a batch.", buckets=SIZE_BUCKETS, registry=registry
        )
        self.queue_size = Gauge("stt_queue_size", "Windows that wait.", registry=registry)
        self.queue_audio_seconds = Gauge(
            "stt_queue_audio_seconds", "Seconds of audio that wait.", registry=registry
        )
        self.windows_resent = Counter(
            "stt_windows_resent",
            "Windows sent again, as the engine of the cluster that had them ended.",
            registry=registry,
        )
        self.audio_seconds = Counter(
            "stt_audio_seconds", "Seconds of audio that were transcribed.", registry=registry
        )
        self.rtfx = Histogram(
            "stt_rtfx",
            "Seconds of audio for each second from the whole upload to the text, by recording.",
            buckets=RTFX_BUCKETS,
            registry=registry,
        )
        self.model_ready = Gauge(
            "stt_model_ready",
            "1 when the language's model is loaded and warm, else 0.",
            ("language",),
            registry=registry,
        )
        self.model_fallback = Gauge(
            "stt_model_fallback",
            "1 when a slower engine serves the language, since the faster one computed something "
            "else than fp32 on this machine; /health says what to do.",
            ("language",),
            registry=registry,
        )
        self.model_load_duration = Gauge(
            "stt_model_load_duration_seconds",
            "From the start to the moment when the language's model was ready; 0 until then.",
            ("language",),
            registry=registry,
        )

    def stage(self, stage: Stage, started: float, ended: float, busy_seconds: float) -> None:
        """See `Observer`."""
        if stage is Stage.DECODE:
            self.decode_duration.observe(busy_seconds)
        elif stage is Stage.QUEUE:
            self.queue_duration.observe(busy_seconds)

    def batch(self, n_windows: int, seconds: float) -> None:
        """See `Observer`."""
        self.batch_size.observe(n_windows)
        self.inference_duration.observe(seconds)

    def transcribed(self, audio_seconds: float, wall_seconds: float) -> None:
        """See `Observer`."""
        self.audio_seconds.inc(audio_seconds)
        self.rtfx.observe(audio_seconds / max(1e-6, wall_seconds))

    def export_model_gauges(self, language: str, state: Callable[[], LoadState]) -> None:
        """Look its state up whenever somebody wants to know."""
        ready = self.model_ready.labels(language)
        ready.set_function(lambda: state().status is Status.READY)
        fallback = self.model_fallback.labels(language)
        fallback.set_function(lambda: state().warning is not None)
        load_duration = self.model_load_duration.labels(language)
        load_duration.set_function(lambda: state().load_seconds)


class RouteLabels:
    """Finds the template of the route that a path belongs to, also where it is not routed.

    A request that is refused before it gets to its route still counts for it.
    """

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._patterns: list[tuple[Any, str]] = [
            (context.path_regex, context.path_format or "")
            for context in iter_route_contexts(routes)
        ]

    def find(self, path: str) -> str:
        """The template, or `UNMATCHED`."""
        for pattern, template in self._patterns:
            if pattern.match(path):
                return template
        return UNMATCHED
