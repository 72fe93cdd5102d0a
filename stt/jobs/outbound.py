"""Calls that the service makes for a client: only to allowed hosts, only to public addresses.

httpcore is used without httpx, since it lets us open the connections: the address that is checked
is the one that is connected to, and no second lookup lies between (DNS rebinding). No proxy of the
environment is used, no redirect followed, no connection kept and no body decoded.
"""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

import httpcore
import httpx

from stt.errors import UrlNotAllowed
from stt.jobs.addresses import AddressPolicy, Resolver, resolve
from stt.settings.hosts import PORTS, HostPattern, is_address, normal_host

MAX_URL_CHARACTERS = 2048
CONNECT_SECONDS = 10.0
"""Time limit for looking a host up, and for connecting to each of its addresses."""
SILENCE_SECONDS = 30.0
"""Longest silence of a host."""
MAX_ADDRESSES = 4
"""Addresses of a host that are tried."""


FAILURES = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException)


@dataclass(frozen=True)
class Target:
    """A URL that has been checked, as it will be called."""

    scheme: str
    host: str
    """As `normal_host` returns it."""
    port: int
    path: bytes
    """With the query."""
    authorization: str | None = None
    """The ``Authorization`` header, if the URL has credentials."""

    @property
    def authority(self) -> str:
        """The ``Host`` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


class Unreachable(Exception):
    """A host cannot be reached.

    It does not say why: whether an address is refused, a port is closed or a name is unknown would
    tell a client what our network looks like.
    """


class Outbound:
    """Calls the hosts that the operator allows."""

    def __init__(
        self,
        hosts: Iterable[HostPattern],
        *,
        setting: str,
        addresses: AddressPolicy | None = None,
        resolver: Resolver = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """
        Args:
            hosts: The allowed hosts.
            setting: The setting that lists them, for messages.
            addresses: The allowed addresses; None allows public ones.
            resolver: Looks names up.
            tls: The certificates to trust; None trusts the system's.
        """
        self._hosts = tuple(hosts)
        self._setting = setting
        # Reading the system's certificates takes 30 ms.
        self._tls = tls or (ssl.create_default_context() if self._hosts else None)
        self._backend = _CheckedBackend(addresses or AddressPolicy(), resolver)

    def check(self, url: str, field: str = "url") -> Target:
        """Check a URL, except for the addresses of its host: those are checked at each call.

        Args:
            url: From a client, or a host's redirect.
            field: How messages call it.

        Raises:
            UrlNotAllowed: it is malformed, or its host is not allowed.
        """
        if not self._hosts:
            raise UrlNotAllowed(
                f"`{field}` is not available: the service calls no hosts until its operator lists "
                f"them in {self._setting}."
            )
        target, credentials = _parse(url, field)
        matching = [
            each for each in self._hosts if each.matches(target.scheme, target.host, target.port)
        ]
        if not matching:
            raise UrlNotAllowed(
                f"`{field}`: the service may not call this host with this scheme and port. Its "
                f"operator can add it to {self._setting}."
            )
        if credentials and not any(each.credentials for each in matching):
            raise UrlNotAllowed(
                f"`{field}` contains a user name or password, which the service does not send to "
                "this host. Use a signed URL instead."
            )
        return target

    @asynccontextmanager
    async def call(
        self, method: str, target: Target, headers: Mapping[str, str], body: bytes = b""
    ) -> AsyncIterator[httpcore.Response]:
        """Send a request; the response's body is still to be read, from ``aiter_stream()``.

        The caller bounds the time of it all, and how much it reads.

        Raises:
            Unreachable: no answer came, or it broke off.
        """
        sent: list[tuple[bytes | str, bytes | str]] = [
            ("Host", target.authority),
            ("Connection", "close"),
            *headers.items(),
        ]
        if target.authorization:
            sent.append(("Authorization", target.authorization))
        async with httpcore.AsyncConnectionPool(
            ssl_context=self._tls,
            max_connections=1,
            max_keepalive_connections=0,
            network_backend=self._backend,
        ) as pool:
            try:
                async with pool.stream(
                    method,
                    httpcore.URL(
                        scheme=target.scheme, host=target.host, port=target.port, target=target.path
                    ),
                    headers=sent,
                    content=body or None,
                    extensions={
                        "timeout": {
                            "connect": CONNECT_SECONDS,
                            "read": SILENCE_SECONDS,
                            "write": SILENCE_SECONDS,
                        }
                    },
                ) as response:
                    yield response
            except FAILURES as error:
                raise Unreachable from error


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections to the addresses that it has checked."""

    def __init__(self, addresses: AddressPolicy, resolver: Resolver) -> None:
        self._addresses = addresses
        self._resolver = resolver
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Look the host up once, check what was found, and connect to that."""
        found: tuple[str, ...] = (host,)
        if not is_address(host):
            try:
                async with asyncio.timeout(timeout):
                    found = tuple(await self._resolver(host, port))
            except (OSError, UnicodeError) as error:  # a TimeoutError is an OSError
                raise httpcore.ConnectError("the host was not found") from error
        # A host with an address of both kinds is an attack or a mistake.
        if not found or not all(map(self._addresses.allows, found)):
            raise httpcore.ConnectError("an address is not allowed")
        failure: Exception = httpcore.ConnectError()
        for address in found[:MAX_ADDRESSES]:
            try:
                return await self._backend.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


def _parse(url: str, field: str) -> tuple[Target, bool]:
    """A URL's parts, and whether it has credentials."""
    malformed = UrlNotAllowed(f"`{field}` is not an address such as https://host/recording.wav.")
    # Parsers disagree on backslashes; a URL has no spaces either.
    if len(url) > MAX_URL_CHARACTERS or "\\" in url or any(c.isspace() for c in url):
        raise malformed
    try:
        parsed = httpx.URL(url)
        host = normal_host(parsed.raw_host.decode("ascii"))
    except (httpx.InvalidURL, ValueError):
        raise malformed from None
    scheme = parsed.scheme
    if scheme not in PORTS:
        raise malformed
    port = PORTS[scheme] if parsed.port is None else parsed.port
    if not 0 < port <= 65535:
        raise malformed
    authorization = None
    if parsed.userinfo:
        user, _, password = parsed.userinfo.partition(b":")
        pair = unquote_to_bytes(user) + b":" + unquote_to_bytes(password)
        authorization = f"Basic {b64encode(pair).decode('ascii')}"
    target = Target(scheme, host, port, parsed.raw_path, authorization)
    return target, authorization is not None
