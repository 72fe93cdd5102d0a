"""Reads the events that clients send."""

import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stt.server.live import MAX_CHARACTERS, Close, Ending, check_size
from stt.server.realtime.refusals import Refusal, invalid_field

MAX_QUOTES = 16
"""Most quotes in an event longer than `MAX_CHARACTERS`; three keys and values have 12."""
UNKNOWN = "unknown_message"


@dataclass(frozen=True)
class ClientEvent:
    """One event."""

    type: str
    fields: Mapping[str, Any]

    @property
    def audio(self) -> bytes:
        """The bytes of its audio.

        Raises:
            Refusal: they are missing, or not in base64.
        """
        encoded = self.fields.get("audio")
        if not isinstance(encoded, str):
            raise invalid_field("audio", "Expected a string with samples in base64.")
        try:
            return binascii.a2b_base64(encoded, strict_mode=True)
        except ValueError:
            raise invalid_field(
                "audio", "This is not base64 (RFC 4648, with padding); no audio was added."
            ) from None


def read_event(message: str | bytes, max_bytes: int) -> ClientEvent:
    """Parse a message.

    Args:
        message: As it came.
        max_bytes: Most bytes of audio.

    Raises:
        Ending: it is too large.
        Refusal: it is no event.
    """
    check_size(message, max_bytes, MAX_CHARACTERS + -(-max_bytes // 3) * 4)
    if isinstance(message, bytes):
        raise Refusal(
            UNKNOWN,
            "Binary messages are not part of this protocol. Send audio in base64: "
            '{"type": "input_audio_buffer.append", "audio": "..."}.',
        )
    if len(message) > MAX_CHARACTERS and not _is_flat(message):
        raise Ending(
            Close.TOO_BIG,
            "message_too_big",
            f"The message has {len(message)} characters; only audio may have more than "
            f"{MAX_CHARACTERS}.",
        )
    try:
        fields = json.loads(message)
    except (ValueError, RecursionError):
        raise Refusal("invalid_json", "The message is not valid JSON.") from None
    if not isinstance(fields, dict):
        raise Refusal(UNKNOWN, "The message is not a JSON object. Expected an event.")
    name = fields.get("type")
    if not isinstance(name, str):
        raise Refusal(UNKNOWN, "The event has no type.", "type")
    return ClientEvent(name, fields)


def _is_flat(message: str) -> bool:
    """Whether JSON is quick to parse: while it is parsed, everybody waits."""
    return message.count('"') <= MAX_QUOTES and message.count("{") == 1 and "[" not in message
