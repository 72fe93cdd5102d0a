"""uvicorn's WebSockets, but a refusal arrives however much its client is still sending."""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from stt.server.middleware import LINGER_BYTES

QUIET_SECONDS = 2.0
"""After such a silence the client has seen why, or has nothing more to say."""


class LingeringCloseWebSockets(WebSocketsSansIOProtocol):
    """Throws away what still comes after a message that breaks the protocol, then closes.

    uvicorn closes at once, so that the rest of a message that is too large meets a closed
    connection: the client gets a reset, which overtakes the close frame that says 1009
    (RFC 6455, 7.1.1, has the server read on for that reason).
    """

    _broken = False
    _n_thrown_away = 0

    def handle_parser_exception(self) -> None:
        """Say why, and go on reading."""
        if self.conn.close_sent is None:  # the client has hung up in the middle of a frame
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
        """Called by the event loop with whatever came."""
        if not self._broken:
            super().data_received(data)
            return
        self._n_thrown_away += len(data)
        if self._n_thrown_away > LINGER_BYTES:
            self.transport.close()
        else:
            self._wait_for_silence()

    def _wait_for_silence(self) -> None:
        # With this timer uvicorn itself waits for the answer to a close frame of the application's.
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(QUIET_SECONDS, self.transport.close)
