"""Who may use the service: API keys, asked for before an upload is read."""

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
"""What needs no key when asked with GET: probes, the page and what it shows, the API's description.
Everything below ``/static/`` too."""
METRICS_PATH = "/metrics"
SUBPROTOCOL = "vosk"
"""What a client may ask for that has to name a subprotocol; means nothing else."""
KEY_SUBPROTOCOL = "base64url.bearer."
"""Followed by a key in base64url without padding: browsers can send nothing else with a WebSocket.
Kubernetes does the same. It is never named in an answer."""
KEY = re.compile(r"[!-+\--~]+")
"""Visible ASCII without a comma: fits a header, and a list in one variable."""


def read_keys(settings: Settings) -> tuple[str, ...]:
    """All keys that are accepted, from the setting and from the file; none: everybody may.

    Raises:
        ConfigurationError: the file cannot be read, or there is something in one of the two that
            is no key. The message does not show it.
    """
    keys = [key.get_secret_value() for key in settings.api_keys]
    if settings.api_keys_file is not None:
        try:
            lines = settings.api_keys_file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(
                "STT_API_KEYS_FILE cannot be read: expected a text file with one key a line."
            ) from None
        in_file = [line.strip() for line in lines if line.strip()]
        if not in_file:
            raise ConfigurationError("STT_API_KEYS_FILE has no key in it; expected one a line.")
        keys += in_file
    if not all(KEY.fullmatch(key) for key in keys):
        raise ConfigurationError(
            "STT_API_KEYS or STT_API_KEYS_FILE: a key has visible ASCII characters, without spaces "
            "and commas."
        )
    return tuple(keys)


class ApiKeys:
    """Middleware: refuses a request or WebSocket without one of the keys."""

    def __init__(self, app: ASGIApp, keys: Iterable[str], *, metrics_open: bool) -> None:
        self._app = app
        self._digests = [_digest(key) for key in keys]
        self._open = OPEN_PATHS | ({METRICS_PATH} if metrics_open else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._is_open(scope) or self._has_key(scope):
            await self._app(scope, receive, send)
            return
        error = InvalidKey(
            "This service needs a key, and there was none or a wrong one. Send it as "
            "'Authorization: Bearer KEY' or 'X-API-Key: KEY'; a browser's WebSocket sends it as a "
            "subprotocol."
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
        # All are compared with all, each in constant time, so that the time tells nothing of how
        # much of a key was right, or of which one.
        matches = [
            hmac.compare_digest(_digest(key.strip()), digest)
            for key in given
            for digest in self._digests
        ]
        return any(matches)


def _decode(encoded: str) -> str:
    """What is no base64url becomes no key."""
    padding = "=" * (-len(encoded) % 4)
    try:
        return base64.urlsafe_b64decode(encoded + padding).decode("ascii")
    except ValueError:
        return ""


def _digest(key: str) -> bytes:
    """Of one length for all keys, as comparing in constant time needs."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
