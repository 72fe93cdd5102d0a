"""What surrounds every request: its id, its log line, its size limit, its end.

Pure ASGI, without ``BaseHTTPMiddleware``: under that one, a handler cannot see that its client has
gone.
"""

import asyncio
import logging
import re
import time
import uuid
from contextlib import suppress

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stt.observability.logs import request_id, trace_context
from stt.observability.metrics import METHODS, UNMATCHED, Metrics, RouteLabels
from stt.observability.tracecontext import continue_trace
from stt.observability.tracing import current_trace
from stt.server.admission import refuse
from stt.server.failures import CANCELLED, noted_failure
from stt.server.problems import BUG, problem

logger = logging.getLogger(__name__)

REQUEST_ID_HEADER = "X-Request-ID"
ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
"""A client's own id is taken over if it is harmless in a log and in a header."""
QUIET_PATHS = frozenset(
    {"/livez", "/readyz", "/health", "/metrics", "/v2/health/live", "/v2/health/ready"}
)
"""Asked every few seconds by programs; the loader logs what the probes would tell."""

STARTS = frozenset({"http.response.start", "websocket.http.response.start", "websocket.accept"})
"""Messages that an answer begins with, and that carry its headers."""
SWITCHING_PROTOCOLS = 101
CLIENT_CLOSED_REQUEST = 499
"""What nginx, too, logs where nobody was there to be answered."""
LINGER_SECONDS, LINGER_BYTES = 5.0, 64_000_000
"""How much of what a refused client still sends is thrown away before its connection is closed."""


class RequestContext:
    """Gives each request an id and a trace, its caller's or new ones; answer and log show them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get(REQUEST_ID_HEADER, "")
        current = given if ACCEPTABLE_ID.fullmatch(given) else uuid.uuid4().hex
        trace = current_trace() or continue_trace(headers.getlist("traceparent"))

        async def send_with_ids(message: Message) -> None:
            if message["type"] in STARTS:
                message.setdefault("headers", [])
                MutableHeaders(scope=message).update(
                    {REQUEST_ID_HEADER: current, "traceresponse": trace.traceresponse}
                )
            await send(message)

        request_token, trace_token = request_id.set(current), trace_context.set(trace)
        try:
            await self._app(scope, receive, send_with_ids)
        finally:
            request_id.reset(request_token)
            trace_context.reset(trace_token)


class RequestRecord:
    """Logs and counts each request when it is done, and answers what nobody foresaw."""

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
        labels = (method if method in METHODS else UNMATCHED, self._routes.find(scope["path"]))

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
                raise  # the answer has begun; the server ends the connection
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
            level = logging.DEBUG if scope["path"] in QUIET_PATHS else logging.INFO
            logger.log(level, "%s %s %d", method, scope["path"], status, extra=extra)


class BodyLimit:
    """Refuses an upload that is larger than allowed, declared or not, or that takes too long.

    The time is that of the whole upload: a byte a second is progress and would go on for ever.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, timeout_seconds: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._timeout_seconds = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        too_large = HTTPException(
            413,
            detail=f"The upload is larger than {self._max_bytes / 1e6:g} MB, the limit here. Send "
            "a compressed format (FLAC, OGG, MP3), or the recording in parts.",
        )
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        received, complete = 0, False

        async def receive_limited() -> Message:
            nonlocal received, complete
            if declared.isdecimal() and int(declared) > self._max_bytes:
                raise too_large
            try:
                async with asyncio.timeout_at(None if complete else deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(
                    408,
                    detail=f"The upload was not there after {self._timeout_seconds:g} s, the limit "
                    "here. Send a compressed format (FLAC, OGG, MP3), or the recording in parts.",
                ) from None
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise too_large
            complete = not message.get("more_body", False)
            return message

        await self._app(scope, receive_limited, send)


class LingeringClose:
    """Lets an answer that comes before the end of the upload arrive.

    A connection that is closed while its client still sends is reset, and the reset may overtake
    the answer (RFC 9112, 9.6). So the answer is sent whole and says that the connection ends, what
    still comes is thrown away for a moment, and only then is it closed.
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
        thrown_away = 0

        async def receive_noting() -> Message:
            nonlocal unread
            message = await receive()
            unread = message.get("more_body", False)
            return message

        async def send_lingering(message: Message) -> None:
            nonlocal early, thrown_away
            if message["type"] == "http.response.start" and unread:
                early = True
                MutableHeaders(scope=message)["Connection"] = "close"
            elif early and not message.get("more_body", False):
                await send({**message, "more_body": True})
                with suppress(TimeoutError):
                    async with asyncio.timeout(LINGER_SECONDS):
                        while unread and thrown_away < LINGER_BYTES:
                            thrown_away += len((await receive_noting()).get("body", b""))
                message = {"type": "http.response.body", "body": b"", "more_body": False}
            await send(message)

        await self._app(scope, receive_noting, send_lingering)
