"""Checks API keys before an upload is read."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from stt.errors import ConfigurationError, InvalidKey
from stt.server.admission import refuse
from stt.server.problems import problem_of
from stt.settings import Settings

OPEN_PATHS = frozenset(
    {"/", "/livez", "/readyz", "/health", "/languages", "/docs", "/openapi.json"}
    | {"/v2/health/live", "/v2/health/ready"}
)
"""Paths that GET needs no key for: probes, the page and its data, the API description. So does
everything below ``/static/``."""
METRICS_PATH = "/metrics"
SUBPROTOCOL = "vosk"
"""For clients that must name a subprotocol; has no other meaning."""
KEY_SUBPROTOCOL = "base64url.bearer."
"""Prefix of a key in base64url without padding, the only way for browsers to send one with a
WebSocket. Kubernetes does the same. Answers never echo it."""
KEY = re.compile(r"[!-+\--~]+")
"""Visible ASCII without commas, so that keys fit headers and comma-separated lists."""


def read_keys(settings: Settings) -> tuple[str, ...]:
    """The accepted keys, from the setting and the file. Without any, access is open.

    Raises:
        ConfigurationError: the file is unreadable, or an entry is not a valid key. The message
            does not show the entry.
    """
    keys = [key.get_secret_value() for key in settings.api_keys]
    if settings.api_keys_file is not None:
        try:
            lines = settings.api_keys_file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(
                "STT_API_KEYS_FILE cannot be read. Expected a text file with one key per line."
            ) from None
        in_file = [line.strip() for line in lines if line.strip()]
        if not in_file:
            raise ConfigurationError("STT_API_KEYS_FILE has no keys. Expected one per line.")
        keys += in_file
    if not all(KEY.fullmatch(key) for key in keys):
        raise ConfigurationError(
            "STT_API_KEYS or STT_API_KEYS_FILE has an invalid key. Keys consist of visible ASCII "
            "characters without commas."
        )
    return tuple(keys)


class ApiKeys:
    """Middleware that refuses requests and WebSockets without a valid key."""

    def __init__(self, app: ASGIApp, keys: Iterable[str], *, metrics_open: bool) -> None:
        self._app = app
        self._digests = [_digest(key) for key in keys]
        self._open = OPEN_PATHS | ({METRICS_PATH} if metrics_open else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._is_open(scope) or self._has_key(scope):
            await self._app(scope, receive, send)
            return
        error = InvalidKey(
            "The API key is missing or wrong. Send it as 'Authorization: Bearer KEY' or "
            "'X-API-Key: KEY'; a browser's WebSocket sends it as a subprotocol."
        )
        await refuse(problem_of(error), scope, receive, send)

    def _is_open(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return False
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        return path in self._open or path.startswith("/static/")

    def _has_key(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        given = headers.getlist("x-api-key")
        for value in headers.getlist("authorization"):
            scheme, _, key = value.partition(" ")
            if scheme.lower() == "bearer":
                given.append(key)
        for name in scope.get("subprotocols", ()):
            if name.startswith(KEY_SUBPROTOCOL):
                given.append(_decode(name.removeprefix(KEY_SUBPROTOCOL)))
        # Compares all pairs, each in constant time, so that timing reveals neither how much of a
        # key was right nor which key.
        matches = [
            hmac.compare_digest(_digest(key.strip()), digest)
            for key in given
            for digest in self._digests
        ]
        return any(matches)


def _decode(encoded: str) -> str:
    """The key, or "" if it is not base64url."""
    padding = "=" * (-len(encoded) % 4)
    try:
        return base64.urlsafe_b64decode(encoded + padding).decode("ascii")
    except ValueError:
        return ""


def _digest(key: str) -> bytes:
    """A hash, since comparing in constant time needs equal lengths."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
