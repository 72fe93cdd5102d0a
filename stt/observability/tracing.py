"""Traces: every request joins its caller's, and OpenTelemetry exports spans when it is asked to.

FastAPI makes the span of a request. This module makes the provider that exports spans and the
spans of the stages. Without the extra ``otel`` and a setting only trace ids are passed on:
https://www.w3.org/TR/trace-context/ (the request's ``traceparent``) and
https://w3c.github.io/trace-context/#traceresponse-header.
"""

import asyncio
import logging
import os
import secrets
import time
from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.trace import SpanContext, TraceFlags, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from stt import __version__
from stt.errors import ConfigurationError
from stt.inference.observer import Observer, Stage
from stt.settings import Settings

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 2.0
"""Longest wait for the collector at shutdown."""


def make_provider(settings: Settings) -> TracerProvider | None:
    """Create what exports spans if ``STT_OTEL`` or ``OTEL_EXPORTER_OTLP_ENDPOINT`` asks for it.

    Raises:
        ConfigurationError: ``STT_OTEL`` is set, but the extra ``otel`` is not installed.
    """
    if not (settings.otel or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        missing = "OpenTelemetry's SDK is not installed. Install it: pip install 'stt-ctc[otel]'."
        if settings.otel:
            raise ConfigurationError(f"STT_OTEL is set, but {missing}") from None
        logger.warning("OTEL_EXPORTER_OTLP_ENDPOINT is set, but %s", missing)
        return None
    named = Resource({"service.name": "stt-ctc", "service.version": __version__})
    resource = Resource.create().merge(named).merge(OTELResourceDetector().detect())
    provider = SdkTracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


async def flush(provider: TracerProvider) -> None:
    """Export the remaining spans, within `FLUSH_SECONDS`."""
    force_flush = getattr(provider, "force_flush", None)
    if force_flush is not None:
        await asyncio.to_thread(force_flush, int(1000 * FLUSH_SECONDS))


def trace_of_request(traceparents: Sequence[str]) -> SpanContext:
    """The recorded trace, else the caller's with a new span id, else a new trace.

    Args:
        traceparents: Values of the request's ``traceparent`` headers. Several contradict each
            other, so they are ignored, like one that is malformed.
    """
    recorded = trace.get_current_span().get_span_context()
    if recorded.is_valid:
        return recorded
    carrier = {"traceparent": list(traceparents)} if len(traceparents) == 1 else {}
    context = TraceContextTextMapPropagator().extract(carrier)
    caller = trace.get_current_span(context).get_span_context()
    return SpanContext(
        caller.trace_id or secrets.randbits(128),
        secrets.randbits(64),
        is_remote=False,
        trace_flags=caller.trace_flags,
    )


def log_fields(context: SpanContext) -> dict[str, str]:
    """The ids in hexadecimal, 32 and 16 digits."""
    return {
        "trace_id": trace.format_trace_id(context.trace_id),
        "span_id": trace.format_span_id(context.span_id),
    }


def traceresponse(context: SpanContext) -> str:
    """The response header of this name."""
    flags = context.trace_flags & TraceFlags.SAMPLED
    return "00-{trace_id}-{span_id}-{flags:02x}".format(**log_fields(context), flags=flags)


class SpanObserver:
    """An `Observer` that records each stage as a child span and forwards to another observer."""

    def __init__(self, provider: TracerProvider, observer: Observer) -> None:
        self._tracer = provider.get_tracer("stt", __version__)
        self._observer = observer

    def stage(self, stage: Stage, started: float, ended: float, busy_seconds: float) -> None:
        """See `Observer`."""
        self._observer.stage(stage, started, ended, busy_seconds)
        if trace.get_current_span().is_recording():
            now, now_ns = time.perf_counter(), time.time_ns()
            span = self._tracer.start_span(stage, start_time=now_ns - int(1e9 * (now - started)))
            span.set_attribute("stt.busy_seconds", busy_seconds)
            span.end(now_ns - int(1e9 * (now - ended)))

    def batch(self, n_windows: int, seconds: float) -> None:
        """See `Observer`."""
        self._observer.batch(n_windows, seconds)

    def transcribed(self, audio_seconds: float, wall_seconds: float) -> None:
        """See `Observer`."""
        self._observer.transcribed(audio_seconds, wall_seconds)
