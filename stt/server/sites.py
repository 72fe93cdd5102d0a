"""Keeps web pages of other sites out: browsers let them post and open WebSockets anywhere.

CORS only keeps them from reading answers. DNS rebinding defeats even that: if the owner of a page's
name points it at 127.0.0.1, the page and this service have the same origin.
"""

from collections.abc import Iterable
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from stt.errors import ForbiddenHost, ForbiddenOrigin, RequestError
from stt.server.paths import SAFE_METHODS
from stt.server.problems import problem_of, refuse

PRIVATE_SUFFIXES = (".localhost", ".local", ".internal", ".home.arpa")
"""Ends of names that nobody can register in the public DNS (RFC 6761, 6762, 8375; ICANN)."""
DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
FORWARDED = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded", "via")
"""Headers that reverse proxies add."""


class SiteGuard:
    """Middleware that refuses pages of foreign origins, and hosts that are not ours."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str], origins: Iterable[str]) -> None:
        """
        Args:
            app: The application.
            hosts: Names of the service; ``*.example.org`` is every name below it, ``*`` any. If
                there are none, only requests from this machine are checked.
            origins: Origins whose pages may use the service, as for CORS.
        """
        self._app = app
        self._hosts = tuple(host.lower() for host in hosts)
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            self._check_host(scope, headers)
            if scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS:
                self._check_origin(headers)
        except RequestError as error:
            await refuse(problem_of(error), scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check_host(self, scope: Scope, headers: Headers) -> None:
        """
        Raises:
            ForbiddenHost: the request may come from a page that uses DNS rebinding.
        """
        host = _hostname(headers.get("host", ""))
        if not host or _is_address(host) or host == "localhost" or self._is_named(host):
            return
        if not self._hosts:
            is_private = "." not in host or host.endswith(PRIVATE_SUFFIXES)
            if is_private or not _is_local(scope) or _is_forwarded(headers):
                return
        raise ForbiddenHost(
            f"The service does not answer to the name {host[:80]!r}. Use its address or "
            "localhost, or list the name in STT_ALLOWED_HOSTS."
        )

    def _is_named(self, host: str) -> bool:
        return any(
            name in ("*", host) or (name.startswith("*.") and host.endswith(name[1:]))
            for name in self._hosts
        )

    def _check_origin(self, headers: Headers) -> None:
        """
        Raises:
            ForbiddenOrigin: the request comes from a page of another site.
        """
        origin = headers.get("origin")
        # Pages can set neither Sec-Fetch-Site nor Host, and X-Forwarded-Host only after a preflight
        # request, which is refused.
        fetch_site = headers.get("sec-fetch-site")
        ours = [headers.get("host", ""), *headers.get("x-forwarded-host", "").split(",")[:1]]
        if origin is None:
            is_foreign = fetch_site == "cross-site"
        elif self._origins & {"*", origin}:
            is_foreign = False
        else:
            is_foreign = fetch_site != "same-origin" and not any(
                _is_same(origin, host.strip()) for host in ours
            )
        if is_foreign:
            shown = origin or "another site"
            raise ForbiddenOrigin(
                f"Pages of {shown[:80]!r} may not use this service. Its owner can list the origin "
                "in STT_CORS_ORIGINS."
            )


def _is_same(origin: str, host: str) -> bool:
    """Whether an origin is at this host and port; a proxy may have changed the scheme."""
    with suppress(ValueError):
        page, service = urlsplit(origin), urlsplit(f"//{host}")
        default = DEFAULT_PORTS.get(page.scheme)
        return (
            page.hostname is not None
            and page.hostname == service.hostname
            and (page.port or default) == (service.port or default)
        )
    return False


def _hostname(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return host.lower()


def _is_address(host: str) -> bool:
    with suppress(ValueError):
        ip_address(host)
        return True
    return False


def _is_local(scope: Scope) -> bool:
    """Whether the request comes from this machine, as a browser on it sends them."""
    with suppress(ValueError):
        return ip_address((scope.get("client") or ("",))[0]).is_loopback
    return False


def _is_forwarded(headers: Headers) -> bool:
    """Whether a reverse proxy on this machine passed the request on.

    A page can add these headers too, but its WebSockets cannot, and its posts have an origin. The
    service speaks no TLS, so a page with an https origin came through a proxy.
    """
    origin = headers.get("origin", "")
    return any(name in headers for name in FORWARDED) and not origin.startswith("http://")
