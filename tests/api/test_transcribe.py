import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import Serve
from tests.audio_files import tones, with_libsndfile
from tests.fakes import FakeEngine


def post(client: TestClient, data: bytes, name: str = "clip.wav", **form: str):  # type: ignore[no-untyped-def]
    return client.post("/transcribe", files={"file": (name, data)}, data=form)


def assert_problem(response, status: int, code: str, words: str) -> None:  # type: ignore[no-untyped-def]
    """Existing clients read ``response.json()["detail"]``, a string."""
    body = response.json()
    assert response.status_code == status, body
    assert response.headers["content-type"] == "application/problem+json"
    assert isinstance(body["detail"], str)
    assert words in body["detail"]
    assert (body["code"], body["status"]) == (code, status)
    assert body["title"]
    assert body["request_id"] == response.headers["x-request-id"]
    assert "Traceback" not in response.text


def test_an_upload_is_transcribed(client: TestClient, wav: bytes) -> None:
    response = post(client, wav, lang="KR")
    body = response.json()
    assert response.status_code == 200
    assert (body["text"], body["language"]) == ("ab", "KR")
    assert body["model"] == "kresnik/wav2vec2-large-xlsr-korean"
    assert body["device"] == "cpu"
    assert body["cpu_threads"] >= 1
    assert body["duration_seconds"] == 1.5
    assert 0 < body["processing_time_seconds"] < 10


@pytest.mark.parametrize("lang", ["en", "EN", "eng", "en-US", "English", " en "])
def test_lang_as_form_field_and_as_query(client: TestClient, wav: bytes, lang: str) -> None:
    files = {"file": ("clip.wav", wav)}
    in_form = client.post("/transcribe", files=files, data={"lang": lang})
    in_query = client.post("/transcribe", files=files, params={"lang": lang})
    assert in_form.json()["language"] == in_query.json()["language"] == "EN"


def test_the_form_field_takes_precedence_over_the_query(client: TestClient, wav: bytes) -> None:
    files = {"file": ("clip.wav", wav)}
    response = client.post("/transcribe", files=files, data={"lang": "KR"}, params={"lang": "EN"})
    assert response.json()["language"] == "KR"


@pytest.mark.parametrize("form", [{}, {"lang": ""}])
def test_korean_is_the_default(client: TestClient, wav: bytes, form: dict[str, str]) -> None:
    assert post(client, wav, **form).json()["language"] == "KR"


def test_an_unknown_language(client: TestClient, wav: bytes) -> None:
    response = post(client, wav, lang="xx")
    assert_problem(response, 400, "unsupported_language", "Supported: KR (Korean), EN (English)")


def test_a_language_that_is_known_but_not_served(client: TestClient, wav: bytes) -> None:
    assert_problem(post(client, wav, lang="ja"), 400, "unsupported_language", "'ja'")


def test_no_file(client: TestClient) -> None:
    missing = client.post("/transcribe", data={"lang": "KR"})
    assert_problem(missing, 422, "invalid_parameter", "curl -F file=@")
    text = client.post("/transcribe", data={"file": "not a file"})
    assert_problem(text, 422, "invalid_parameter", "'file'")
    other = client.post("/transcribe", json={"file": "x"})
    assert_problem(other, 422, "invalid_parameter", "multipart/form-data")


def test_two_files(client: TestClient, wav: bytes) -> None:
    files = [("file", ("a.wav", wav)), ("file", ("b.wav", wav))]
    response = client.post("/transcribe", files=files)
    assert_problem(response, 400, "invalid_parameter", "another file in the part 'file'")


def test_malformed_multipart(client: TestClient) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    response = client.post("/transcribe", content=b"--y\r\nnonsense", headers=headers)
    assert 400 <= response.status_code < 500
    assert isinstance(response.json()["detail"], str)


def test_a_file_that_is_not_audio(client: TestClient) -> None:
    assert_problem(post(client, b"hello" * 99), 415, "unsupported_format", "Send one of WAV")
    assert_problem(post(client, b""), 400, "invalid_audio", "0 bytes")
    assert_problem(post(client, b"fLaC" + b"x" * 99), 400, "invalid_audio", "damaged")


@pytest.mark.parametrize("n_samples", [0, 1, 399])
def test_a_recording_shorter_than_a_frame_has_an_empty_text(
    client: TestClient, n_samples: int
) -> None:
    data = with_libsndfile(tones(1, 16000)[:n_samples], 16000, "WAV")
    body = post(client, data).json()
    assert body["text"] == ""
    assert body["duration_seconds"] == round(n_samples / 16000, 3)


def test_a_recording_longer_than_a_window(client: TestClient, serve: Serve) -> None:
    engine = FakeEngine()
    with serve(engine=engine) as client:
        before = len(engine.lengths)
        data = with_libsndfile(tones(70, 16000), 16000, "FLAC")
        body = post(client, data).json()
    assert body["duration_seconds"] == 70
    *windows, last = engine.lengths[before:]
    assert windows == [1000 * 320 + 80] * 3
    assert 10 * 16_000 < last < 20 * 16_000
    # The fake recognises "ab" at the start of a window, which only the first core includes.
    assert body["text"] == "ab"


def test_too_long_and_too_large(serve: Serve, wav: bytes) -> None:
    with serve("--max-audio-seconds", "1", engine=FakeEngine()) as client:
        assert_problem(post(client, wav), 413, "audio_too_long", "longer than 1 s")
    with serve("--max-upload-mb", "0.1", engine=FakeEngine()) as client:
        assert_problem(post(client, wav), 413, "upload_too_large", "limit of 0.1 MB")

        def undeclared() -> Iterator[bytes]:
            yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
            for _ in range(100):
                yield wav[:10_000]

        chunked = client.post(
            "/transcribe",
            content=undeclared(),
            headers={"content-type": "multipart/form-data; boundary=x"},
        )
        assert_problem(chunked, 413, "upload_too_large", "limit of 0.1 MB")


def test_a_failing_model_is_500_without_internal_details(serve: Serve, wav: bytes) -> None:
    fail = threading.Event()

    def before() -> None:
        if fail.is_set():
            raise RuntimeError("secret /path/of/ours")

    with serve(engine=FakeEngine(before)) as client:
        fail.set()
        response = post(client, wav)
        assert_problem(response, 500, "inference_failed", "The model failed on this recording.")
        assert "secret" not in response.text
        fail.clear()
        assert post(client, wav).status_code == 200


class BuggyEngine(FakeEngine):
    """Raises an unexpected error once `broken` is set."""

    broken = False

    @property
    def grid(self):  # type: ignore[no-untyped-def,override]
        if self.broken:
            raise RuntimeError("secret /path/of/ours")
        return FakeEngine.grid


def test_a_bug_is_500_without_details_and_logged_with_the_request_id(
    serve: Serve, wav: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    engine = BuggyEngine()
    with serve(engine=engine) as client:
        engine.broken = True
        headers = {"X-Request-ID": "the-id"}
        response = client.post("/transcribe", files={"file": ("a.wav", wav)}, headers=headers)
        engine.broken = False
        assert_problem(response, 500, "internal_error", "Internal error.")
        assert response.headers["x-request-id"] == "the-id"
        assert "secret" not in response.text
        assert post(client, wav).status_code == 200
    (record,) = [each for each in caplog.records if each.levelname == "CRITICAL"]
    assert "secret /path/of/ours" in str(record.exc_info)


def test_health_answers_at_once_while_the_model_runs(serve: Serve, wav: bytes) -> None:
    running, go_on, block = threading.Event(), threading.Event(), threading.Event()

    def before() -> None:
        if block.is_set():
            running.set()
            assert go_on.wait(30)

    with serve(engine=FakeEngine(before)) as client, ThreadPoolExecutor() as pool:
        block.set()
        answer = pool.submit(post, client, wav)
        assert running.wait(10)
        times = []
        for _ in range(20):
            started = time.perf_counter()
            assert client.get("/health").status_code == 200
            assert client.get("/livez").status_code == 200
            times.append(time.perf_counter() - started)
        go_on.set()
        assert answer.result(30).status_code == 200
    assert sorted(times)[len(times) // 2] < 0.1


def test_one_thread_runs_all_inference(serve: Serve, wav: bytes) -> None:
    engine = FakeEngine()
    with (
        serve("--languages", "KR,EN", engine=engine) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        answers = [pool.submit(post, client, wav, lang=lang) for lang in ["KR", "EN"] * 8]
        assert {answer.result(30).json()["text"] for answer in answers} == {"ab"}
    assert len(engine.threads) == 1


def test_request_ids(client: TestClient, wav: bytes) -> None:
    given = client.get("/livez", headers={"X-Request-ID": "abc-123"})
    assert given.headers["x-request-id"] == "abc-123"
    nasty = client.get("/livez", headers={"X-Request-ID": 'a"b <script>'})
    assert nasty.headers["x-request-id"] not in ("", 'a"b <script>')
    assert client.get("/livez").headers["x-request-id"] != nasty.headers["x-request-id"]


def test_unknown_routes_and_methods_are_problems_too(client: TestClient) -> None:
    assert_problem(client.get("/nothing"), 404, "not_found", "GET / lists the routes")
    response = client.get("/transcribe")
    assert_problem(response, 405, "method_not_allowed", "does not support GET")
    assert response.headers["allow"] == "POST"


def test_the_openapi_page_describes_the_answers(client: TestClient) -> None:
    spec = client.get("/openapi.json").json()
    route = spec["paths"]["/transcribe"]["post"]
    assert set(route["responses"]) >= {"200", "400", "413", "415", "422", "500", "503"}
    assert {each["name"] for each in route["parameters"]} == {
        "lang",
        "track",
        "hotwords",
        "language_model",
        "written",
        "spacing",
        "vad",
        "channels",
        "diarize",
        "num_speakers",
        "max_line_width",
        "max_line_count",
    }
    assert "HTTPValidationError" not in json.dumps(spec["paths"])
