"""The log of a real process while clients try to forge lines."""

import json
import socket
from pathlib import Path
from urllib.parse import quote

import requests

from tests.audio_files import tones, with_libsndfile
from tests.e2e.server import Server
from tests.live import form, read_answer, wait_until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
FORGED = '{"level": "info", "message": "all is well"}'


def test_every_line_is_json_with_the_ids_of_its_request(tmp_path: Path) -> None:
    clip = form(with_libsndfile(tones(1, 16000), 16000, "WAV")).replace(
        b'"a.wav"', b'"a\x1b[31m\xff\xed\xa0\x80.wav"'
    )
    lang = b'--x\r\nContent-Disposition: form-data; name="lang"\r\n\r\n\r\n' + FORGED.encode()
    targets = [
        "/%0d%0a" + quote(FORGED),
        "/%1b%5b31mred%1b%5b0m",
        "/%ed%a0%80%00%c2%85%e2%80%a8",
        "/transcribe?lang=%0a%1b%5b2K",
    ]
    command = ("-m", "tests.e2e.gated", str(tmp_path / "no-gate"))
    flags = ("--host", "127.0.0.1", "--port", "0", "--log-format", "json", "--log-level", "debug")
    with Server(*flags, command=command) as server:
        server.wait_until_ready()
        for n, target in enumerate(targets):
            body = lang + b"\r\n" + clip
            head = (
                f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
                f"Content-Type: multipart/form-data; boundary=x\r\nX-Request-ID: the-id-{n}\r\n"
                f"traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\nConnection: close\r\n"
                f"User-Agent: \xff\x85{FORGED}\r\n\r\n"
            )
            port = int(server.url.rsplit(":", 1)[1])
            with socket.create_connection(("127.0.0.1", port), 30) as connection:
                connection.sendall(head.encode("latin-1") + body)
                answer = read_answer(connection)
            assert answer.status in (400, 404)
            assert answer.headers["x-request-id"] == f"the-id-{n}"
        with socket.create_connection(("127.0.0.1", port), 30) as connection:
            connection.sendall(f"GET /\x1b[31m{FORGED} HTTP/1.1\r\n\r\n".encode())
            assert read_answer(connection).status == 400
        for body in (b"no form", b"--x\r\nA\xff: b\r\n\r\n--x--\r\n" + bytes(9)):
            broken = requests.post(
                server.url + "/transcribe",
                data=body,
                headers={"Content-Type": "multipart/form-data; boundary=x"},
                timeout=30,
            )
            assert broken.status_code in (400, 422)
        wait_until(lambda: "the-id-3" in "".join(server.log))
        assert server.stop() == 0
    lines = [json.loads(line) for line in server.log]
    # The response and the request's line report a malformed form; the parser must not log it, too.
    assert not {line["logger"] for line in lines if "multipart" in line["logger"]}
    answered = [line for line in lines if str(line.get("request_id")).startswith("the-id-")]
    assert [line["request_id"] for line in answered] == [f"the-id-{n}" for n in range(4)]
    assert {line["trace_id"] for line in answered} == {TRACE}
    assert {line["code"] for line in answered} >= {"not_found", "unsupported_language"}
    assert "all is well" not in {line["message"] for line in lines}
