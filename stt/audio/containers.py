"""The containers that are accepted, and which of them a recording is in.

The first bytes decide, never the name. To accept another container, add it to `CONTAINERS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

HEAD_BYTES = 32
"""Enough to tell every container."""


@dataclass(frozen=True)
class Container:
    """One container: how it starts, and what opens it."""

    name: str
    """What error messages call it."""
    labels: tuple[str, ...]
    """What people call the files in it."""
    suffixes: tuple[str, ...]
    """Of file names, in lower case."""
    matches: Callable[[bytes], bool]
    """Whether a file that starts with these bytes is one."""
    libsndfile_formats: tuple[str, ...] = ()
    """What libsndfile may find in it: libsndfile looks for itself, and knows many more formats."""
    demuxer: str | None = None
    """The FFmpeg demuxer that opens it; None: libsndfile does."""
    may_follow_id3: bool = False
    """Its files may begin with an ID3 tag."""
    is_exact: bool = False
    """The length in the header is exact, so a file with less audio is truncated."""


def _starts(*magic: bytes, at: int = 0) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(magic, at)


def _is_wav(head: bytes) -> bool:
    return head.startswith((b"RIFF", b"RIFX", b"RF64")) and head.startswith(b"WAVE", 8)


def _is_flac_of_unknown_length(head: bytes) -> bool:
    """As an encoder writes it to a pipe: the number of samples is 0 (RFC 9639, 8.2)."""
    unknown = len(head) >= 26 and int.from_bytes(head[18:26]) & (2**36 - 1) == 0
    return head.startswith(b"fLaC") and unknown


def _mpeg_layer(head: bytes) -> int | None:
    """The layer of an MPEG audio frame's header: 0 is AAC's ADTS, the others are MP1 to MP3."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    return head[1] >> 1 & 3


def _is_mp3(head: bytes) -> bool:
    if not _mpeg_layer(head):
        return head.startswith(b"ID3")
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    return bitrate != 15 and rate != 3


def _is_aac(head: bytes) -> bool:
    return _mpeg_layer(head) == 0 and head[1] & 0xF0 == 0xF0


CONTAINERS = (
    Container("WAV", ("WAV",), (".wav",), _is_wav, libsndfile_formats=("WAV", "WAVEX", "RF64")),
    # Before the other FLAC, since soundfile cannot read it.
    Container(
        "FLAC", ("FLAC",), (".flac",), _is_flac_of_unknown_length, demuxer="flac",
        may_follow_id3=True,
    ),
    Container(
        "FLAC", ("FLAC",), (".flac",), _starts(b"fLaC"), libsndfile_formats=("FLAC",),
        may_follow_id3=True, is_exact=True,
    ),
    Container(
        "OGG", ("OGG (Vorbis, Opus)",), (".ogg", ".oga", ".opus"), _starts(b"OggS"),
        libsndfile_formats=("OGG",),
    ),
    Container("MP3", ("MP3",), (".mp3",), _is_mp3, libsndfile_formats=("MP3",)),
    Container(
        "MP4", ("M4A", "MP4", "3GP"), (".m4a", ".m4b", ".mp4", ".mov", ".3gp", ".3g2"),
        _starts(b"ftyp", at=4), demuxer="mp4",
    ),
    Container("AAC", ("AAC",), (".aac",), _is_aac, demuxer="aac", may_follow_id3=True),
    Container(
        "Matroska", ("WebM",), (".webm", ".mka", ".mkv"), _starts(b"\x1a\x45\xdf\xa3"),
        demuxer="matroska",
    ),
    Container(
        "AMR", ("AMR",), (".amr", ".awb"), _starts(b"#!AMR\n", b"#!AMR-WB\n"), demuxer="amr"
    ),
)  # fmt: skip
"""The first that matches counts."""

LABELS = tuple(dict.fromkeys(label for each in CONTAINERS for label in each.labels))
ACCEPTED = f"{', '.join(LABELS[:-1])} and {LABELS[-1]}"
"""All containers, for people."""
AUDIO_SUFFIXES = frozenset(suffix for each in CONTAINERS for suffix in each.suffixes)


def sniff(source: BinaryIO) -> Container | None:
    """The container of a seekable recording, or None if it is not accepted."""
    source.seek(0)
    head = source.read(HEAD_BYTES)
    found = _match(head)
    if not head.startswith(b"ID3"):
        return found
    # The tag gives its size (ID3v2.4, 3.1). FLAC and AAC may follow it, else it belongs to MP3.
    size = 0
    for seven_bits in head[6:10]:
        size = size << 7 | seven_bits & 0x7F
    source.seek(10 + size)
    behind = _match(source.read(HEAD_BYTES))
    return behind if behind and behind.may_follow_id3 else found


def _match(head: bytes) -> Container | None:
    return next((each for each in CONTAINERS if each.matches(head)), None)
