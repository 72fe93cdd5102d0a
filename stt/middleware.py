"""What surrounds every request: its id, its log line, its size limit.

Pure ASGI, without ``BaseHTTPMiddleware``: under that one, a handler cannot see that its client has
gone.
"""

import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stt.logs import request_id

logger = logging.getLogger(__name__)

REQUEST_ID_HEADER = "X-Request-ID"
ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
"""A client's own id is taken over if it is harmless in a log and in a header."""
QUIET_PATHS = frozenset({"/livez", "/readyz", "/health"})
"""Asked every few seconds by probes; the loader logs what they would tell."""


class RequestContext:
    """Gives each request an id, on its answer and on its log lines, and logs it when done."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
        current = given if ACCEPTABLE_ID.fullmatch(given) else uuid.uuid4().hex
        token = request_id.set(current)
        started = time.perf_counter()
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = current
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            quiet = scope["path"] in QUIET_PATHS
            logger.log(
                logging.DEBUG if quiet else logging.INFO,
                "%s %s %d",
                scope["method"],
                scope["path"],
                status,
                extra={"seconds": round(time.perf_counter() - started, 3)},
            )
            request_id.reset(token)


class BodyLimit:
    """Refuses a body that is larger than allowed, whether its length is declared or not."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        too_large = HTTPException(
            413,
            detail=f"The upload is larger than {self._max_bytes / 1e6:g} MB, the limit here. Send "
            "a compressed format (FLAC, OGG, MP3), or the recording in parts.",
            headers={"Connection": "close"},
        )
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            if declared.isdigit() and int(declared) > self._max_bytes:
                raise too_large
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise too_large
            return message

        await self._app(scope, receive_counted, send)
