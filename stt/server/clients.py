"""Who sends a request: its API key, or else its address."""

from ipaddress import IPv6Address, ip_address, ip_network

from starlette.types import Scope

from stt.inference.fairness import LIVE

KEY = "api_key"
"""Name in ``scope["state"]`` of the `stt.server.keys.Key` that a request sent."""
GRANT = "client_secret"
"""Name there of the `stt.server.client_secrets.Grant` that it sent instead."""
SITE_BITS = 64
"""A site has at least this much of an IPv6 address to itself (RFC 6177)."""


def client_of(scope: Scope) -> str:
    """A name for the client, for the shares of the queue.

    Live streams count apart from the same client's files, so that they have turns of their own.
    """
    key = scope.get("state", {}).get(KEY)
    name = f"key {key.id}" if key is not None else _site(scope)
    return name + LIVE if scope["type"] == "websocket" else name


def _site(scope: Scope) -> str:
    host: str = (scope.get("client") or ("", 0))[0]
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(ip_network((address, SITE_BITS), strict=False))
    return host
