"""OpenAI's routes that hand out short-lived secrets for the Realtime API."""

import json
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from stt.errors import InvalidParameter
from stt.server import clients
from stt.server.client_secrets import DEFAULT_SECONDS, MAX_SECONDS, MIN_SECONDS
from stt.server.problems import OPENAI_PROBLEMS
from stt.server.realtime.config import SessionConfig
from stt.server.realtime.events import new_id
from stt.server.realtime.refusals import Refusal
from stt.server.realtime.shapes import BETA, CURRENT, Shape
from stt.server.state import Service, get_service

MAX_BODY_BYTES = 16 * 1024

Use = Annotated[Service, Depends(get_service)]
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: OPENAI_PROBLEMS[status] for status in (400, 401, 413, 429, 503)
}


class ExpiresAfter(BaseModel):
    """How long a secret opens sessions. A session that it opened goes on."""

    anchor: Literal["created_at"] = "created_at"
    seconds: int = Field(default=DEFAULT_SECONDS, ge=MIN_SECONDS, le=MAX_SECONDS)


class ClientSecretRequest(BaseModel):
    """What to make a secret for."""

    expires_after: ExpiresAfter = ExpiresAfter()
    session: dict[str, Any] = Field(
        default={}, description="As in the event `session.update`; its type is `transcription`."
    )


class ClientSecretResponse(BaseModel):
    """A secret."""

    value: str = Field(description="`ek_...`: opens sessions as the key that asked for it.")
    expires_at: int = Field(description="Unix time in seconds.")
    session: dict[str, Any] = Field(description="The configuration of its sessions.")


class Expires(BaseModel):
    """The beta's place for it."""

    expires_at: ExpiresAfter = ExpiresAfter()


class TranscriptionSessionRequest(BaseModel):
    """The beta's configuration, and how long the secret opens sessions."""

    model_config = ConfigDict(extra="allow")

    client_secret: Expires = Expires()


class BetaSecret(BaseModel):
    """A secret."""

    value: str
    expires_at: int = Field(description="Unix time in seconds.")


class TranscriptionSessionResponse(BaseModel):
    """The beta's configuration, and a secret."""

    model_config = ConfigDict(extra="allow")

    client_secret: BetaSecret


class SmallBodyRoute(APIRoute):
    """A route whose body is a little JSON: FastAPI would hold any amount in memory."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Called by FastAPI."""
        handle = super().get_route_handler()

        async def handle_small(request: Request) -> Response:
            body = b""
            async for piece in request.stream():
                body += piece
                if len(body) > MAX_BODY_BYTES:
                    raise HTTPException(
                        413, detail=f"The body exceeds the limit of {MAX_BODY_BYTES} bytes."
                    )
            try:
                json.dumps(json.loads(body or b"{}"), ensure_ascii=False).encode()
            except (ValueError, RecursionError):  # also escapes that are no characters
                raise InvalidParameter("The body is not valid JSON.") from None
            request._body = body  # as Request.body() would keep it
            return await handle(request)

        return handle_small


router = APIRouter(prefix="/v1/realtime", tags=["OpenAI-compatible"], route_class=SmallBodyRoute)


@router.post("/client_secrets", responses=PROBLEMS)
async def create_client_secret(
    service: Use, request: Request, asked: ClientSecretRequest
) -> ClientSecretResponse:
    """Make a secret with which a browser or an app can open transcription sessions."""
    value, expires_at, session = _issue(
        service, request, CURRENT, asked.session, asked.expires_after
    )
    return ClientSecretResponse(value=value, expires_at=expires_at, session=session)


@router.post("/transcription_sessions", responses=PROBLEMS)
async def create_transcription_session(
    service: Use, request: Request, asked: TranscriptionSessionRequest
) -> TranscriptionSessionResponse:
    """The same for clients of the Realtime API's beta."""
    value, expires_at, session = _issue(
        service, request, BETA, asked.model_extra, asked.client_secret.expires_at
    )
    secret = BetaSecret(value=value, expires_at=expires_at)
    return TranscriptionSessionResponse(client_secret=secret, **session)


def _issue(
    service: Service, request: Request, shape: Shape, session: Any, after: ExpiresAfter
) -> tuple[str, int, dict[str, Any]]:
    try:
        config = shape.update(SessionConfig(), session)
    except Refusal as error:
        raise InvalidParameter(error.message) from None
    language = config.language(service.languages)
    key = request.scope.get("state", {}).get(clients.KEY)
    value, grant = service.client_secrets.issue(
        key.id if key is not None else "", config.model_dump(exclude_unset=True), after.seconds
    )
    return value, grant.expires_at, shape.show(new_id("sess"), config, language)
