"""uvicorn's WebSockets, with closes that arrive even while the client still sends."""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from stt.server.middleware import LINGER_BYTES

QUIET_SECONDS = 2.0
"""Silence after which the connection closes; the client has seen the close frame by then."""


class LingeringCloseWebSockets(WebSocketsSansIOProtocol):
    """Discards input after a message that breaks the protocol, then closes.

    uvicorn closes at once, so the rest of an oversized message meets a closed connection. The
    client then gets a reset, which overtakes the close frame with 1009. RFC 6455, 7.1.1, lets the
    server keep reading for this reason.
    """

    _broken = False
    _n_discarded = 0

    def handle_parser_exception(self) -> None:
        """Send the close frame and keep reading."""
        if self.conn.close_sent is None:  # the client left in the middle of a frame
            self.transport.close()
            return
        self._broken = self.close_sent = True
        code, reason = self.conn.close_sent.code, self.conn.close_sent.reason
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self._wait_for_silence()

    def data_received(self, data: bytes) -> None:
        """Called by the event loop with new input."""
        if not self._broken:
            super().data_received(data)
            return
        self._n_discarded += len(data)
        if self._n_discarded > LINGER_BYTES:
            self.transport.close()
        else:
            self._wait_for_silence()

    def _wait_for_silence(self) -> None:
        # uvicorn uses this timer to wait for the answer to the application's close frame.
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(QUIET_SECONDS, self.transport.close)
