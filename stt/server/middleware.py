"""Middleware for every request: its id, log line, body limit and close.

Pure ASGI: under ``BaseHTTPMiddleware`` a handler cannot see that its client has left.
"""

import asyncio
import logging
import re
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stt.observability.logs import request_id, trace_fields
from stt.observability.metrics import METHODS, UNMATCHED, Metrics, RouteLabels
from stt.observability.tracing import log_fields, trace_of_request, traceresponse
from stt.server.failures import CANCELLED, noted_failure
from stt.server.paths import route_path
from stt.server.problems import BUG, problem, refuse
from stt.settings import Settings

logger = logging.getLogger(__name__)

REQUEST_ID_HEADER = "X-Request-ID"
ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
"""Ids from clients that are safe in logs and headers."""
QUIET_PATHS = frozenset(
    {"/livez", "/readyz", "/health", "/metrics", "/v2/health/live", "/v2/health/ready"}
)
"""Polled every few seconds, so logged at DEBUG; the loader logs state changes."""

STARTS = frozenset({"http.response.start", "websocket.http.response.start", "websocket.accept"})
"""Messages that begin an answer and carry its headers."""
SWITCHING_PROTOCOLS = 101
"""The status of live connections in the log and the metrics."""
CLIENT_CLOSED_REQUEST = 499
"""nginx's status for a client that left before the answer."""
LOGGED_PATH = 200
"""Characters of a path in the log."""
LINGER_SECONDS, LINGER_BYTES = 5.0, 64_000_000
"""Limits on draining the upload of a refused client before its connection closes."""
SMALLER = "Send a compressed format (FLAC, OGG, MP3), or send the recording in parts."


class RequestContext:
    """Gives each request an id and a trace, the caller's or new, for answers and logs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get(REQUEST_ID_HEADER, "")
        current = given if ACCEPTABLE_ID.fullmatch(given) else uuid.uuid4().hex
        trace = trace_of_request(headers.getlist("traceparent"))

        async def send_with_ids(message: Message) -> None:
            if message["type"] in STARTS:
                message.setdefault("headers", [])
                MutableHeaders(scope=message).update(
                    {REQUEST_ID_HEADER: current, "traceresponse": traceresponse(trace)}
                )
            await send(message)

        request_token = request_id.set(current)
        trace_token = trace_fields.set(log_fields(trace))
        try:
            await self._app(scope, receive, send_with_ids)
        finally:
            request_id.reset(request_token)
            trace_fields.reset(trace_token)


class RequestRecord:
    """Logs and counts each finished request, and answers unexpected errors."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._routes: RouteLabels | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0
        self._routes = self._routes or RouteLabels(scope["app"].routes)
        method = scope.get("method", "WEBSOCKET")
        labels = (method if method in METHODS else UNMATCHED, self._routes.find(route_path(scope)))

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] in STARTS:
                status = message.get("status", SWITCHING_PROTOCOLS)
            await send(message)

        try:
            with self._metrics.requests_in_progress.labels(*labels).track_inprogress():
                await self._app(scope, receive, send_noting)
        except Exception:
            logger.critical("unexpected error", exc_info=True)
            if status:
                raise  # the answer has begun, so the server closes the connection
            await refuse(problem(500, *BUG), scope, receive, send_noting)
        finally:
            seconds = time.perf_counter() - started
            failure = noted_failure(scope)
            if failure == CANCELLED or not status:
                status = CLIENT_CLOSED_REQUEST
            if failure is not None:
                self._metrics.request_failures.labels(failure).inc()
            self._metrics.request_duration.labels(*labels, status).observe(seconds)
            extra = {"seconds": round(seconds, 3)} | ({"code": failure} if failure else {})
            level = logging.DEBUG if route_path(scope) in QUIET_PATHS else logging.INFO
            logger.log(level, "%s %s %d", method, scope["path"][:LOGGED_PATH], status, extra=extra)


class HeadAsGet:
    """Answers HEAD on every route of GET, without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"}, receive, send_head)


@dataclass(frozen=True)
class UploadLimits:
    """How large and how slow an upload may be."""

    max_bytes: int
    timeout_seconds: float
    """For the whole upload."""
    grace_seconds: float
    min_rate: float
    """Bytes per second, on average and after ``grace_seconds``; 0: any rate."""

    @classmethod
    def of(cls, settings: Settings) -> "UploadLimits":
        """Those of the settings."""
        return cls(
            int(settings.max_upload_mb * 1e6),
            settings.body_timeout_seconds,
            settings.upload_grace_seconds,
            settings.upload_min_bytes_per_second,
        )

    def seconds_for(self, n_bytes: int) -> float:
        """Longest time that the client may take for its first ``n_bytes`` and the next piece."""
        if not self.min_rate:
            return self.timeout_seconds
        return min(self.timeout_seconds, self.grace_seconds + n_bytes / self.min_rate)

    def too_slow(self, n_bytes: int) -> HTTPException:
        """The error after `seconds_for`."""
        if self.seconds_for(n_bytes) < self.timeout_seconds:
            detail = f"The upload is slower than the minimum of {self.min_rate:g} bytes a second."
        else:
            detail = f"The upload exceeded the {self.timeout_seconds:g} s limit. {SMALLER}"
        return HTTPException(408, detail=detail)


class BodyLimit:
    """Refuses uploads that are too large, whether declared or chunked, or too slow.

    Limits the mean rate and the time of the whole upload: one byte per second would never hit an
    idle timeout. Starlette's body limit has neither, and no error details.
    """

    def __init__(self, app: ASGIApp, limits: UploadLimits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limits = self._limits
        declared = Headers(scope=scope).get("content-length", "0")
        too_large = HTTPException(
            413,
            detail=f"The upload exceeds the limit of {limits.max_bytes / 1e6:g} MB. {SMALLER}",
        )
        started = asyncio.get_running_loop().time()
        received, complete = 0, False

        async def receive_limited() -> Message:
            nonlocal received, complete
            if declared.isdecimal() and int(declared) > limits.max_bytes:
                raise too_large
            deadline = started + limits.seconds_for(received)
            try:
                async with asyncio.timeout_at(None if complete else deadline):
                    message = await receive()
            except TimeoutError:
                raise limits.too_slow(received) from None
            received += len(message.get("body", b""))
            if received > limits.max_bytes:
                raise too_large
            complete = not message.get("more_body", False)
            return message

        await self._app(scope, receive_limited, send)


class LingeringClose:
    """Makes answers arrive that are sent before the end of the upload.

    Closing a connection while the client still sends resets it, and the reset can overtake the
    answer (RFC 9112, 9.6). So this sends the answer with ``Connection: close``, discards input
    for a moment, and then closes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else {}
        unread = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        if not unread:
            await self._app(scope, receive, send)
            return
        early = False
        discarded = 0

        async def receive_noting() -> Message:
            nonlocal unread
            message = await receive()
            unread = message.get("more_body", False)
            return message

        async def send_lingering(message: Message) -> None:
            nonlocal early, discarded
            if message["type"] == "http.response.start" and unread:
                early = True
                MutableHeaders(scope=message)["Connection"] = "close"
            elif early and not message.get("more_body", False):
                await send({**message, "more_body": True})
                with suppress(TimeoutError):
                    async with asyncio.timeout(LINGER_SECONDS):
                        while unread and discarded < LINGER_BYTES:
                            discarded += len((await receive_noting()).get("body", b""))
                message = {"type": "http.response.body", "body": b"", "more_body": False}
            await send(message)

        await self._app(scope, receive_noting, send_lingering)
