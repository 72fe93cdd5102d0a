"""Recordings from hosts that behave, and from hosts that do not."""

import asyncio
import gzip
import tracemalloc
from pathlib import Path

import pytest

from stt.errors import OutOfStorage, SttError, UploadTooLarge, UrlNotAllowed, UrlUnreachable
from stt.jobs.fetching import MAX_REDIRECTS, UNREACHABLE, HttpFetcher
from tests.unit.jobs.web import Answer, Names, Site, outbound, redirect, repeats, says, serving

MAX_BYTES = 3_000_000
GZIP = "Content-Encoding: gzip\r\n"


def fetch(
    into: Path,
    *answers: Answer,
    url: str = "http://a.test:{port}/a.wav",
    names: Names | None = None,
    seconds: float = 20.0,
    max_bytes: int = MAX_BYTES,
) -> Site:
    """Fetch from a host that gives these answers; raises what the fetcher raises."""

    async def main() -> Site:
        async with serving(*answers) as site:
            calls = outbound(f"http://*:{site.port}, http://127.0.0.1:{site.port}", names)
            fetcher = HttpFetcher(calls, max_bytes=max_bytes, timeout_seconds=seconds)
            await fetcher(url.format(port=site.port), into)
            return site

    return asyncio.run(main())


def refused(into: Path, error: type[SttError], *answers: Answer, **options: object) -> str:
    """The message, after checking that no file is left."""
    with pytest.raises(error) as caught:
        fetch(into, *answers, **options)  # type: ignore[arg-type]
    assert list(into.parent.iterdir()) == []
    return caught.value.message


def test_a_recording_is_stored_whole(tmp_path: Path) -> None:
    body = bytes(range(256)) * 10_000
    site = fetch(tmp_path / "a", says(body))
    assert (tmp_path / "a").read_bytes() == body
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]
    (request,) = site.requests
    assert b"Accept-Encoding: identity\r\n" in request


def test_a_file_of_a_broken_attempt_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old and longer")
    fetch(tmp_path / "a", says(b"new"))
    assert (tmp_path / "a").read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_two_replicas_that_fetch_the_same_recording_write_different_files(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(repeats(b"x", pause_seconds=0.01)) as site:
            calls = outbound(f"http://*:{site.port}")
            fetcher = HttpFetcher(calls, max_bytes=MAX_BYTES, timeout_seconds=60)
            url, into = f"http://a.test:{site.port}/", tmp_path / "a"
            tasks = [asyncio.create_task(fetcher(url, into)) for _ in range(2)]
            async with asyncio.timeout(10):
                while len(list(tmp_path.iterdir())) < 2:
                    await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("members", [1, 3])
def test_gzip_is_unpacked_with_all_its_members(tmp_path: Path, members: int) -> None:
    body = bytes(range(256)) * 2000
    fetch(tmp_path / "a", says(gzip.compress(body) * members, headers=GZIP))
    assert (tmp_path / "a").read_bytes() == body * members


def test_a_bomb_is_counted_as_it_grows_and_takes_no_memory(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < 60_000
    tracemalloc.start()
    message = refused(tmp_path / "a", UploadTooLarge, says(bomb, headers=GZIP))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "limit of 3 MB" in message
    assert peak < 12_000_000


@pytest.mark.parametrize(
    "block", [gzip.compress(b""), b"\0\0\0\xff\xff"], ids=["members", "deflate blocks"]
)
def test_endless_emptiness_is_counted(tmp_path: Path, block: bytes) -> None:
    start = gzip.compress(b"")[:10] if block[0] == 0 else b""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\n{GZIP}\r\n".encode() + start)
        while not writer.is_closing():
            writer.write(block * 1000)
            await writer.drain()

    refused(tmp_path / "a", UploadTooLarge, answer, max_bytes=100_000)


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "deflate", "zstd"])
def test_other_encodings_are_refused(tmp_path: Path, encoding: str) -> None:
    headers = f"Content-Encoding: {encoding}\r\n"
    message = refused(tmp_path / "a", UrlUnreachable, says(b"x", headers=headers))
    assert "expected none, or gzip" in message


def test_encodings_in_two_headers_are_two(tmp_path: Path) -> None:
    twice = gzip.compress(gzip.compress(b"x"))
    refused(tmp_path / "a", UrlUnreachable, says(twice, headers=GZIP + GZIP))


@pytest.mark.parametrize(
    "body",
    [gzip.compress(bytes(9000))[:-5], b"RIFF", gzip.compress(b"x" * 9000)[:-4] + b"\0\0\0\0"],
    ids=["cut off", "no gzip", "wrong length"],
)
def test_damaged_gzip_is_no_recording(tmp_path: Path, body: bytes) -> None:
    assert refused(tmp_path / "a", UrlUnreachable, says(body, headers=GZIP)) == UNREACHABLE


def test_a_claim_above_the_limit_is_refused_at_once(tmp_path: Path) -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {MAX_BYTES + 1}\r\n\r\n".encode())
        await asyncio.sleep(60)

    refused(tmp_path / "a", UploadTooLarge, answer)


def test_an_endless_body_ends_at_the_limit(tmp_path: Path) -> None:
    refused(tmp_path / "a", UploadTooLarge, repeats(bytes(100_000)))


@pytest.mark.parametrize(
    "answer",
    [
        repeats(b"x", pause_seconds=0.02),
        repeats(b"", pause_seconds=0.02),
        repeats(b"HTTP/1.1 103 Early Hints\r\n\r\n", "X: y\r\n", pause_seconds=0.02),
    ],
    ids=["a drip", "silence", "more"],
)
def test_a_slow_host_is_left(tmp_path: Path, answer: Answer) -> None:
    message = refused(tmp_path / "a", UrlUnreachable, answer, seconds=0.3)
    assert "longer than 0.3 s" in message


def test_endless_interim_answers_are_left(tmp_path: Path) -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    refused(tmp_path / "a", UrlUnreachable, answer, seconds=0.3)


def test_a_slow_name_service_is_left(tmp_path: Path) -> None:
    class Slow(Names):
        async def __call__(self, host: str, port: int) -> list[str]:
            await asyncio.sleep(60)
            return []

    refused(tmp_path / "a", UrlUnreachable, says(b"x"), names=Slow(), seconds=0.2)


def raw(text: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        await writer.drain()

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort"),
        raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n"),
        raw(b""),
    ],
    ids=["cut off", "chunks cut off", "no HTTP", "a huge head", "nothing"],
)
def test_an_answer_that_breaks_off_is_no_recording(tmp_path: Path, answer: Answer) -> None:
    assert refused(tmp_path / "a", UrlUnreachable, answer) == UNREACHABLE


def test_an_empty_file_is_no_recording(tmp_path: Path) -> None:
    assert "empty file" in refused(tmp_path / "a", UrlUnreachable, says(b""))


@pytest.mark.parametrize("status", ["404 Not Found", "206 Partial Content", "302 Found"])
def test_another_status_is_named(tmp_path: Path, status: str) -> None:
    message = refused(tmp_path / "a", UrlUnreachable, says(b"secret", status=status))
    assert f"status {status[:3]}" in message
    assert "secret" not in message


def test_redirects_are_followed(tmp_path: Path) -> None:
    answers = (redirect("/b"), redirect("c?x=1"), says(b"here"))
    site = fetch(tmp_path / "a", *answers)
    assert [each.split(b" ")[1] for each in site.requests] == [b"/a.wav", b"/b", b"/c?x=1"]
    assert (tmp_path / "a").read_bytes() == b"here"


def test_redirects_come_to_an_end(tmp_path: Path) -> None:
    message = refused(tmp_path / "a", UrlUnreachable, redirect("/a.wav"))
    assert f"more than {MAX_REDIRECTS} times" in message


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1/", "http://127.0.0.2/", "http://0x7f.1/", "http://2130706433/",
     "http://[::ffff:127.0.0.1]/", "//169.254.169.254/latest/meta-data/", "file:///etc/passwd",
     "gopher://a.test/", "http://[", "http://u:p@a.test/", "https://a.test/"],
)  # fmt: skip
def test_a_redirect_to_elsewhere_is_refused(tmp_path: Path, location: str) -> None:
    message = refused(tmp_path / "a", UrlNotAllowed, redirect(location))
    assert "redirects to an address" in message
    assert "127" not in message


def test_a_redirect_to_a_name_of_an_inner_address_says_nothing_about_it(tmp_path: Path) -> None:
    async def main() -> list[str]:
        messages = []
        async with serving(says(b"x")) as inner:
            pass  # its port is closed now
        for host in ("inner.test", "closed.test", "unknown.test"):
            names = Names(
                a_test=[["127.0.0.1"]], inner_test=[["127.0.0.2"]], closed_test=[["127.0.0.1"]]
            )
            async with serving(redirect(f"http://{host}:{inner.port}/")) as site:
                calls = outbound(f"http://*:{site.port}, http://*:{inner.port}", names)
                fetcher = HttpFetcher(calls, max_bytes=MAX_BYTES, timeout_seconds=9)
                with pytest.raises(UrlUnreachable) as caught:
                    await fetcher(f"http://a.test:{site.port}/", tmp_path / "a")
                messages.append(caught.value.message)
        return messages

    assert asyncio.run(main()) == [UNREACHABLE] * 3


def test_passwords_do_not_follow_a_redirect(tmp_path: Path) -> None:
    async def main() -> Site:
        names = Names(a_test=[["127.0.0.1"]], b_test=[["127.0.0.1"]])
        async with serving(says(b"x")) as second:
            first = Site([redirect(f"http://b.test:{second.port}/")])
            server = await asyncio.start_server(first.handle, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            calls = outbound(f"http://*@a.test:{port}, http://*@b.test:{second.port}", names)
            fetcher = HttpFetcher(calls, max_bytes=MAX_BYTES, timeout_seconds=9)
            await fetcher(f"http://me:secret@a.test:{port}/", tmp_path / "a")
            assert b"Authorization: Basic" in first.requests[0]
            server.close()
            return second

    (request,) = asyncio.run(main()).requests
    assert b"uthorization" not in request


def test_a_folder_that_cannot_be_written_is_the_service_s_fault(tmp_path: Path) -> None:
    with pytest.raises(OutOfStorage) as caught:
        fetch(tmp_path / "missing" / "a", says(b"x"))
    assert str(tmp_path) not in caught.value.message


def test_a_cancelled_download_leaves_no_file(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(repeats(b"x" * 1000, pause_seconds=0.01)) as site:
            calls = outbound(f"http://*:{site.port}")
            fetcher = HttpFetcher(calls, max_bytes=MAX_BYTES, timeout_seconds=60)
            task = asyncio.create_task(fetcher(f"http://a.test:{site.port}/", tmp_path / "a"))
            while not list(tmp_path.glob("*.part")):
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert list(tmp_path.iterdir()) == []
