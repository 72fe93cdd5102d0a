"""Short-lived secrets for browsers and apps, which must not hold an API key.

A server with a key asks for one and hands it on. A secret is signed and carries all that it means,
so nothing is stored, and every process with the same signing key accepts it. It opens transcription
sessions as the key that it came from, and nothing else: the key's limits count, and without the key
it ends, as after its own time.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from stt.errors import InvalidKey, InvalidParameter
from stt.settings import Settings

PREFIX = "ek_"
MIN_SECONDS, DEFAULT_SECONDS, MAX_SECONDS = 10, 600, 7200
"""OpenAI's bounds."""
MAX_CHARACTERS = 4096
"""It must fit into a header, beside others: proxies allow 8 KiB."""
SIGNING_KEY_BYTES = 32


@dataclass(frozen=True)
class Grant:
    """What a secret allows."""

    key_id: str
    """`Key.id` of the key that it came from; "" if the service has none."""
    expires_at: int
    """Unix time in seconds."""
    session: Mapping[str, Any]
    """The configuration of its sessions, as far as it is not the default."""


class ClientSecrets:
    """Makes and reads secrets."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        """
        Args:
            settings: Has the signing key, unless a new one is made.
            clock: Returns Unix time in seconds.
        """
        given = settings.client_secret_key
        self._signing_key = (
            secrets.token_bytes(SIGNING_KEY_BYTES)
            if given is None
            else given.get_secret_value().encode()
        )
        self._clock = clock

    def issue(self, key_id: str, session: Mapping[str, Any], seconds: int) -> tuple[str, Grant]:
        """A new secret, and what it allows.

        Raises:
            InvalidParameter: the configuration is too long for a secret.
        """
        grant = Grant(key_id, int(self._clock()) + seconds, session)
        body = _encode(
            json.dumps(
                [grant.key_id, grant.expires_at, grant.session],
                separators=(",", ":"),
            ).encode()
        )
        value = f"{PREFIX}{body}.{_encode(self._sign(body))}"
        if len(value) > MAX_CHARACTERS:
            raise InvalidParameter(
                f"The session's configuration makes a secret of {len(value)} characters; the limit "
                f"is {MAX_CHARACTERS}. Send long prompts with session.update after connecting."
            )
        return value, grant

    def read(self, value: str) -> Grant:
        """What a secret allows.

        Raises:
            InvalidKey: it is not one of ours, or it has expired.
        """
        body, _, signature = value.removeprefix(PREFIX).partition(".")
        if not hmac.compare_digest(_encode(self._sign(body)).encode(), signature.encode()):
            raise InvalidKey("The client secret is wrong, or the service has been restarted since.")
        grant = Grant(*json.loads(_decode(body)))
        if grant.expires_at <= self._clock():
            raise InvalidKey(
                "The client secret has expired. Ask for another with POST "
                "/v1/realtime/client_secrets."
            )
        return grant

    def _sign(self, body: str) -> bytes:
        return hmac.digest(self._signing_key, body.encode(), hashlib.sha256)


def find_secret(sent: Iterable[str]) -> str | None:
    """The first of a request's keys that looks like a secret."""
    return next((each for each in sent if each.startswith(PREFIX)), None)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(encoded: str) -> bytes:
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
