"""WebSocket ``/v1/realtime``: OpenAI's Realtime API, its transcription sessions.

Its clients only need another ``base_url``. Events that ask for a conversation get an error event,
and the connection stays open.
"""

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Query, WebSocket, WebSocketDisconnect

from stt.errors import NotSupported
from stt.server.auth import BETA_SUBPROTOCOL, REALTIME_PATH, REALTIME_SUBPROTOCOL
from stt.server.live import LiveSocket
from stt.server.realtime.config import SessionConfig
from stt.server.realtime.connection import serve
from stt.server.realtime.shapes import BETA, CURRENT
from stt.server.state import Service, get_service

router = APIRouter()

INTENT = "transcription"
BETA_HEADER = "realtime=v1"


@router.websocket(REALTIME_PATH)
async def realtime(
    socket: WebSocket,
    service: Annotated[Service, Depends(get_service)],
    intent: Annotated[str, Query()] = INTENT,
    model: Annotated[str, Query()] = "",
) -> None:
    """Serve one connection."""
    offered = socket.scope["subprotocols"]
    is_beta = BETA_SUBPROTOCOL in offered or BETA_HEADER in socket.headers.get("openai-beta", "")
    # Browsers send keys as subprotocols, and fail a connection that accepts none of theirs.
    await socket.accept(REALTIME_SUBPROTOCOL if REALTIME_SUBPROTOCOL in offered else None)

    def begin() -> SessionConfig:
        if intent != INTENT:
            raise NotSupported(
                f"The intent {intent[:80]!r} is not supported: this service transcribes and does "
                f"not answer. Connect with intent={INTENT}."
            )
        config = SessionConfig()
        return config.updated({"audio": {"input": {"transcription": {"model": model[:200]}}}})

    with suppress(WebSocketDisconnect):
        await serve(LiveSocket(socket, service), service, BETA if is_beta else CURRENT, begin)
