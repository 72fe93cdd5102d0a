"""``/v1/jobs``: a recording is handed in, and its result fetched later."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from stt.jobs.uploads import Uploads
from stt.types import SAMPLE_RATE
from tests.api.conftest import ENDED, Serve, post_recording, serve_app, wait_for_job
from tests.audio_files import with_libsndfile
from tests.fakes import EchoEngine, FakeEngine, say


@pytest.fixture(scope="module")
def client(runtime: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("state")
    with serve_app(
        "--languages", "KR,EN", "--state-dir", str(folder), "--api-keys", "ann,bob,full",
        engine=FakeEngine(),
    ) as client:  # fmt: skip
        client.headers["X-API-Key"] = "ann"
        yield client


def test_a_job_answers_as_the_same_request_to_transcribe(client: TestClient, wav: bytes) -> None:
    created = post_recording(client, "/v1/jobs", wav, response_format="verbose_json")
    assert created.status_code == 202
    location = created.headers["Location"]
    assert location == f"/v1/jobs/{created.json()['id']}"
    assert created.json()["state"] == "queued"
    job = wait_for_job(client, location)
    assert job["state"] == "succeeded"
    assert job["text"] == "ab"
    assert job["progress_seconds"] == job["duration_seconds"] == pytest.approx(1.5)
    assert job["started_at"] and job["ended_at"] and job["error"] is None
    for query in ("", "json", "text", "srt", "vtt", "verbose_json"):
        wanted = query or "verbose_json"  # as the job was handed in
        direct = post_recording(client, "/transcribe", wav, response_format=wanted)
        later = client.get(f"{location}/result", params={"response_format": query} if query else {})
        assert later.status_code == 200
        assert later.headers["content-type"] == direct.headers["content-type"]
        if "json" in wanted:
            expected, got = direct.json(), later.json()
            del expected["processing_time_seconds"], got["processing_time_seconds"]
            assert got == expected
        else:
            assert later.text == direct.text


def test_a_recording_may_be_the_body_and_its_fields_the_query(
    client: TestClient, wav: bytes
) -> None:
    created = client.post(
        "/v1/jobs?lang=en&response_format=text", content=wav, headers={"Content-Type": "audio/wav"}
    )
    assert created.status_code == 202
    location = created.headers["Location"]
    assert wait_for_job(client, location)["language"] == "EN"
    assert client.get(f"{location}/result").text.strip() == "ab"


def test_a_job_keeps_channels_apart_and_the_name_of_its_file(client: TestClient) -> None:
    call = with_libsndfile(np.random.default_rng(0).uniform(-0.5, 0.5, (16_000, 2)), 16_000, "WAV")
    files = {"file": ("C:\\calls\\\u1109\u1161\u1105\u1161\x1b[31m.wav", call)}
    form = {"lang": "EN", "channels": "split", "response_format": "verbose_json"}
    created = client.post("/v1/jobs", files=files, data=form)
    assert created.json()["name"] == "사라[31m.wav"
    location = created.headers["Location"]
    assert wait_for_job(client, location)["state"] == "succeeded"
    got, expected = (
        client.get(f"{location}/result").json(),
        client.post("/transcribe", files=files, data=form).json(),
    )
    del expected["processing_time_seconds"], got["processing_time_seconds"]
    assert got == expected
    assert got["channels"] == 2
    assert {word["channel"] for word in got["words"]} == {1, 2}


def test_events_end_with_a_final_state(client: TestClient, wav: bytes) -> None:
    location = post_recording(client, "/v1/jobs", wav).headers["Location"]
    answer = client.get(f"{location}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [line for line in answer.text.split("\n\n") if line.startswith("data: ")]
    jobs = [json.loads(each.removeprefix("data: ")) for each in events]
    assert jobs[-1]["state"] == "succeeded"
    assert all(job["state"] not in ENDED for job in jobs[:-1])


def test_a_recording_that_cannot_be_read_fails_its_job_with_a_problem(client: TestClient) -> None:
    created = post_recording(client, "/v1/jobs", b"RIFF not at all")
    job = wait_for_job(client, created.headers["Location"])
    direct = post_recording(client, "/transcribe", b"RIFF not at all").json()
    assert job["state"] == "failed"
    error = job["error"]
    assert isinstance(error, dict)
    assert {**error, "request_id": None} == {**direct, "request_id": None}
    assert error["request_id"] == created.headers["X-Request-ID"]
    result = client.get(f"{created.headers['Location']}/result")
    assert result.status_code == 409
    assert result.json()["error"]["code"] == "no_result"


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"lang": "xx"}, 400, "unsupported_language"),
        ({"hotwords": "ZZZ"}, 400, "invalid_hotwords"),
        ({"response_format": "xml"}, 400, "invalid_parameter"),
        ({"url": "https://example.org/a.wav"}, 400, "invalid_parameter"),  # both
        ({"webhook_url": "https://example.org"}, 403, "url_not_allowed"),
    ],
)
def test_what_can_only_fail_is_refused_at_once(
    client: TestClient, wav: bytes, form: dict[str, str], status: int, code: str
) -> None:
    before = client.get("/v1/jobs").json()["data"]
    answer = post_recording(client, "/v1/jobs", wav, **form)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert client.get("/v1/jobs").json()["data"] == before


def test_a_job_without_a_recording_is_refused(client: TestClient) -> None:
    for form in ({}, {"lang": "KR"}):
        answer = client.post("/v1/jobs", data=form)
        assert answer.status_code == 400
        assert "curl -F file=@" in answer.json()["error"]["message"]
    refused = client.post("/v1/jobs", files={"url": (None, "https://example.org/a.wav")})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "url_not_allowed")


def test_clients_see_only_the_jobs_of_their_key(client: TestClient, wav: bytes) -> None:
    location = post_recording(client, "/v1/jobs", wav).headers["Location"]
    wait_for_job(client, location)
    bob = {"X-API-Key": "bob"}
    for method, path in (
        ("GET", location), ("DELETE", location), ("GET", f"{location}/result"),
        ("GET", f"{location}/events"), ("GET", "/v1/jobs/0"),
    ):  # fmt: skip
        answer = client.request(method, path, headers=bob)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "job_not_found")
    assert client.get("/v1/jobs", headers=bob).json() == {
        "object": "list", "data": [], "next_cursor": None,
    }  # fmt: skip
    assert client.get(location).status_code == 200
    assert client.get(location, headers={"X-API-Key": "eve"}).status_code == 401


def test_the_list_has_pages_and_filters(client: TestClient, wav: bytes) -> None:
    headers = {"X-API-Key": "full"}
    ids = []
    for data in (wav, b"no audio", wav):
        created = client.post("/v1/jobs", files={"file": data}, headers=headers)
        ids.insert(0, created.json()["id"])
        client.headers["X-API-Key"] = "full"
        wait_for_job(client, created.headers["Location"])
    times = {job["id"]: job["created_at"] for job in client.get("/v1/jobs").json()["data"]}

    def listed(**query: object) -> list[str]:
        answer = client.get("/v1/jobs", params=query)
        assert answer.status_code == 200, answer.text
        return [job["id"] for job in answer.json()["data"]]

    try:
        assert list(times) == listed() == ids
        assert listed(state="failed") == [ids[1]]
        assert listed(created_after=times[ids[1]]) == [ids[0]]
        assert listed(created_before=times[ids[1]]) == [ids[2]]
        first = client.get("/v1/jobs", params={"limit": 2}).json()
        assert [job["id"] for job in first["data"]] == ids[:2]
        assert listed(limit=2, cursor=first["next_cursor"]) == ids[2:]
        assert client.get("/v1/jobs", params={"limit": 3}).json()["next_cursor"] is None
        no_offset = {"created_after": "2026-11-27T12:00:00"}
        for query in ({"cursor": "x"}, {"limit": 0}, {"state": "done"}, no_offset):
            assert client.get("/v1/jobs", params=query).status_code == 400
    finally:
        client.headers["X-API-Key"] = "ann"


def test_a_job_is_cancelled_while_it_runs_and_removed_once_it_has_ended(
    serve: Serve, tmp_path: Path
) -> None:
    may_go = threading.Event()
    long = with_libsndfile(say("ab c " * 500), 16_000, "WAV")
    with serve("--state-dir", str(tmp_path), engine=(engine := EchoEngine())) as client:
        engine._before = lambda: may_go.wait(30) and None
        location = post_recording(client, "/v1/jobs", long).headers["Location"]
        while client.get(location).json()["state"] != "running":
            time.sleep(0.02)
        cancelled = client.delete(location)
        assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
        may_go.set()
        assert client.delete(location).status_code == 204
        assert client.get(location).status_code == 404
        assert client.delete(location).status_code == 404
        # The next one is not held up by what was cancelled.
        next_location = post_recording(client, "/v1/jobs", long).headers["Location"]
        assert wait_for_job(client, next_location)["state"] == "succeeded"
    assert list((tmp_path / "uploads").iterdir()) == []


def test_jobs_go_on_after_a_restart(serve: Serve, tmp_path: Path) -> None:
    flags = ("--state-dir", str(tmp_path), "--window-seconds", "2", "--context-seconds", "0.2",
             "--cut-search-seconds", "0.2", "--jobs-lease-seconds", "3600")  # fmt: skip
    long = with_libsndfile(say("ab c " * 500), 16_000, "WAV")
    n_before = 0
    stored = threading.Event()

    def stop_after_some() -> None:
        if n_jobs_windows(first) > 6:
            stored.set()
            time.sleep(0.05)

    def n_jobs_windows(engine: EchoEngine) -> int:
        return len(engine.lengths) - n_before

    first = EchoEngine()
    with serve(*flags, engine=first) as client:
        n_before = len(first.lengths)
        first._before = stop_after_some
        location = post_recording(client, "/v1/jobs", long).headers["Location"]
        assert stored.wait(30)
        assert client.get(location).json()["state"] == "running"
    # The service was stopped, so its job is given back at once, whatever the lease says.
    second = EchoEngine()
    with serve(*flags, engine=second) as client:
        n_before = len(second.lengths)
        assert wait_for_job(client, location)["state"] == "succeeded"
        n_second = n_jobs_windows(second)
        expected = post_recording(client, "/transcribe", long).json()["text"]
        assert client.get(location).json()["text"] == expected
        n_whole = len(second.lengths) - n_before - n_second
        assert n_second <= n_whole - 4
        assert "stt_jobs_ended_total" in client.get("/metrics").text


def test_without_a_folder_the_service_runs_and_jobs_say_what_to_do(
    serve: Serve, tmp_path: Path, wav: bytes
) -> None:
    (tmp_path / "file").write_bytes(b"")
    with serve("--state-dir", str(tmp_path / "file" / "x"), engine=FakeEngine()) as client:
        for answer in (post_recording(client, "/v1/jobs", wav), client.get("/v1/jobs")):
            assert answer.status_code == 503
            assert answer.json()["error"]["code"] == "jobs_unavailable"
            assert "STT_STATE_DIR" in answer.json()["error"]["message"]
            assert str(tmp_path) not in answer.text
        assert post_recording(client, "/transcribe", wav).json()["text"] == "ab"


def test_jobs_can_be_switched_off(serve: Serve, tmp_path: Path, wav: bytes) -> None:
    with serve("--no-jobs", "--state-dir", str(tmp_path / "x"), engine=FakeEngine()) as client:
        answer = post_recording(client, "/v1/jobs", wav)
        assert answer.status_code == 503
        assert "switched off" in answer.json()["error"]["message"]
        assert "Retry-After" not in answer.headers
    assert not (tmp_path / "x").exists()


def test_a_client_at_its_quota_gets_429(serve: Serve, tmp_path: Path, wav: bytes) -> None:
    with serve(
        "--state-dir", str(tmp_path), "--jobs-at-once", "0", "--jobs-per-key", "1",
        engine=FakeEngine(),
    ) as client:  # fmt: skip
        assert post_recording(client, "/v1/jobs", wav).status_code == 202
        refused = post_recording(client, "/v1/jobs", wav)
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "job_quota_reached"
        assert int(refused.headers["Retry-After"]) > 0
        assert len(list(Uploads(tmp_path)._files())) == 1


def test_a_job_keeps_channels_apart(serve: Serve, tmp_path: Path) -> None:
    first, second = say("|a|b|" + " " * 60 + "|c|" + " " * 40), say(" " * 30 + "|c|a|" + " " * 73)
    call = with_libsndfile(np.stack([first, second], 1), SAMPLE_RATE, "WAV", "FLOAT")
    with serve("--state-dir", str(tmp_path), engine=EchoEngine()) as client:
        created = post_recording(client, "/v1/jobs", call, channels="split")
        job = wait_for_job(client, created.headers["Location"])
        assert (job["state"], job["text"]) == ("succeeded", "a b\nc a\nc")
        for format in ("json", "text", "srt", "vtt", "rttm", "verbose_json"):
            result = client.get(
                f"{created.headers['Location']}/result", params={"response_format": format}
            )
            direct = post_recording(
                client, "/transcribe", call, channels="split", response_format=format
            )
            assert result.status_code == 200
            if "json" not in format:
                assert result.text == direct.text
                continue
            expected, found = direct.json(), result.json()
            del expected["processing_time_seconds"], found["processing_time_seconds"]
            assert found == expected
        for fields, code in (
            ({"diarize": "true"}, "not_supported"),
            ({"response_format": "rttm"}, "invalid_parameter"),
            ({"diarize": "true", "channels": "split"}, "not_supported"),
        ):
            refused = post_recording(client, "/v1/jobs", call, **fields)
            assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)
