"""Reports the end of a job to its ``webhook_url``, as Standard Webhooks 1.0.0 says.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

A message has the same id and the same body in every attempt, so that a receiver who has seen the id
can ignore it. Attempts go on for three days, with growing pauses.
"""

import asyncio
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

import httpcore
from standardwebhooks import Webhook

from stt.errors import UrlNotAllowed
from stt.jobs.outbound import Outbound, Unreachable

PAUSES_SECONDS = (5, 60, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Before the second attempt, the third, and so on: the schedule that the specification gives as an
example, with one more attempt after a minute. Three days in all."""
JITTER = 0.2
"""The largest jitter, as a share of a pause: receivers that failed together should not be called
together."""
MAX_RETRY_AFTER_SECONDS = 86_400.0
MAX_ANSWER_BYTES = 64 * 1024
"""How much of an answer is read, and ignored: some servers expect that it is read."""


@dataclass(frozen=True)
class Message:
    """What is sent to a receiver, in every attempt."""

    id: str
    """Idempotency key."""
    url: str
    body: bytes
    """JSON."""


class Result(StrEnum):
    """How an attempt ended."""

    DELIVERED = "delivered"
    GONE = "gone"
    """The receiver wants no more attempts (410)."""
    FAILED = "failed"


@dataclass(frozen=True)
class Attempt:
    """One attempt to deliver a message."""

    result: Result
    status: int | None = None
    """None if no answer came."""
    retry_after_seconds: float | None = None
    """What the receiver asks for."""


def end_of_job(job_id: str, url: str, state: str, ended: float, data: str) -> Message:
    """The message about a job that has ended.

    Args:
        job_id: Without a full stop, since signatures separate by it.
        url: The receiver.
        state: ``succeeded``, ``failed`` or ``cancelled``.
        ended: Seconds since 1970.
        data: The job, as JSON. The specification recommends less than 20 KB.
    """
    moment = datetime.fromtimestamp(ended, UTC).isoformat(timespec="milliseconds")
    head = json.dumps({"type": f"job.{state}", "timestamp": moment.replace("+00:00", "Z")})
    body = f'{head[:-1]}, "data": {data}}}'.encode()
    return Message(f"msg_{job_id}", url, body)


def sign(message: Message, secrets: Sequence[bytes], now: float) -> dict[str, str]:
    """The headers of an attempt.

    Args:
        message: The message.
        secrets: Each gives a signature; receivers check whether any fits.
        now: Seconds since 1970.
    """
    moment = datetime.fromtimestamp(math.floor(now), UTC)
    body = message.body.decode()
    signatures = [Webhook(secret).sign(message.id, moment, body) for secret in secrets]
    return {
        "webhook-id": message.id,
        "webhook-timestamp": str(math.floor(now)),
        "webhook-signature": " ".join(signatures),
    }


def next_attempt(last: Attempt, n_attempts: int, now: float, chance: float) -> float | None:
    """When to try again, in seconds since 1970; None if it is over.

    Whatever is no success is tried again, as the specification says: 404 may be a receiver that is
    being replaced, and what is missed is missed for good.

    Args:
        last: The attempt that has just ended.
        n_attempts: All attempts so far, with that one.
        now: When it ended, in seconds since 1970.
        chance: From 0 to 1, for the jitter.
    """
    if last.result is not Result.FAILED or n_attempts > len(PAUSES_SECONDS):
        return None
    pause = PAUSES_SECONDS[n_attempts - 1] * (1 + JITTER * chance)
    asked = min(last.retry_after_seconds or 0.0, MAX_RETRY_AFTER_SECONDS)
    return now + max(pause, asked)


class Webhooks:
    """Delivers messages."""

    def __init__(
        self, outbound: Outbound, secrets: Sequence[bytes], *, timeout_seconds: float
    ) -> None:
        """
        Args:
            outbound: Calls the receivers.
            secrets: As `stt.settings.signing.parse_secret` returns them.
            timeout_seconds: For one attempt.
        """
        self._outbound = outbound
        self._secrets = tuple(secrets)
        self._timeout_seconds = timeout_seconds

    def check(self, url: str) -> None:
        """Refuse a receiver before a job is stored.

        Raises:
            UrlNotAllowed: it is malformed, or its host is not allowed.
        """
        self._outbound.check(url, "webhook_url")

    async def attempt(self, message: Message, now: float) -> Attempt:
        """Try once to deliver a message; never raises because of a receiver.

        Args:
            message: The message.
            now: Seconds since 1970.
        """
        attempt = Attempt(Result.FAILED)
        try:
            # The operator may have removed the host in the meantime, and may add it again.
            target = self._outbound.check(message.url, "webhook_url")
            headers = {
                "Content-Type": "application/json",
                "User-Agent": "stt-ctc",
                "Content-Length": str(len(message.body)),
                **sign(message, self._secrets, now),
            }
            async with (
                asyncio.timeout(self._timeout_seconds),
                self._outbound.call("POST", target, headers, message.body) as response,
            ):
                attempt = _judge(response, now)
                await _drain(response)
        except (UrlNotAllowed, Unreachable, TimeoutError):
            pass  # after the status, whatever goes wrong no longer matters
        return attempt


def _judge(response: httpcore.Response, now: float) -> Attempt:
    """What an answer means. Redirects are failures: a signed message goes to nobody else."""
    if 200 <= response.status <= 299:
        return Attempt(Result.DELIVERED, response.status)
    if response.status == 410:
        return Attempt(Result.GONE, response.status)
    headers = {name.lower(): value.decode("latin-1") for name, value in response.headers}
    return Attempt(
        Result.FAILED, response.status, parse_retry_after(headers.get(b"retry-after", ""), now)
    )


async def _drain(response: httpcore.Response) -> None:
    """Read an answer, within bounds."""
    n_bytes = 0
    async for block in response.aiter_stream():
        n_bytes += len(block)
        if n_bytes > MAX_ANSWER_BYTES:
            return


def parse_retry_after(text: str, now: float) -> float | None:
    """Seconds to wait, from ``Retry-After`` (RFC 9110, section 10.2.3); None if it says nothing.

    Args:
        text: A number of seconds, or a date.
        now: Seconds since 1970.
    """
    text = text.strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError):
        return None
