"""Client secrets, for live sessions."""

from stt.formats.base import JSON
from stt.server.openapi.examples import KOREAN, Answers
from stt.server.realtime.config import SessionConfig
from stt.server.realtime.shapes import BETA, CURRENT
from stt.server.routes import client_secrets

CLIENT_SECRETS = ("/v1/realtime/client_secrets", "/v1/realtime/transcription_sessions")
"""Paths whose requests bring no audio, but configure a session."""


def answers() -> dict[str, Answers]:
    """Examples by path."""
    config, value, expires_at = SessionConfig(), "ek_WyIiLDE3OTU3...", 1795780200
    current, beta = (shape.show("sess_5f0c", config, KOREAN) for shape in (CURRENT, BETA))
    secret = client_secrets.ClientSecretResponse(
        value=value, expires_at=expires_at, session=current
    )
    session = client_secrets.TranscriptionSessionResponse(
        client_secret=client_secrets.BetaSecret(value=value, expires_at=expires_at), **beta
    )
    return {
        path: {(200, JSON): [("Korean", body.model_dump())]}
        for path, body in zip(CLIENT_SECRETS, (secret, session), strict=True)
    }
