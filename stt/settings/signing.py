"""The secrets that sign webhooks, as Standard Webhooks writes them."""

from base64 import b64decode

PREFIX = "whsec_"
MIN_BYTES, MAX_BYTES = 24, 64
"""Bounds of the specification ("Signature scheme")."""


def parse_secret(text: str) -> bytes:
    """The bytes of a secret.

    Raises:
        ValueError: it is malformed; the message does not show it.
    """
    encoded = text.removeprefix(PREFIX)
    try:
        secret = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError:
        secret = b""
    if not (text.startswith(PREFIX) and MIN_BYTES <= len(secret) <= MAX_BYTES):
        raise ValueError(
            f"expected {PREFIX} and {MIN_BYTES} to {MAX_BYTES} bytes in Base64 "
            f"(echo {PREFIX}$(openssl rand -base64 32))"
        )
    return secret
