"""The encodings of samples that OpenAI's clients can send, with their names there."""

from collections.abc import Callable
from dataclasses import dataclass

from stt.audio.g711 import Expand, alaw, mulaw


@dataclass(frozen=True)
class Encoding:
    """How samples are written."""

    name: str
    """Its name in the generally available API."""
    beta_name: str
    rate: int
    """Sample rate in Hz, unless the client sends another."""
    sample_bytes: int
    decode: Callable[[bytes], bytes]
    """Whole samples -> s16le."""


def _expanding(expand: Expand) -> Callable[[bytes], bytes]:
    return lambda octets: expand(octets).astype("<i2").tobytes()


ENCODINGS = {
    each.name: each
    for each in (
        Encoding("audio/pcm", "pcm16", 24_000, 2, bytes),
        Encoding("audio/pcmu", "g711_ulaw", 8_000, 1, _expanding(mulaw)),
        Encoding("audio/pcma", "g711_alaw", 8_000, 1, _expanding(alaw)),
    )
}
"""All encodings, by name."""
