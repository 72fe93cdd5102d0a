"""Which hosts the service may call: ``media.example.org``, ``*.example.org``, ``http://nas:8080``."""

import re
from dataclasses import dataclass
from ipaddress import ip_address

from stt.errors import ConfigurationError

PORTS = {"https": 443, "http": 80}
"""Schemes, and the port of each."""
EXPECTED = "expected a host (media.example.org), *.example.org, or http://host:8080"

_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_PATTERN = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<credentials>\*@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:/?#@\\\s]+)(?::(?P<port>[0-9]{1,5}))?/?"
)


@dataclass(frozen=True)
class HostPattern:
    """Hosts that an operator allows, with the one scheme and port at which they may be called."""

    host: str
    """A name, an address, ``*.name`` for every name below it, or ``*`` for every name."""
    scheme: str = "https"
    port: int = 443
    credentials: bool = False
    """Whether a URL may have a user and a password."""

    def matches(self, scheme: str, host: str, port: int) -> bool:
        """Whether this place is meant; ``host`` is as `normal_host` returns it."""
        if (scheme, port) != (self.scheme, self.port):
            return False
        if self.host == "*":  # an address has to be named
            return not is_address(host)
        if self.host.startswith("*."):
            return host.endswith(self.host[1:]) and not is_address(host)
        return host == self.host


def parse_hosts(text: str) -> tuple[HostPattern, ...]:
    """Parse patterns that are separated by commas.

    Raises:
        ConfigurationError: one is malformed.
    """
    return tuple(_parse(part.strip()) for part in text.split(",") if part.strip())


def _parse(text: str) -> HostPattern:
    found = _PATTERN.fullmatch(text)
    if not found:
        raise ConfigurationError(f"{text!r} is not a host; {EXPECTED}")
    scheme = found["scheme"] or "https"
    port = int(found["port"] or PORTS[scheme])
    host = found["host"].strip("[]")
    prefix = "*." if host.startswith("*.") else ""
    try:
        if host != "*":
            host = normal_host(host.removeprefix("*."))
        if prefix and is_address(host):
            raise ValueError(host)
    except ValueError:
        raise ConfigurationError(f"{text!r} is not a host; {EXPECTED}") from None
    if not 0 < port <= 65535:
        raise ConfigurationError(f"{text!r}: a port is between 1 and 65535")
    return HostPattern(prefix + host, scheme, port, credentials=bool(found["credentials"]))


def normal_host(text: str) -> str:
    """A host as it is compared: in lower case, names as DNS has them, without a final dot.

    Addresses count only as they are usually written. ``0x7f.1``, ``2130706433`` and ``127.1`` mean
    127.0.0.1 to C libraries, and are refused; as no top-level domain is a number, names are not
    affected (RFC 3696, section 2).

    Raises:
        ValueError: it is neither a name nor an address.
    """
    if is_address(text):
        return str(ip_address(text))
    host = _in_ascii(text).lower().removesuffix(".")
    last = host.rpartition(".")[2]
    if len(host) > 253 or not _NAME.fullmatch(host) or re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last):
        raise ValueError(f"{text!r} is not a host")
    return host


def is_address(host: str) -> bool:
    """Whether it is an IP address in the usual form; one with a zone (``fe80::1%eth0``) is not."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def _in_ascii(text: str) -> str:
    if text.isascii():
        return text
    import httpx  # only for such names, as it takes long to import

    try:
        return httpx.URL(scheme="https", host=text).raw_host.decode("ascii")
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from None
