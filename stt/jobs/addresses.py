"""Which addresses may be called for a client: public ones.

A URL of a client must not reach what the client cannot reach itself: this machine, its network, the
metadata of a cloud (server-side request forgery, CWE-918). Names say nothing about that, so what
counts are the addresses behind them.
"""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Protocol

REFUSED_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this host, which connects to loopback
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' NAT; Alibaba's metadata (100.100.100.200)
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's WireServer: a public address that only virtual machines have
        "169.254.0.0/16",  # link-local; the metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata (192.0.0.192)
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays from 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",
    )
)
"""IANA's registry of special addresses, but for the few that are globally reachable (RFC 6890).

Not `ipaddress.is_global`, whose answers changed between patch releases of Python (CVE-2024-4032).
"""
GLOBAL_V6 = IPv6Network("2000::/3")
"""All that is allocated for global unicast (RFC 4291). Outside are loopback, private
(``fc00::/7``), link-local, multicast, and IPv4 within IPv6 (``::ffff:0:0/96``, NAT64's
``64:ff9b::/96``)."""
REFUSED_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, among them Teredo, which holds an IPv4 address
        "2001:db8::/32",
        "2002::/16",  # 6to4, the same
        "3fff::/20",
    )
)
"""What of `GLOBAL_V6` is not global."""


class Resolver(Protocol):
    """Looks a name up."""

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a host.

        Raises:
            OSError: it has none, or nobody knows.
        """
        ...


async def resolve(host: str, port: int) -> Sequence[str]:
    """See `Resolver`: as the machine is configured."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


@dataclass(frozen=True)
class AddressPolicy:
    """Allows public addresses."""

    exceptions: tuple[str, ...] = ()
    """Networks that are allowed although they are not public; tests need the loopback."""

    def allows(self, text: str) -> bool:
        """Whether the service may connect to this address."""
        try:
            address = ip_address(text)
        except ValueError:
            return False
        if any(address in ip_network(network) for network in self.exceptions):
            return True
        return _is_public(address)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        # An address with a zone belongs to a link, whatever its prefix.
        return (
            address.scope_id is None
            and address in GLOBAL_V6
            and not any(address in network for network in REFUSED_V6)
        )
    return not any(address in network for network in REFUSED_V4)
