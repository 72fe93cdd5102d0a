"""WebSocket ``/v1/realtime``: OpenAI's Realtime API, its transcription sessions.

Its clients only need another ``base_url``. Events that ask for a conversation get an error event,
and the connection stays open.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, WebSocket, WebSocketDisconnect

from stt.errors import NotSupported
from stt.server import clients
from stt.server.auth import BETA_SUBPROTOCOL, REALTIME_PATH, REALTIME_SUBPROTOCOL, sent_keys
from stt.server.client_secrets import Grant, find_secret
from stt.server.live import LiveSocket
from stt.server.realtime.config import SessionConfig
from stt.server.realtime.connection import serve
from stt.server.realtime.shapes import BETA, CURRENT, Shape
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
                f"The intent {intent[:80]!r} is not supported: this service only "
                f"transcribes. Connect with intent={INTENT}."
            )
        config = SessionConfig.model_validate(_granted(socket, service))
        if config.transcription.model:
            return config
        return config.updated({"audio": {"input": {"transcription": {"model": model[:200]}}}})

    shape: Shape = BETA if is_beta else CURRENT
    with suppress(WebSocketDisconnect):
        await serve(LiveSocket(socket, service), service, shape, begin)


def _granted(socket: WebSocket, service: Service) -> Mapping[str, Any]:
    """The configuration in the client secret that the client sent, if it sent one.

    Raises:
        InvalidKey: it is wrong or has expired.
    """
    state = socket.scope.get("state", {})
    if clients.KEY in state:
        grant: Grant | None = state.get(clients.GRANT)
        return grant.session if grant is not None else {}
    secret = find_secret(sent_keys(socket.scope))
    return service.client_secrets.read(secret).session if secret is not None else {}
