"""Every metric of the service; ``docs/operations.md`` explains them.

Names and units follow Prometheus' conventions: seconds, and ``_total`` for counters.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi.routing import iter_route_contexts
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.routing import BaseRoute

from stt.inference.observer import Stage
from stt.models.state import LoadState, Status

REQUEST_BUCKETS = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600,
)  # fmt: skip
"""From a probe's milliseconds to the minutes that an hour of audio takes on a slow machine."""
WORK_BUCKETS = (0.001, 0.0025, 0.005, *REQUEST_BUCKETS[1:15])
SIZE_BUCKETS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128)
RTFX_BUCKETS = (0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
UNMATCHED = "unmatched"
"""Label of all paths without a route, so that clients cannot create labels."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WEBSOCKET"})


class Metrics:
    """The metrics of one application, in their own registry. An `Observer`."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        labels = ("method", "route")
        self.request_duration = Histogram(
            "stt_request_duration_seconds",
            "Time from a request's headers to the end of its response.",
            (*labels, "status"),
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )
        self.requests_in_progress = Gauge(
            "stt_requests_in_progress",
            "Open requests and WebSockets.",
            labels,
            registry=registry,
        )
        self.request_failures = Counter(
            "stt_request_failures",
            "Failed requests by error code; `cancelled`: the client disconnected.",
            ("reason",),
            registry=registry,
        )
        self.decode_duration = Histogram(
            "stt_decode_duration_seconds",
            "Time to decode and resample one recording.",
            buckets=WORK_BUCKETS,
            registry=registry,
        )
        self.queue_duration = Histogram(
            "stt_queue_duration_seconds",
            "Time that a window waited for its batch.",
            buckets=WORK_BUCKETS,
            registry=registry,
        )
        self.inference_duration = Histogram(
            "stt_inference_duration_seconds",
            "Time that a batch spent in the model.",
            buckets=WORK_BUCKETS,
            registry=registry,
        )
        self.batch_size = Histogram(
            "stt_batch_size", "Windows in a batch.", buckets=SIZE_BUCKETS, registry=registry
        )
        self.queue_size = Gauge("stt_queue_size", "Queued windows.", registry=registry)
        self.queue_audio_seconds = Gauge(
            "stt_queue_audio_seconds", "Queued seconds of audio.", registry=registry
        )
        self.windows_resent = Counter(
            "stt_windows_resent",
            "Windows resent because their engine in the cluster died.",
            registry=registry,
        )
        self.jobs = Gauge(
            "stt_jobs",
            "Jobs of all replicas that share a database, by state.",
            ("state",),
            registry=registry,
        )
        self.jobs_ended = Counter(
            "stt_jobs_ended", "Jobs that this process ended, by state.", ("state",),
            registry=registry,
        )  # fmt: skip
        self.windows_resumed = Counter(
            "stt_job_windows_resumed",
            "Windows of jobs that an earlier run had computed.",
            registry=registry,
        )
        self.audio_seconds = Counter(
            "stt_audio_seconds", "Seconds of audio transcribed.", registry=registry
        )
        self.rtfx = Histogram(
            "stt_rtfx",
            "Seconds of audio per second from complete upload to text, by recording.",
            buckets=RTFX_BUCKETS,
            registry=registry,
        )
        self.model_ready = Gauge(
            "stt_model_ready",
            "1 when the language can be used: its model is loaded and warm, or idle; else 0.",
            ("language",),
            registry=registry,
        )
        self.model_loaded = Gauge(
            "stt_model_loaded",
            "1 when the language's model is in memory, else 0.",
            ("language",),
            registry=registry,
        )
        self.model_loads = Counter(
            "stt_model_loads",
            "Times that the language's model was loaded, at the start or for a request.",
            ("language",),
            registry=registry,
        )
        self.model_unloads = Counter(
            "stt_model_unloads",
            "Times that the language's model was unloaded because nobody used it.",
            ("language",),
            registry=registry,
        )
        self.model_fallback = Gauge(
            "stt_model_fallback",
            "1 when the language is served more slowly than asked: the fast engine disagreed with "
            "fp32 on this machine, overflowed or did not fit; /health says what to do.",
            ("language",),
            registry=registry,
        )
        self.model_load_duration = Gauge(
            "stt_model_load_duration_seconds",
            "Time that the last load took until the language's model was ready, the first one from "
            "process start; 0 until then.",
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

    def count_jobs(self, counts: Mapping[str, int]) -> None:
        """Show how many jobs are active, by state."""
        for state, n in counts.items():
            self.jobs.labels(state).set(n)

    def job_ended(self, state: str) -> None:
        """Count a job."""
        self.jobs_ended.labels(state).inc()

    def count_load(self, language: str, loaded: bool) -> None:
        """Count that a language's model was loaded, or unloaded."""
        (self.model_loads if loaded else self.model_unloads).labels(language).inc()

    def export_model_gauges(self, language: str, state: Callable[[], LoadState]) -> None:
        """Export gauges of a language's model, read from ``state`` at each scrape."""
        ready = self.model_ready.labels(language)
        ready.set_function(lambda: state().status in (Status.READY, Status.IDLE))
        loaded = self.model_loaded.labels(language)
        loaded.set_function(lambda: state().status is Status.READY)
        fallback = self.model_fallback.labels(language)
        fallback.set_function(lambda: state().warning is not None)
        load_duration = self.model_load_duration.labels(language)
        load_duration.set_function(lambda: state().load_seconds)


class RouteLabels:
    """Finds the route template of a path, also for requests refused before they are routed."""

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
