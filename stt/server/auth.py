"""Checks API keys and their limits before an upload is read."""

import base64

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stt.errors import InvalidKey, RateLimited
from stt.server import clients
from stt.server.client_secrets import ClientSecrets, find_secret
from stt.server.keys import Key, KeyRing, current_usage
from stt.server.paths import SAFE_METHODS, route_path
from stt.server.problems import problem_of, refuse

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

REALTIME_PATH = "/v1/realtime"
REALTIME_SUBPROTOCOL = "realtime"
BETA_SUBPROTOCOL = "openai-beta.realtime-v1"
"""Subprotocols of OpenAI's Realtime API, which its clients in browsers offer."""
OPENAI_KEY_SUBPROTOCOL = "openai-insecure-api-key."
"""Prefix of the subprotocol with which they send a key."""


class ApiKeys:
    """Middleware that refuses requests and WebSockets without a valid key, or beyond its limits."""

    def __init__(
        self, app: ASGIApp, keys: KeyRing, secrets: ClientSecrets, *, metrics_open: bool
    ) -> None:
        self._app = app
        self._keys = keys
        self._secrets = secrets
        self._open = OPEN_PATHS | ({METRICS_PATH} if metrics_open else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._is_open(scope):
            await self._app(scope, receive, send)
            return
        try:
            key = self._find(scope)
        except InvalidKey as error:
            await refuse(problem_of(error), scope, receive, send)
            return
        scope.setdefault("state", {})[clients.KEY] = key
        if not key.is_limited or scope.get("method") in SAFE_METHODS:
            await self._app(scope, receive, send)
            return
        await self._count(key, scope, receive, send)

    async def _count(self, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request within the key's limits, and say what is left."""
        usage = self._keys.usage(key)

        async def send_usage(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(usage.headers)
            await send(message)

        try:
            usage.begin()
        except RateLimited as error:
            await refuse(problem_of(error), scope, receive, send_usage)
            return
        token = current_usage.set(usage)
        try:
            await self._app(scope, receive, send_usage)
        finally:
            current_usage.reset(token)

    def _find(self, scope: Scope) -> Key:
        """The key that a request sent, or that its client secret came from.

        Raises:
            InvalidKey: there is none.
        """
        sent = sent_keys(scope)
        key = self._keys.find(sent)
        secret = find_secret(sent)
        opens_session = scope["type"] == "websocket" and route_path(scope) == REALTIME_PATH
        if key is None and secret is not None and opens_session:
            grant = self._secrets.read(secret)
            key = self._keys.with_id(grant.key_id)
            scope.setdefault("state", {})[clients.GRANT] = grant
        if key is None:
            raise InvalidKey(
                "The API key is missing or wrong. Send it as 'Authorization: Bearer KEY' or "
                "'X-API-Key: KEY'; a browser's WebSocket sends it as a subprotocol."
            )
        return key

    def _is_open(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return False
        path = route_path(scope)
        return path in self._open or path.startswith("/static/")


def sent_keys(scope: Scope) -> list[str]:
    """What a request sent as its key, in every place that may have one."""
    headers = Headers(scope=scope)
    sent = headers.getlist("x-api-key")
    for value in headers.getlist("authorization"):
        scheme, _, key = value.partition(" ")
        if scheme.lower() == "bearer":
            sent.append(key)
    for name in scope.get("subprotocols", ()):
        if name.startswith(KEY_SUBPROTOCOL):
            sent.append(_decode(name.removeprefix(KEY_SUBPROTOCOL)))
        elif name.startswith(OPENAI_KEY_SUBPROTOCOL):
            sent.append(name.removeprefix(OPENAI_KEY_SUBPROTOCOL))
    return sent


def _decode(encoded: str) -> str:
    """The key, or "" if it is not base64url."""
    padding = "=" * (-len(encoded) % 4)
    try:
        return base64.urlsafe_b64decode(encoded + padding).decode("ascii")
    except ValueError:
        return ""
