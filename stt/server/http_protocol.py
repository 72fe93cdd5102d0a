"""uvicorn's HTTP/1.1 with bounds on what a client can send before the application sees it.

uvicorn itself has no limit on the size of a head, on its fields or trailers, on pipelined requests
or on the time that a head takes.
"""

import asyncio
import json
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from stt.server.problems import CODES
from stt.server.schemas import Problem

MAX_HEAD_BYTES = 128 * 1024
"""Of a head, of trailers or of a chunk's extensions. One more read (256 KiB) may arrive."""
MAX_FIELDS = 200
"""Header fields of a request; trailers count too."""
MAX_PIPELINED = 16
"""Requests that wait for the answer to an earlier one on their connection."""


class HeadTooLarge(Exception):
    """Ends the parsing of a connection's input."""


class BoundedHttp(HttpToolsProtocol):
    """Refuses oversized heads with 431 and slow ones with 408, and closes the connection.

    Trailers are dropped: uvicorn would add them to the headers that have been checked.
    """

    def __init__(self, *args: Any, head_timeout_seconds: float, **options: Any) -> None:
        """
        Args:
            args: uvicorn's, like ``options``.
            head_timeout_seconds: Time from a request's first byte, or from the connection, to the
                end of its head.
        """
        super().__init__(*args, **options)
        self._head_timeout_seconds = head_timeout_seconds
        self._head_timer: asyncio.TimerHandle | None = None
        self._expects_head, self._received_any = True, False
        self._in_trailers = False
        self._n_fields = 0
        self._n_unused = 0
        """Bytes since the last head, piece of a body or end of a request."""
        self._refused = False
        """The rest of the input is ignored."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Called by the event loop."""
        super().connection_made(transport)
        self._time_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._stop_timing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop with new input."""
        if self._refused:
            return
        self._n_unused += len(data)
        self._received_any = True
        if self._expects_head and self._head_timer is None:
            self._time_head()
        super().data_received(data)
        if self._n_unused > MAX_HEAD_BYTES and not self._refused:
            self._refuse(431, f"The head exceeds {MAX_HEAD_BYTES} bytes.")

    def on_message_begin(self) -> None:
        """Called by the parser, as all that follow."""
        self._in_trailers = False
        self._n_fields = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A complete field of the head or of the trailers."""
        self._n_fields += 1
        if self._n_fields > MAX_FIELDS:
            self._refuse(431, f"The head has more than {MAX_FIELDS} fields.")
            raise HeadTooLarge
        if not self._in_trailers:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is complete; starts or queues the request."""
        self._stop_timing()
        self._expects_head, self._in_trailers = False, True
        self._n_unused = 0
        if len(self.pipeline) >= MAX_PIPELINED:
            # The connection closes after the last queued answer (RFC 9112, 9.3.2).
            self._refused = True
            self.pipeline[0][0].keep_alive = False
            raise HeadTooLarge
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._n_unused = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is complete."""
        self._n_unused = 0
        self._expects_head = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Called for input that the parser rejects, also after `HeadTooLarge`."""
        if not self._refused:
            super().send_400_response(msg)

    def _time_head(self) -> None:
        self._head_timer = self.loop.call_later(self._head_timeout_seconds, self._time_out)

    def _stop_timing(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _time_out(self) -> None:
        if self._is_answering:  # an earlier request of this connection
            self._time_head()
        elif self._received_any:
            seconds = self._head_timeout_seconds
            self._refuse(408, f"The head took longer than {seconds:g} s.")
        else:
            self.transport.close()

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, status: int, detail: str) -> None:
        """Answer, unless that would cut into another answer, and close."""
        self._refused = True
        self._stop_timing()
        if not self._is_answering:
            title = HTTPStatus(status).phrase
            problem = Problem(
                title=title, status=status, detail=detail, code=CODES[status], request_id=None
            )
            body = json.dumps(problem.model_dump()).encode()
            self.transport.write(
                STATUS_LINE[status]
                + b"content-type: application/problem+json\r\ncontent-length: %d\r\n" % len(body)
                + b"connection: close\r\n\r\n"
                + body
            )
        self.transport.close()
