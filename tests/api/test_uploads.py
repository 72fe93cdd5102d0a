"""Uploads that are too large, too slow or malformed, over real sockets."""

import encodings
import errno
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stt.server.routes.forms import storage_error
from tests.fakes import FakeEngine
from tests.live import Live, form, head, is_closed, live, read_answer, read_rest, wait_until


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder where uploads over 1 MB are spooled."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def left_behind(folder: Path) -> list[str]:
    """Files in it, including deleted ones that this process keeps open."""
    opened = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            opened.append(str(entry.readlink()))
        except OSError:
            continue
    return [
        *map(str, folder.iterdir()),
        *(each for each in opened if each.startswith(f"{folder}/")),
    ]


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        piece = data[start : start + size]
        yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    yield b"0\r\n\r\n"


def send_until_closed(connection: socket.socket, piece: bytes) -> int:
    """Bytes that the server accepted before it closed the connection."""
    sent = 0
    try:
        while True:
            connection.sendall(piece)
            sent += len(piece)
    except (BrokenPipeError, ConnectionResetError):
        return sent


def test_a_slow_upload_is_408_and_frees_its_slot(wav: bytes) -> None:
    flags = ("--body-timeout-seconds", "1.5", "--max-queue-requests", "1")
    with live(*flags) as running, running.connect() as connection:
        connection.settimeout(0.5)
        started = time.monotonic()
        connection.sendall(head("Content-Length: 1000"))
        answer = None
        for byte in form(bytes(1000)):
            connection.sendall(bytes([byte]))
            try:
                first = connection.recv(1, socket.MSG_PEEK)
            except TimeoutError:
                assert time.monotonic() - started < 30
                continue
            assert first
            answer = read_answer(connection)
            break
        assert answer is not None
        assert 1.5 <= time.monotonic() - started < 30
        assert (answer.status, answer.problem["code"]) == (408, "upload_too_slow")
        wait_until(lambda: running.n_inside == 0)
        assert running.post(wav).status_code == 200
        connection.settimeout(30)
        assert is_closed(connection)


def test_the_upload_limit_does_not_apply_to_inference(wav: bytes) -> None:
    with live("--body-timeout-seconds", "0.5", engine=FakeEngine(lambda: time.sleep(1))) as running:
        assert running.post(wav).status_code == 200


def test_a_declared_length_over_the_limit_is_413_before_the_body(uploads: Path) -> None:
    with live("--max-upload-mb", "1") as running, running.connect() as connection:
        connection.sendall(head("Content-Length: 1000001"))
        answer = read_answer(connection)
        assert (answer.status, answer.problem["code"]) == (413, "upload_too_large")
        assert answer.headers["connection"] == "close"
        assert left_behind(uploads) == []


def test_a_route_without_a_form_answers_before_the_body() -> None:
    with live("--body-timeout-seconds", "30") as running, running.connect() as connection:
        connection.settimeout(10)
        connection.sendall(head("Content-Length: 1000", target="/v1/models", method="GET"))
        assert read_answer(connection).status == 200


def test_an_endless_chunked_upload_is_413_and_reading_stops(uploads: Path) -> None:
    with live("--max-upload-mb", "3") as running, running.connect() as connection:
        connection.sendall(head("Transfer-Encoding: chunked"))
        start = form(b"")[:-9]
        connection.sendall(f"{len(start):x}\r\n".encode() + start + b"\r\n")
        piece = next(chunks(bytes(1_000_000), 1_000_000))
        connection.sendall(piece * 4)
        answer = read_answer(connection)
        assert (answer.status, answer.problem["code"]) == (413, "upload_too_large")
        assert send_until_closed(connection, piece) < 200_000_000
        wait_until(lambda: left_behind(uploads) == [])
        assert running.n_inside == 0


def test_a_chunked_upload_within_the_limit_is_accepted(uploads: Path, wav: bytes) -> None:
    with live() as running, running.connect() as connection:
        connection.sendall(head("Transfer-Encoding: chunked"))
        for chunk in chunks(form(wav), 1000):
            connection.sendall(chunk)
        assert read_answer(connection).status == 200
        wait_until(lambda: left_behind(uploads) == [])


def test_a_content_length_that_is_too_small_truncates_the_form(wav: bytes) -> None:
    with live() as running, running.connect() as connection:
        body = form(wav)
        connection.sendall(head(f"Content-Length: {len(body) // 2}") + body)
        answer = read_answer(connection)
        assert answer.status == 400
        # The rest is not a valid request, so the connection closes.
        assert b"HTTP/1.1 2" not in read_rest(connection)


def test_a_content_length_that_is_too_large_is_408(wav: bytes, uploads: Path) -> None:
    with live("--body-timeout-seconds", "1") as running, running.connect() as connection:
        body = form(bytes(3_000_000))
        connection.sendall(head(f"Content-Length: {len(body) + 1}") + body)
        answer = read_answer(connection)
        assert (answer.status, answer.problem["code"]) == (408, "upload_too_slow")
        wait_until(lambda: left_behind(uploads) == [])


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Content-Length: -1",),
        ("Content-Length: 1e3",),
        ("Content-Length: 5", "Content-Length: 6"),
    ],
    ids=["length and chunks", "negative", "no number", "two lengths"],
)
def test_contradictory_lengths_are_refused(lines: tuple[str, ...], wav: bytes) -> None:
    with live() as running:
        with running.connect() as connection:
            connection.sendall(head(*lines) + b"0\r\n\r\n")
            assert read_answer(connection).status == 400
        assert running.post(wav).status_code == 200


def test_a_client_that_leaves_during_its_upload_leaves_no_temporary_file(uploads: Path) -> None:
    with live() as running:
        with running.connect() as connection:
            connection.sendall(head("Content-Length: 10000000") + form(bytes(3_000_000))[:-9])
            wait_until(lambda: left_behind(uploads))
        wait_until(lambda: left_behind(uploads) == [])
        wait_until(lambda: running.n_inside == 0)


@pytest.mark.parametrize("size", [20_000, 5_000_000])
def test_a_large_field_is_400(client: TestClient, wav: bytes, size: int) -> None:
    files = {"file": ("a.wav", wav)}
    answer = client.post("/transcribe", files=files, data={"lang": "x" * size})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert "at most 16 KiB" in answer.json()["detail"]


def test_many_fields_are_400(client: TestClient, wav: bytes) -> None:
    many = {f"field{n}": "x" for n in range(65)}
    answer = client.post("/transcribe", files={"file": ("a.wav", wav)}, data=many)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_forms_leave_nothing_in_memory(wav: bytes) -> None:
    process = psutil.Process()
    n_files = process.num_fds()

    def post(running: Live, body: bytes, content_type: str) -> int:
        headers = {"Content-Type": content_type}
        url = f"{running.url}/transcribe"
        return requests.post(url, data=body, headers=headers, timeout=60).status_code

    part = b'--x\r\nContent-Disposition: form-data; name="%d"%s\r\n\r\n%s\r\n'
    fields = b"".join(part % (n, b"", bytes(1_000_000)) for n in range(185))
    files = b"".join(part % (n, b'; filename="a.wav"', bytes(10)) for n in range(180))
    multipart = "multipart/form-data; boundary=x"
    with live() as running:
        post(running, form(wav), multipart)
        before = process.memory_info().rss
        assert post(running, fields, multipart) == 400
        assert post(running, files, multipart) == 400
        started = time.process_time()
        urlencoded = "application/x-www-form-urlencoded"
        assert post(running, b"&" * 20_000_000, urlencoded) == 422
        assert time.process_time() - started < 2
        for n in range(100):
            charset = f"{n}".ljust(10_000, "x")
            assert post(running, form(wav), f"{multipart}; charset={charset}") == 200
        assert process.memory_info().rss - before < 300e6
        assert sum("x" * 100 in name for name in encodings._cache) == 0  # type: ignore[attr-defined]
        wait_until(lambda: process.num_fds() < n_files + 100)


@pytest.mark.parametrize(
    "disposition",
    [
        "filename*=UTF-8''%ED%95%9C%EA%B5%AD%EC%96%B4.wav",
        "",
        'filename=""',
        'filename="한국어.wav"',
    ],
)
def test_a_file_with_any_name_or_none_is_a_file(
    client: TestClient, wav: bytes, disposition: str
) -> None:
    named = f'name="file"; {disposition}'.removesuffix("; ").encode()
    body = form(wav).replace(b'name="file"; filename="a.wav"', named)
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = client.post("/transcribe", content=body, headers=headers)
    assert (answer.status_code, answer.json().get("text")) == (200, "ab")


@pytest.mark.parametrize(
    "content_type", ["audio/wav", "Audio/X-Wav; codecs=1", "video/webm", "application/octet-stream"]
)
def test_a_body_with_an_audio_content_type_is_the_file(
    client: TestClient, wav: bytes, content_type: str
) -> None:
    query = "lang=EN&response_format=verbose_json&timestamp_granularities[0]=word&file=x"
    headers = {"content-type": content_type}
    answer = client.post(f"/transcribe?{query}", content=wav, headers=headers)
    body = answer.json()
    assert (answer.status_code, body["language"], body["text"]) == (200, "EN", "ab")
    assert "words" in body
    chunked = client.post("/transcribe", content=iter([wav[:99], wav[99:]]), headers=headers)
    assert chunked.json()["text"] == "ab"
    assert client.post("/transcribe", content=b"x" * 99, headers=headers).status_code == 415


def test_indexed_field_names_are_lists(client: TestClient, wav: bytes) -> None:
    data = {"response_format": "verbose_json", "timestamp_granularities[0]": "segment"}
    answer = client.post("/transcribe", files={"file": ("a.wav", wav)}, data=data)
    assert "words" not in answer.json()
    data["timestamp_granularities[1]"] = "word"
    answer = client.post("/transcribe", files={"file": ("a.wav", wav)}, data=data)
    assert "words" in answer.json()


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        f"multipart/form-data; boundary={'x' * 5000}",
        "multipart/form-data; boundary=x; charset=rot13",
        "multipart/form-data; boundary=x; charset=raw_unicode_escape",
        "application/x-www-form-urlencoded",
        "text/plain",
        "",
    ],
)
def test_other_content_types_are_client_errors(client: TestClient, content_type: str) -> None:
    body = form(b"RIFF").replace(b'"a.wav"', b'"\\udc80"') + b"\xff\\ud800"
    lang = b'--x\r\nContent-Disposition: form-data; name="lang"\r\n\r\n\\ud800\xff\r\n'
    headers = {"content-type": content_type}
    answer = client.post("/transcribe", content=lang + body, headers=headers)
    assert 400 <= answer.status_code < 500, answer.text
    assert isinstance(answer.json()["detail"], str)


DISPOSITIONS = st.one_of(
    st.sampled_from(
        [
            'form-data; name="file"; filename="a.wav"',
            'form-data; name="file"',
            'form-data; name="lang"',
            'form-data; name="response_format"',
            'form-data; name="timestamp_granularities[]"',
            "form-data",
            "form-data; name=\"file\"; filename*=utf-8''%ff%fe",
            'attachment; name=""; filename=""',
        ]
    ).map(str.encode),
    st.binary(max_size=40),
)
VALUES = st.one_of(
    st.sampled_from([b"KR", b"xx", b"json", b"word", b"RIFF\x24\0\0\0WAVEfmt ", b"\\ud800", b""]),
    st.binary(max_size=200),
)
PARTS = st.builds(
    lambda disposition, more, value: (
        b"--x\r\nContent-Disposition: " + disposition + b"\r\n" + more + b"\r\n" + value + b"\r\n"
    ),
    DISPOSITIONS,
    st.sampled_from([b"", b"Content-Type: audio/wav\r\n", b"X" * 50 + b"\r\n", b"A: \xff\r\n"]),
    VALUES,
)
BODIES = st.one_of(
    st.binary(max_size=300),
    st.builds(
        lambda parts, end: b"".join(parts) + end,
        st.lists(PARTS, max_size=5),
        st.sampled_from([b"--x--\r\n", b"--x--", b"--x", b"", b"\r\n--x--\r\n--x--\r\n"]),
    ),
)
TYPES = st.sampled_from(
    [
        "multipart/form-data; boundary=x",
        'multipart/form-data; boundary="x"; charset=utf-16',
        "multipart/form-data; boundary=x; charset=unicode_escape",
        "multipart/form-data; boundary=x; charset=idna",
        "multipart/form-data; boundary=x; charset=zlib",
        "application/x-www-form-urlencoded; charset=utf-7",
    ]
)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=BODIES, content_type=TYPES)
def test_no_malformed_form_is_a_server_error(
    client: TestClient, body: bytes, content_type: str
) -> None:
    answer = client.post("/transcribe", content=body, headers={"content-type": content_type})
    assert answer.status_code < 500, answer.text
    if answer.status_code != 200:
        problem = answer.json()
        assert isinstance(problem["detail"], str)
        assert (problem["status"], problem["code"]) == (answer.status_code, problem["code"])


def test_an_upload_that_cannot_be_stored_is_507(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
        answer = client.post("/transcribe", files={"file": ("a.wav", bytes(1_200_000))})
        assert (answer.status_code, answer.json()["code"]) == (507, "out_of_storage")
    assert "disk is full" in storage_error(OSError(errno.ENOSPC, "")).message
    assert "files are open" in storage_error(OSError(errno.EMFILE, "")).message
