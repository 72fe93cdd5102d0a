"""OpenTelemetry spans, exported to memory and to a collector."""

import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, format_span_id, format_trace_id

from stt.errors import ConfigurationError
from stt.observability.logs import JsonFormatter
from stt.observability.tracing import make_provider
from stt.settings import load_settings
from tests.fakes import FakeEngine
from tests.live import wait_until
from tests.runtimes import make_app

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
EXPECTED_STAGES = {"decode", "queue", "forward"}


@contextmanager
def traced() -> Iterator[tuple[TestClient, InMemorySpanExporter]]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    app = make_app(load_settings([]), engine=FakeEngine(), tracer_provider=provider)
    with TestClient(app) as client:
        wait_until(lambda: client.get("/readyz").status_code == 200)
        yield client, exporter


def by_name(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


def test_a_request_and_its_stages_join_the_callers_trace(
    wav: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    lines: list[str] = []

    class Lines(logging.Handler):
        """Formats at once, like the real handler, since the context is gone afterwards."""

        def emit(self, record: logging.LogRecord) -> None:
            lines.append(JsonFormatter().format(record))

    handler = Lines()
    logging.getLogger("stt.server.middleware").addHandler(handler)
    with traced() as (client, exporter):
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
        answer = client.post("/transcribe", files={"file": ("a.wav", wav)}, headers=headers)
        assert answer.status_code == 200
        spans = by_name(exporter)
    logging.getLogger("stt.server.middleware").removeHandler(handler)

    request = spans["POST /transcribe"]
    assert request.kind is SpanKind.SERVER
    assert request.parent is not None
    assert format_trace_id(request.context.trace_id) == TRACE
    assert format_span_id(request.parent.span_id) == PARENT
    span_id = format_span_id(request.context.span_id)
    assert answer.headers["traceresponse"] == f"00-{TRACE}-{span_id}-01"

    assert set(spans) == {"POST /transcribe", *EXPECTED_STAGES}
    for stage in EXPECTED_STAGES:
        span = spans[stage]
        assert span.parent is not None
        assert span.parent.span_id == request.context.span_id
        assert request.start_time and request.end_time and span.start_time and span.end_time
        assert request.start_time <= span.start_time <= span.end_time <= request.end_time

    (logged,) = [json.loads(line) for line in lines if "POST /transcribe" in line]
    assert (logged["trace_id"], logged["span_id"]) == (TRACE, span_id)


def test_probes_leave_no_spans() -> None:
    with traced() as (client, exporter):
        for path in ("/livez", "/health", "/metrics"):
            assert client.get(path).status_code == 200
        assert by_name(exporter) == {}


def test_spans_contain_no_secrets(wav: bytes) -> None:
    with traced() as (client, exporter):
        headers = {"Authorization": "Bearer secret-1", "X-API-Key": "secret-2"}
        client.post("/transcribe", files={"file": ("a.wav", wav)}, headers=headers)
        assert "secret" not in "".join(span.to_json() for span in exporter.get_finished_spans())


def test_without_opentelemetry_the_answer_continues_the_trace(client: TestClient) -> None:
    answer = client.get("/livez", headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})
    assert answer.headers["traceresponse"].startswith(f"00-{TRACE}-")
    assert PARENT not in answer.headers["traceresponse"]


class Collector(HTTPServer):
    """A fake OpenTelemetry collector."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: list[tuple[str, bytes]] = []


class Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_shutdown_flushes_spans_to_the_collector(
    wav: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Collector() as collector:
        threading.Thread(target=collector.serve_forever, args=(0.01,), daemon=True).start()
        endpoint = f"http://127.0.0.1:{collector.server_port}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        settings = load_settings([])
        provider = make_provider(settings)
        assert provider is not None
        app = make_app(settings, engine=FakeEngine(), tracer_provider=provider)
        with TestClient(app) as client:
            wait_until(lambda: client.get("/readyz").status_code == 200)
            assert client.post("/transcribe", files={"file": ("a.wav", wav)}).status_code == 200
        collector.shutdown()
    assert {path for path, _ in collector.received} == {"/v1/traces"}
    body = b"".join(body for _, body in collector.received)
    assert b"stt-ctc" in body
    assert b"POST /transcribe" in body


def test_nothing_is_exported_unless_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert make_provider(load_settings([])) is None


def test_tracing_without_its_extra_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'stt-ctc\[otel\]'"):
        make_provider(load_settings(["--otel"]))
    # Other programs may set the variable.
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    assert make_provider(load_settings([])) is None
    assert "pip install 'stt-ctc[otel]'" in caplog.text
