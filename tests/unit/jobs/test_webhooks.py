"""Webhooks, checked with the specification's own library."""

import asyncio
import hashlib
import hmac
import json
import time
from base64 import b64decode, b64encode

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from stt.errors import UrlNotAllowed
from stt.jobs.webhooks import (
    JITTER,
    PAUSES_SECONDS,
    Attempt,
    Message,
    Result,
    Webhooks,
    end_of_job,
    next_attempt,
    parse_retry_after,
    sign,
)
from stt.settings.signing import parse_secret
from tests.unit.jobs.web import Answer, Names, Site, outbound, redirect, repeats, says, serving

OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW = "whsec_" + b64encode(bytes(range(32))).decode()
ENDED = 1_764_244_800.25


def deliver(
    *answers: Answer,
    url: str = "http://a.test:{port}/hook?x=1",
    names: Names | None = None,
    seconds: float = 20.0,
) -> tuple[Attempt, Site]:
    async def main() -> tuple[Attempt, Site]:
        async with serving(*answers) as site:
            calls = outbound(f"http://a.test:{site.port}", names)
            hooks = Webhooks(calls, [*map(parse_secret, (NEW, OLD))], timeout_seconds=seconds)
            message = end_of_job(
                "j1", url.format(port=site.port), "succeeded", ENDED, '{"id":"j1","text":"가"}'
            )
            return await hooks.attempt(message, time.time()), site

    return asyncio.run(main())


def test_a_receiver_can_verify_and_read_the_message() -> None:
    attempt, site = deliver(says(status="204 No Content"))
    assert attempt == Attempt(Result.DELIVERED, 204)
    (request,) = site.requests
    head, _, body = request.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    assert line == "POST /hook?x=1 HTTP/1.1"
    headers = {name.lower(): value for name, value in (each.split(": ", 1) for each in lines)}
    assert headers["content-type"] == "application/json"
    for secret in (OLD, NEW):
        assert Webhook(secret).verify(body, headers) == {
            "type": "job.succeeded",
            "timestamp": "2025-11-27T12:00:00.250Z",
            "data": {"id": "j1", "text": "가"},
        }
    for wrong in (body + b" ", body.replace(b"j1", b"j2")):
        with pytest.raises(WebhookVerificationError):
            Webhook(OLD).verify(wrong, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(body, headers | {"webhook-id": "msg_j2"})


def test_the_signature_is_the_specification_s() -> None:
    """By its formula, since the library signs here too."""
    message = Message("msg_j1", "", '{"data": "가"}'.encode())
    headers = sign(message, [parse_secret(OLD)], 1_700_000_000.9)
    key = b64decode(OLD.removeprefix("whsec_"))
    expected = hmac.digest(key, b"msg_j1.1700000000." + message.body, hashlib.sha256)
    assert headers == {
        "webhook-id": "msg_j1",
        "webhook-timestamp": "1700000000",
        "webhook-signature": "v1," + b64encode(expected).decode(),
    }


def test_attempts_differ_only_in_their_time() -> None:
    message = end_of_job("j1", "https://a.test/", "failed", ENDED, "{}")
    assert message == end_of_job("j1", "https://a.test/", "failed", ENDED, "{}")
    assert json.loads(message.body)["type"] == "job.failed"
    first, second = (sign(message, [b"k" * 24], now) for now in (ENDED, ENDED + 60))
    assert first["webhook-id"] == second["webhook-id"] == "msg_j1"
    assert first["webhook-signature"] != second["webhook-signature"]


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        ("200 OK", "", Attempt(Result.DELIVERED, 200)),
        ("202 Accepted", "Retry-After: 9\r\n", Attempt(Result.DELIVERED, 202)),
        ("410 Gone", "", Attempt(Result.GONE, 410)),
        ("404 Not Found", "", Attempt(Result.FAILED, 404)),
        ("500 Oops", "", Attempt(Result.FAILED, 500)),
        ("429 Too Many", "Retry-After: 120\r\n", Attempt(Result.FAILED, 429, 120.0)),
        ("503 Later", "retry-after: nonsense\r\n", Attempt(Result.FAILED, 503)),
    ],
)
def test_statuses(status: str, headers: str, expected: Attempt) -> None:
    assert deliver(says(b"whatever", status=status, headers=headers))[0] == expected


def test_redirects_are_failures() -> None:
    attempt, site = deliver(redirect("/elsewhere"))
    assert attempt == Attempt(Result.FAILED, 302)
    assert len(site.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        repeats(bytes(10_000)),
        repeats(b"x", pause_seconds=0.05),
        repeats(b"", "Content-Length: 9\r\n"),
    ],
    ids=["endless", "slow", "cut off"],
)
def test_the_status_counts_whatever_follows_it(answer: Answer) -> None:
    assert deliver(answer, seconds=0.5)[0] == Attempt(Result.DELIVERED, 200)


@pytest.mark.parametrize(
    "options",
    [
        {"names": Names(a_test=[["127.0.0.2"]])},
        {"names": Names()},
        {"url": "http://b.test:{port}/"},
        {"url": "http://169.254.169.254/"},
    ],
    ids=["inner address", "unknown name", "another host", "metadata"],
)
def test_a_receiver_that_may_not_be_called_is_a_failure_that_says_nothing(
    options: dict[str, object],
) -> None:
    attempt, site = deliver(says(), **options)  # type: ignore[arg-type]
    assert attempt == Attempt(Result.FAILED)
    assert site.requests == []


def test_a_slow_receiver_is_a_failure() -> None:
    async def nothing(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    assert deliver(nothing, seconds=0.2)[0] == Attempt(Result.FAILED)


def test_a_receiver_is_refused_before_the_job_is_stored() -> None:
    hooks = Webhooks(outbound("hooks.test"), [b"k" * 24], timeout_seconds=1)
    hooks.check("https://hooks.test/x")
    with pytest.raises(UrlNotAllowed, match="`webhook_url`"):
        hooks.check("https://other.test/x")


FAILED = Attempt(Result.FAILED, 500)


def test_pauses_grow_and_come_to_an_end() -> None:
    now, times = 1000.0, []
    while (after := next_attempt(FAILED, len(times) + 1, now, 0.0)) is not None:
        times.append(after - now)
        now = after
    assert tuple(times) == PAUSES_SECONDS == tuple(sorted(PAUSES_SECONDS))
    assert now - 1000 == pytest.approx(3.15 * 86_400, rel=0.01)


def test_jitter_lengthens_a_pause() -> None:
    assert next_attempt(FAILED, 1, 0.0, 0.5) == pytest.approx(5 * (1 + JITTER / 2))


@pytest.mark.parametrize(("asked", "pause"), [(3.0, 5.0), (600.0, 600.0), (1e9, 86_400.0)])
def test_a_receiver_may_ask_for_a_longer_pause(asked: float, pause: float) -> None:
    assert next_attempt(Attempt(Result.FAILED, 429, asked), 1, 0.0, 0.0) == pause


@pytest.mark.parametrize("result", [Result.DELIVERED, Result.GONE])
def test_what_is_delivered_or_unwanted_is_over(result: Result) -> None:
    assert next_attempt(Attempt(result, 200), 1, 0.0, 0.0) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("120", 120.0), (" 0 ", 0.0), ("Thu, 27 Nov 2025 12:01:00 GMT", 60.0),
     ("Thu, 27 Nov 2025 11:00:00 GMT", 0.0), ("", None), ("-5", None), ("1.5", None),
     ("9" * 400, None), ("²", None), ("Thu, 99 Nov 2025 12:01:00 GMT", None)],
)  # fmt: skip
def test_retry_after(text: str, expected: float | None) -> None:
    assert parse_retry_after(text, 1_764_244_800.0) == expected
