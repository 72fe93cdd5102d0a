import asyncio
import io
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import soundfile

from benchmarks.load import FORMATS, Prober, Run, make_upload, run_load
from benchmarks.service import difference, our_settings, parse, service_table


class Service(BaseHTTPRequestHandler):
    """Returns empty texts, slow probes, and 429 for every third upload."""

    protocol_version = "HTTP/1.1"
    uploads = 0
    lock = threading.Lock()

    def do_GET(self) -> None:
        time.sleep(0.3)
        self._answer(200, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert b'name="lang"' in body
        with Service.lock:
            Service.uploads += 1
            refused = Service.uploads % 3 == 0
        self._answer(429 if refused else 200, {"text": ""})

    def _answer(self, status: int, body: dict[str, str]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Service.uploads = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_failed_uploads_are_counted_by_status(url: str) -> None:
    uploads = [make_upload("wav", 0.5)]
    run = asyncio.run(run_load(url, uploads, count=12, at_once=4))
    assert len(run.latencies) == 8
    assert run.others == {"429": 4}
    assert run.audio_seconds == 4.0
    assert run.throughput == pytest.approx(4.0 / run.wall_seconds)
    both = Run()
    both.add(run)
    both.add(run)
    assert (len(both.latencies), both.others["429"], both.audio_seconds) == (16, 8, 8.0)
    assert both.throughput == pytest.approx(run.throughput)


def test_connection_errors_are_counted() -> None:
    run = asyncio.run(run_load("http://127.0.0.1:1", [make_upload("wav", 0.5)], 3, 2))
    assert run.others == {"ConnectError": 3}
    assert run.throughput == 0


def test_probes_do_not_wait_for_each_other(url: str) -> None:
    prober = Prober()
    prober.start(url)
    time.sleep(1.0)
    durations, failed = prober.stop()
    assert failed == 0
    assert len(durations) >= 5  # sequential probes would be three
    assert min(durations) >= 0.3


@pytest.mark.parametrize("name", list(FORMATS))
def test_an_upload_contains_a_recording_in_its_format(name: str) -> None:
    upload = make_upload(name, 1.5, offset=1000)
    assert upload.audio_seconds == 1.5
    boundary = upload.content_type.partition("boundary=")[2].encode()
    parts = upload.body.split(b"--" + boundary)
    [part] = [part for part in parts if b'name="file"' in part]
    assert f'filename="clip.{FORMATS[name][0]}"'.encode() in part
    info = soundfile.info(io.BytesIO(part.split(b"\r\n\r\n", 1)[1]))
    assert (info.samplerate, info.channels) == FORMATS[name][1:3]
    assert info.duration == pytest.approx(1.5, abs=0.1)


def test_the_table_shows_overhead_throughput_and_failures() -> None:
    alone = Run([0.5] * 4, audio_seconds=40, wall_seconds=2, probes=[0.01], forward_seconds=1.96)
    many = Run([2.0], audio_seconds=10, wall_seconds=1, failed_probes=1, forward_seconds=0.9)
    many.others["429"] = 3
    runs = {("ours", 1): alone, ("ours", 8): many}
    lines = service_table(runs, bare_forward=0.48, bare_throughput=40).splitlines()
    assert lines[2] == (
        "| ours | 1 | 4 | 500 ms | 500 ms | 500 ms | +20 ms | +10 ms | 20 | 50% "
        "|  | 10 ms | 10 ms | none |"
    )
    assert lines[3].endswith("|  |  | 10 | 25% | 90% | – | – | 3 × 429, 1 probes failed |")
    assert {line.count("|") for line in lines} == {15}


def test_the_queue_fits_the_load_unless_set_otherwise() -> None:
    options = parse(["--at-once", "64", "--audio-seconds", "20", "--engine", "openvino-int8"])
    settings = our_settings(options)
    assert settings["STT_MAX_QUEUE_SECONDS"] == "2560"
    assert (settings["STT_BACKEND"], settings["STT_PRECISION"]) == ("openvino", "int8")
    options = parse(["--set", "STT_MAX_QUEUE_SECONDS=10", "STT_BATCH_SECONDS=5"])
    assert our_settings(options)["STT_MAX_QUEUE_SECONDS"] == "10"


def test_texts_are_compared_after_normalisation() -> None:
    assert difference(["가나 "], ["\u1100\u1161\u1102\u1161"]) == 0
    assert difference(["abcd", "ef"], ["abcx", "ef"]) == pytest.approx(1 / 7)
    assert difference([""], [""]) == 0
