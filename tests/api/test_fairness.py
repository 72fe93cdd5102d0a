"""One client cannot keep others out: shares of the queue, turns and limits of keys."""

import hashlib
import select
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import websockets.sync.client

from stt.errors import RateLimited
from stt.server.clients import client_of
from stt.server.keys import Key, KeyRing, Usage
from stt.settings import load_settings
from tests.audio_files import tones, with_libsndfile
from tests.hostile import flac_silence
from tests.live import Answer, BlockedEngine, Live, form, head, live, read_answer, wait_until


def post_from(running: Live, source: str, data: bytes, *lines: str) -> Answer:
    with running.connect(source) as connection:
        body = form(data)
        connection.sendall(head(f"Content-Length: {len(body)}", *lines) + body)
        return read_answer(connection)


def test_slow_uploads_keep_nobody_from_the_model(wav: bytes) -> None:
    with live("--max-uploads", "20", "--max-queue-requests", "2") as running:
        slow = [running.connect() for _ in range(20)]
        for connection in slow:
            connection.sendall(head("Content-Length: 1000000") + b"--x")
        wait_until(lambda: running.n_inside == 20)
        refused = post_from(running, "127.0.0.1", wav)
        assert (refused.status, refused.problem["code"]) == (429, "overloaded")
        assert "20 uploads" in refused.problem["detail"]
        assert post_from(running, "127.0.0.2", wav).status == 200
        slow[0].close()
        wait_until(lambda: running.n_inside == 19)
        assert post_from(running, "127.0.0.1", wav).status == 200
        for connection in slow:
            connection.close()


def test_a_clip_of_another_client_goes_before_the_rest_of_a_flood(wav: bytes) -> None:
    engine = BlockedEngine()
    flags = ("--batch-seconds", "10", "--max-queue-requests", "4", "--max-queue-seconds", "30")
    long = with_libsndfile(tones(10, 16_000), 16_000, "FLAC")
    with live(*flags, engine=engine) as running, ThreadPoolExecutor(10) as pool:
        engine.hold()
        first = pool.submit(post_from, running, "127.0.0.1", long)
        assert engine.running.wait(30)
        flood = [pool.submit(post_from, running, "127.0.0.1", long) for _ in range(3)]
        wait_until(lambda: running.n_working == 4 and running.queued_seconds >= 30)
        assert post_from(running, "127.0.0.1", wav).status == 429
        mine = pool.submit(post_from, running, "127.0.0.2", wav)
        wait_until(lambda: running.n_working == 5)
        wait_until(lambda: running.n_queued >= 4)
        for _ in range(2):
            engine.running.wait(30)
            engine.step()
        assert mine.result(30).status == 200
        assert not any(each.done() for each in flood)
        engine.release()
        assert [each.result().status for each in [first, *flood]] == [200] * 4


class SlowEngine(BlockedEngine):
    """Computes at most 10 s of audio a second, so that its measured speed is known."""

    def _wait(self) -> None:
        time.sleep(0.1)
        super()._wait()


def test_hours_of_silence_count_with_their_length_and_keep_no_other_client_out(wav: bytes) -> None:
    hours = form(flac_silence(14_000))
    assert len(hours) < 400_000
    engine = SlowEngine()
    flags = ("--request-timeout-seconds", "1800")
    with live(*flags, engine=engine) as running, ExitStack() as stack:
        engine.hold()
        flood = [stack.enter_context(running.connect("127.0.0.1")) for _ in range(20)]
        for connection in flood:
            connection.sendall(head(f"Content-Length: {len(hours)}") + hours)
        answered: list[socket.socket] = []

        def wait_for_answers() -> bool:
            answered[:] = select.select(flood, [], [], 0)[0]
            return len(answered) >= 18

        wait_until(wait_for_answers)
        assert engine.running.wait(30)
        for refused in map(read_answer, answered):
            assert (refused.status, refused.problem["code"]) == (429, "overloaded")
            assert "minutes of your recordings" in refused.problem["detail"]
            assert 600 <= int(refused.headers["retry-after"]) <= 3600
        early = post_from(running, "127.0.0.1", wav)  # with nothing but its head
        assert early.status == 429
        with ThreadPoolExecutor(1) as pool:
            mine = pool.submit(post_from, running, "127.0.0.2", wav)
            wait_until(lambda: running.n_queued == 4)  # two windows of two files, but one
            for _ in range(2):  # a window of the flood, and the clip
                engine.running.wait(30)
                engine.step()
            assert mine.result(30).status == 200
        for connection in flood:
            connection.close()
        wait_until(lambda: running.n_inside == 0)
        engine.release()
        assert post_from(running, "127.0.0.1", wav).status == 200


def test_a_trusted_proxy_names_the_client(wav: bytes) -> None:
    flags = ("--max-queue-requests", "1", "--max-uploads", "1")
    for trust, expected in (((), 429), (("--trusted-proxies", "127.0.0.0/8"), 200)):
        with live(*flags, *trust) as running, running.connect() as slow:
            slow.sendall(head("Content-Length: 1000", "X-Forwarded-For: 192.0.2.1") + b"--x")
            wait_until(lambda running=running: running.n_inside == 1)
            other = post_from(running, "127.0.0.1", wav, "X-Forwarded-For: 192.0.2.2")
            assert other.status == expected


def test_clients_are_keys_or_addresses_and_live_streams_count_apart() -> None:
    def name(host: str, kind: str = "http") -> str:
        return client_of({"type": kind, "client": (host, 1)})

    assert name("192.0.2.1") == "192.0.2.1"
    assert name("2001:db8:0:1::1") == name("2001:db8:0:1:ffff::2") != name("2001:db8:0:2::1")
    assert name("192.0.2.1", "websocket") not in (name("192.0.2.1"), name("192.0.2.2"))
    assert client_of({"type": "http", "client": None}) == ""
    key = {"state": {"api_key": Key.parse("secret")}, "type": "http"}
    assert client_of({**key, "client": ("192.0.2.1", 1)}) == client_of(
        {**key, "client": ("192.0.2.2", 1)}
    )
    assert "secret" not in client_of({**key, "client": None})


def test_a_key_has_its_own_limits_and_429_says_what_is_left(tmp_path: Path, wav: bytes) -> None:
    file = tmp_path / "keys"
    hashed = hashlib.sha256(b"hashed-key").hexdigest()
    file.write_text(
        f"sha256:{hashed} requests_per_minute=2\nplain audio_seconds_per_minute=2\nfree\n"
    )
    with live("--api-keys-file", str(file)) as running:

        def post(key: str) -> Answer:
            return post_from(running, "127.0.0.1", wav, f"X-API-Key: {key}")

        answers = [post("hashed-key") for _ in range(3)]
        assert [each.status for each in answers] == [200, 200, 429]
        assert answers[0].headers["x-ratelimit-remaining-requests"] == "1"
        problem = answers[2].problem
        assert problem["code"] == "rate_limited"
        assert "0 of 2 requests a minute" in problem["detail"]
        assert 25 <= int(answers[2].headers["retry-after"]) <= 30
        # 1.5 s each: the second is accepted since 0.5 s are left, the third is not.
        assert [post("plain").status for _ in range(3)] == [200, 200, 429]
        assert [post("free").status for _ in range(3)] == [200] * 3
        assert post(f"sha256:{hashed}").status == 401
        assert running.get("/v1/models", **{"X-API-Key": "plain"}).status_code == 200


def test_live_audio_counts_towards_the_limit_of_a_key(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("plain audio_seconds_per_minute=1\n")
    with live("--api-keys-file", str(file)) as running:
        url = f"ws://127.0.0.1:{running.port}/stream"
        header = {"X-API-Key": "plain"}
        with websockets.sync.client.connect(url, additional_headers=header) as connection:
            second = bytes(2 * 8000)
            connection.send(second)
            assert "rate_limited" in str([connection.recv() for _ in range(2)])
        with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
            websockets.sync.client.connect(url, additional_headers=header)
        assert refused.value.response.status_code == 429


def test_the_file_of_keys_is_read_again_when_it_changes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    file = tmp_path / "keys"
    file.write_text("old\n")
    keys = KeyRing(load_settings(["--api-keys-file", str(file)]), lambda: now)
    replacement = tmp_path / "new"
    replacement.write_text("new\n")
    replacement.replace(file)  # as a mounted secret changes
    assert keys.find(["old"])
    now = 1.0
    assert keys.find(["new"])
    assert not keys.find(["old"])
    file.write_text("two words\n")
    now = 2.0
    assert keys.find(["new"]), "a malformed file changes nothing"
    assert "the old keys stay in use" in caplog.text
    assert "two words" not in caplog.text
    file.unlink()
    now = 3.0
    assert keys.find(["new"])


def test_an_allowance_grows_evenly_up_to_a_minutes_worth() -> None:
    now = 0.0
    usage = Usage(Key.parse("k audio_seconds_per_minute=60"), lambda: now)
    usage.charge(90)
    with pytest.raises(RateLimited) as caught:
        usage.begin()
    assert caught.value.retry_after_seconds == 31
    assert "0 of 60 audio seconds a minute" in caught.value.message
    now = 31.0
    usage.begin()
    now = 10_000.0
    assert usage.headers["x-ratelimit-remaining-audio-seconds"] == "60"
