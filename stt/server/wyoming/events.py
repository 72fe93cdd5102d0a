"""Wyoming's events as bytes: a line of JSON, more JSON, a payload. Sizes are checked first.

The reader of the package ``wyoming`` allocates whatever a header claims, so only its event classes
are used. https://github.com/OHF-Voice/wyoming#format
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from wyoming.event import Event

from stt.errors import InvalidParameter
from stt.server.websocket_protocol import REST_SECONDS, TURN_SECONDS

MAX_JSON_BYTES = 65_536
"""Most bytes of a header, and of the data after it: while JSON is parsed, everybody waits."""
EXPECTED = 'Expected a line of JSON such as {"type": "describe"}, as the Wyoming protocol has it.'


class Refusal(Exception):
    """Ends the connection with an error event."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Header(BaseModel):
    """The line that begins an event."""

    type: str = Field(max_length=100)
    data: dict[str, Any] | None = None
    data_length: int | None = Field(default=None, ge=0)
    payload_length: int | None = Field(default=None, ge=0)


class Turns:
    """Lets connections parse one event at a time, and the event loop do other work in between.

    Input that has arrived is read without a pause otherwise, so a flood of tiny events would keep
    everybody else waiting; see `stt.server.websocket_protocol.InputTurns`.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._spent_seconds = 0.0
        """Since the last rest."""

    @asynccontextmanager
    async def next(self) -> AsyncIterator[None]:
        """Wait for a turn, which lasts for the block."""
        async with self._lock:
            began = time.perf_counter()
            try:
                yield
            finally:
                self._spent_seconds += time.perf_counter() - began
                rest = self._spent_seconds >= TURN_SECONDS
                if rest:
                    self._spent_seconds = 0.0
                await asyncio.sleep(REST_SECONDS if rest else 0)


async def read_event(
    reader: asyncio.StreamReader, turns: Turns, max_payload_bytes: int
) -> Event | None:
    """Read the next event; None once the client has closed the connection.

    Args:
        reader: Its limit is `MAX_JSON_BYTES`.
        turns: Shared by all connections.
        max_payload_bytes: Limit of a payload; nothing larger is read.

    Raises:
        Refusal: it is too large, or not an event.
    """
    try:
        line = await reader.readuntil(b"\n")
        async with turns.next():
            header = parse_header(line)
        check_size("data", header.data_length or 0, MAX_JSON_BYTES)
        hint = " Send audio in smaller chunks."
        check_size("payload", header.payload_length or 0, max_payload_bytes, hint)
        data = dict(header.data or {})
        if header.data_length:
            more = await reader.readexactly(header.data_length)
            async with turns.next():
                data |= parse_object(more)
        payload = await reader.readexactly(header.payload_length or 0)
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError:
        raise too_big("header", f"more than {MAX_JSON_BYTES}", MAX_JSON_BYTES) from None
    return Event(header.type, data, payload)


def json_line(event: Event) -> bytes:
    """An event without a payload as a single line."""
    return json.dumps(event.to_dict(), ensure_ascii=False).encode() + b"\n"


def parse_header(line: bytes) -> Header:
    """Parse the line that begins an event.

    Raises:
        Refusal: it is none.
    """
    try:
        return Header.model_validate(parse_object(line))
    except ValidationError as error:
        raise invalid(error, "header") from None


def parse_object(text: bytes) -> dict[str, Any]:
    """
    Raises:
        Refusal: it is not a JSON object.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Refusal("invalid_json", f"Invalid JSON. {EXPECTED}") from None
    if not isinstance(found, dict):
        raise Refusal("invalid_json", f"Not a JSON object. {EXPECTED}")
    return found


def check_size(part: str, n_bytes: int, limit: int, hint: str = "") -> None:
    """
    Raises:
        Refusal: this part of an event is too large.
    """
    if n_bytes > limit:
        raise too_big(part, str(n_bytes), limit, hint)


def too_big(part: str, size: str, limit: int, hint: str = "") -> Refusal:
    """The refusal of an event of which one part is too large."""
    message = f"The event's {part} has {size} bytes; the limit is {limit}.{hint}"
    return Refusal("message_too_big", message)


def invalid(error: ValidationError, event: str) -> Refusal:
    """The refusal of an event with an invalid value."""
    fault = error.errors()[0]
    name = ".".join([event, *map(str, fault["loc"])])
    return Refusal(InvalidParameter.code, f"{name}: {fault['msg']}.")
