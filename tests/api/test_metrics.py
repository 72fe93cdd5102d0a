import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from fastapi.testclient import TestClient
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from stt.observability.metrics import Metrics
from tests.api.conftest import Serve
from tests.audio_files import tones, with_libsndfile
from tests.deployment import OPERATIONS
from tests.fakes import FakeEngine
from tests.live import BlockedEngine, live, wait_until
from tests.runtimes import n_warmings


class Scrape:
    """The samples that a Prometheus server reads."""

    def __init__(self, client: TestClient) -> None:
        answer = client.get("/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")
        self.families: dict[str, Metric] = {
            family.name: family for family in text_string_to_metric_families(answer.text)
        }

    def value(self, name: str, **labels: str) -> float:
        """A sample's value, or 0 if it does not exist yet."""
        for family in self.families.values():
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return float(sample.value)
        return 0.0


def names(metrics: Metrics) -> set[str]:
    """Metric names as in queries: counters end in `_total`."""
    return {
        family.name + ("_total" if family.type == "counter" else "")
        for family in metrics.registry.collect()
        if family.name.startswith("stt_")
    }


def test_a_recording_updates_the_metrics(serve: Serve) -> None:
    clip = with_libsndfile(tones(50, 16000), 16000, "FLAC")
    with serve(engine=FakeEngine()) as client:
        wait_until(lambda: Scrape(client).value("stt_batch_size_sum") == n_warmings())
        before = Scrape(client)
        assert before.value("stt_audio_seconds_total") == 0, "the warm-up clip must not count"
        assert client.post("/transcribe", files={"file": ("a.flac", clip)}).status_code == 200
        # In a cluster, engines report batches once a second.
        wait_until(lambda: Scrape(client).value("stt_batch_size_sum") == n_warmings() + 3)
        after = Scrape(client)
    labels = {"method": "POST", "route": "/transcribe", "status": "200"}
    assert after.value("stt_request_duration_seconds_count", **labels) == 1
    assert after.value("stt_request_duration_seconds_sum", **labels) > 0
    assert after.value("stt_audio_seconds_total") == 50
    assert after.value("stt_decode_duration_seconds_count") == 1
    assert 0 < after.value("stt_decode_duration_seconds_sum") < 60
    assert after.value("stt_rtfx_count") == 1

    def more(name: str) -> float:
        return after.value(name) - before.value(name)

    # Three windows of 20 s with 2 s of context on each side, at most 30 s per batch.
    assert more("stt_queue_duration_seconds_count") == more("stt_batch_size_sum") == 3
    assert more("stt_batch_size_count") == more("stt_inference_duration_seconds_count") == 3
    assert after.value("stt_queue_size") == after.value("stt_queue_audio_seconds") == 0
    assert after.value("stt_model_ready", language="KR") == 1
    assert after.value("stt_model_load_duration_seconds", language="KR") > 0


def test_failures_are_counted_by_their_code(serve: Serve, wav: bytes) -> None:
    def failures(client: TestClient) -> dict[str, float]:
        family = Scrape(client).families["stt_request_failures"]
        return {
            sample.labels["reason"]: sample.value
            for sample in family.samples
            if sample.name.endswith("_total")
        }

    with serve("--max-upload-mb", "0.5", engine=FakeEngine()) as client:
        assert client.post("/transcribe", files={"file": ("a.wav", b"hello" * 99)}).status_code
        assert client.post("/transcribe", files={"file": ("a.wav", wav)}, data={"lang": "xx"})
        assert client.post("/transcribe", files={"file": ("a.wav", bytes(600_000))})
        assert client.post("/transcribe")
        assert client.get("/nothing")
        assert client.post("/transcribe", files={"file": ("a.wav", wav)}).status_code == 200
        assert failures(client) == {
            "unsupported_format": 1,
            "unsupported_language": 1,
            "upload_too_large": 1,
            "invalid_parameter": 1,
            "not_found": 1,
        }


def test_refusals_count_under_their_route_and_unknown_paths_are_no_labels(
    serve: Serve,
) -> None:
    with serve("--api-keys", "key", "--metrics-open", engine=FakeEngine()) as client:
        client.post("/transcribe")
        client.get("/transcribe")
        client.get("/static/app.js")
        for n in range(5):
            client.get(f"/nothing/{n}")
            client.request(f"MADEUP{n}", "/livez")
        scrape = Scrape(client)
    samples = scrape.families["stt_request_duration_seconds"].samples
    seen = {
        (sample.labels["method"], sample.labels["route"], sample.labels["status"])
        for sample in samples
        if sample.name.endswith("_count")
    }
    assert seen >= {
        ("POST", "/transcribe", "401"),
        ("GET", "/transcribe", "401"),
        ("GET", "/static/{path}", "200"),
        ("GET", "unmatched", "401"),
        ("unmatched", "/livez", "401"),
    }
    assert not {route for _, route, _ in seen if "nothing" in route}
    assert not {method for method, _, _ in seen if "MADEUP" in method}


def test_requests_in_progress_and_cancelled_ones() -> None:
    engine = BlockedEngine()
    labels = {"method": "POST", "route": "/transcribe"}
    clip = with_libsndfile(tones(1, 16000), 16000, "WAV")

    def scrape(url: str) -> dict[str, float]:
        families = text_string_to_metric_families(requests.get(url + "/metrics", timeout=30).text)
        return {
            sample.name: sample.value
            for family in families
            for sample in family.samples
            if sample.labels in ({}, labels, {"reason": "cancelled"})
        }

    with live(engine=engine) as running, ThreadPoolExecutor() as pool:
        engine.hold()
        answer = pool.submit(running.post, clip)
        assert engine.running.wait(30)
        waiting = pool.submit(running.post, clip)
        wait_until(lambda: scrape(running.url)["stt_queue_size"] == 1)
        assert scrape(running.url)["stt_queue_audio_seconds"] == 1
        assert scrape(running.url)["stt_requests_in_progress"] == 2
        with pytest.raises(requests.Timeout):
            requests.post(running.url + "/transcribe", files={"file": clip}, timeout=(30, 1))
        wait_until(lambda: scrape(running.url).get("stt_request_failures_total") == 1)
        engine.release()
        assert answer.result().status_code == waiting.result().status_code == 200
        wait_until(lambda: scrape(running.url)["stt_requests_in_progress"] == 0)


def test_openmetrics_is_supported(client: TestClient) -> None:
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    answer = client.get("/metrics", headers=accept)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert "stt_rtfx" in {family.name for family in parse_openmetrics(answer.text)}


def test_a_key_is_needed_unless_metrics_are_open(serve: Serve) -> None:
    flags = ("--api-keys", "key")
    with serve(*flags, engine=FakeEngine()) as client:
        assert client.get("/metrics").status_code == 401
        assert client.get("/metrics", headers={"X-API-Key": "key"}).status_code == 200
    with serve(*flags, "--metrics-open", engine=FakeEngine()) as client:
        assert client.get("/metrics").status_code == 200


def test_two_applications_do_not_share_metrics() -> None:
    one, other = Metrics(), Metrics()
    one.transcribed(10, 1)
    assert one.registry.get_sample_value("stt_audio_seconds_total") == 10
    assert other.registry.get_sample_value("stt_audio_seconds_total") == 0


def test_the_table_of_metrics_is_complete() -> None:
    table = re.findall(r"^\| `(stt_\w+)` \|(.*?)\|", OPERATIONS, re.MULTILINE)
    assert {name for name, _ in table} == names(Metrics())
    labels = {
        metric.describe()[0].name: set(metric._labelnames)
        for metric in vars(Metrics()).values()
        if hasattr(metric, "describe")
    }
    for name, cell in table:
        assert set(re.findall(r"`(\w+)`", cell)) == labels[name.removesuffix("_total")], name


def test_every_specified_metric_exists() -> None:
    assert names(Metrics()) >= {
        "stt_request_duration_seconds",
        "stt_queue_duration_seconds",
        "stt_inference_duration_seconds",
        "stt_decode_duration_seconds",
        "stt_batch_size",
        "stt_queue_size",
        "stt_audio_seconds_total",
        "stt_rtfx",
        "stt_requests_in_progress",
        "stt_request_failures_total",
    }
