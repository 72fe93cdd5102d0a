"""uvicorn's WebSockets, with input in short turns and close frames that reach the client."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from stt.server.middleware import LINGER_BYTES

QUIET_SECONDS = 2.0
"""Silence after which the connection closes; the client has seen the close frame by then."""
TURN_SECONDS = 0.002
"""Most time for a connection's input in a turn of the event loop; for all input between rests."""
REST_SECONDS = 0.001
"""Rest from input, in which other threads run.

A thread demands Python's lock only if it has not changed hands for 5 ms. Every system call of the
event loop gives it up for a moment, so without rests a thread could wait for seconds.
"""
PIECE_BYTES = 512
"""Input handled between two looks at the clock: at most 85 frames, some 2 ms."""
MAX_FRAGMENTS = 1024
"""Frames of one message; empty ones would never reach the limit on its size."""
POLICY_VIOLATION = 1008


class InputTurns:
    """The connections of a server whose input waits.

    Each turn of the event loop handles a little input of one of them, so however many flood the
    service, everything else gets its turn in between. Other threads get theirs in the rests.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._waiting: deque[PatientWebSockets] = deque()
        self._spent_seconds = 0.0
        """Since the last rest."""

    def add(self, connection: "PatientWebSockets") -> None:
        """Let a connection wait for its turn."""
        self._waiting.append(connection)
        if len(self._waiting) == 1:
            self._plan_next(connection.loop)

    def _plan_next(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._spent_seconds < TURN_SECONDS:
            loop.call_soon(self._next)
        else:
            self._spent_seconds = 0.0
            loop.call_later(REST_SECONDS, self._next)

    def _next(self) -> None:
        connection = self._waiting[0]
        began = self._clock()
        try:
            connection.take_turn()
        finally:
            self._waiting.popleft()
            self._spent_seconds += self._clock() - began
            if self._waiting:
                self._plan_next(connection.loop)


class PatientWebSockets(WebSocketsSansIOProtocol):
    """Handles its input in turns with others, and keeps reading for a moment after an error.

    uvicorn handles all that was read at once, up to 256 KiB, which a flood of tiny frames turns
    into seconds without service for everybody else.

    After a message that breaks the protocol it closes at once, so the rest of an oversized message
    meets a closed connection. The client then gets a reset, which overtakes the close frame with
    1009. RFC 6455, 7.1.1, lets the server keep reading for this reason.
    """

    def __init__(self, *args: Any, turns: InputTurns, **options: Any) -> None:
        super().__init__(*args, **options)
        self._turns = turns
        self._backlog = bytearray()
        """Input that waits for its turn; nothing is read meanwhile."""
        self._turn_comes = False
        self._broken = False
        self._n_discarded = 0

    def data_received(self, data: bytes) -> None:
        """Called by the event loop with new input."""
        if self._broken:
            self._n_discarded += len(data)
            if self._n_discarded > LINGER_BYTES:
                self.transport.close()
            else:
                self._wait_for_silence()
            return
        self._backlog += data
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()
        self._go_on()

    async def receive(self) -> Any:
        """Called by the application; the next turn comes when it has taken all messages."""
        message = await self.queue.get()
        self._go_on()
        return message

    def resume_writing(self) -> None:
        """Called by the event loop when the client has read what was sent."""
        super().resume_writing()
        self._go_on()

    def handle_ping(self) -> None:
        """Called for each ping; the turn sends all their pongs at once."""

    def handle_cont(self, event: Frame) -> None:
        """Called for each further frame of a message."""
        if self._broken:
            return
        if len(self.frames) >= MAX_FRAGMENTS:
            self.conn.fail(POLICY_VIOLATION, "too many fragments")
            self.handle_parser_exception()
            return
        super().handle_cont(event)

    def handle_parser_exception(self) -> None:
        """Send the close frame and keep reading."""
        if self.conn.close_sent is None:  # the client left in the middle of a frame
            self.transport.close()
            return
        self._broken = self.close_sent = True
        code, reason = self.conn.close_sent.code, self.conn.close_sent.reason
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self._resume()
        self._wait_for_silence()

    def take_turn(self) -> None:
        """Called by `InputTurns`: handle a little input, up to the next message."""
        self._turn_comes = False
        end = time.perf_counter() + TURN_SECONDS
        while self._backlog and self._may_go_on():
            piece = bytes(self._backlog[:PIECE_BYTES])
            del self._backlog[:PIECE_BYTES]
            super().data_received(piece)
            if self._broken or self.transport.is_closing():
                self._backlog.clear()
                return
            if pongs := self.conn.data_to_send():
                self.transport.write(b"".join(pongs))
            if time.perf_counter() > end:
                break
        self._go_on()

    def _may_go_on(self) -> bool:
        """Whether the application has taken all messages, and the client what was sent.

        Pongs would pile up for a client that does not read them. After the close frame nobody
        takes messages, and only the client's reply is of interest.
        """
        return self.writable.is_set() and (self.queue.empty() or self.close_sent)

    def _go_on(self) -> None:
        """Wait for the next turn, or read more if no input is left."""
        if not self._may_go_on():
            return
        if not self._backlog:
            self._resume()
        elif not self._turn_comes:
            self._turn_comes = True
            self._turns.add(self)

    def _resume(self) -> None:
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def _wait_for_silence(self) -> None:
        # uvicorn uses this timer to wait for the answer to the application's close frame.
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(QUIET_SECONDS, self.transport.close)
