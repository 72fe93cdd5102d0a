"""Where the service is: the prefix of its paths, and what reverse proxies say about a request."""

import re
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")
"""A path prefix that is safe to show in links."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that only ask about the service; all others bring work."""
JOBS_PATH = "/v1/jobs"
"""Its requests bring work for later."""


def route_path(scope: Scope) -> str:
    """The path without the prefix, as routes are declared."""
    path: str = scope["path"]
    prefix = scope.get("root_path", "")
    rest = path.removeprefix(prefix)
    return rest if rest.startswith("/") else path


def put_under(scope: Scope, prefix: str) -> None:
    """Declare a prefix, whether or not the proxy has stripped it from the path."""
    scope["root_path"] = prefix
    if scope["path"] == prefix:
        scope["path"] += "/"
    elif not scope["path"].startswith(f"{prefix}/"):
        scope["path"] = prefix + scope["path"]
        scope["raw_path"] = prefix.encode() + scope.get("raw_path", b"")


class PathPrefix:
    """Middleware that serves the application below a prefix."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            put_under(scope, self._prefix)
        await self._app(scope, receive, send)


class ForwardedHeaders(ProxyHeadersMiddleware):
    """Middleware that believes trusted proxies: client, scheme and, unlike uvicorn's, prefix."""

    def __init__(self, app: ASGIApp, trusted: Sequence[str]) -> None:
        super().__init__(app, list(trusted))  # type: ignore[arg-type]

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        if scope["type"] != "lifespan" and (scope.get("client") or ("",))[0] in self.trusted_hosts:
            prefix = Headers(scope=scope).get("x-forwarded-prefix", "").rstrip("/")
            if PREFIX.fullmatch(prefix):
                put_under(scope, prefix)
        await super().__call__(scope, receive, send)
