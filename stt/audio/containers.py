"""The containers that are accepted, and which of them a recording is in.

The first bytes decide, never the name. To accept another container, add it to `CONTAINERS`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from stt.audio import structure
from stt.audio.span import Span
from stt.audio.structure import Layout
from stt.errors import InvalidAudio

MAX_TAGS = 8
"""ID3 tags in front of a recording."""
HEAD_BYTES = 1024
"""Enough to tell every container; most need 16, an MPEG transport stream several packets."""
MID_FRAME_BYTES = 4096
"""A recording of plain frames that was cut starts with the rest of one, at most this long."""
FRAMES_IN_A_ROW = 3
"""At least so many must follow each other; fewer may be a coincidence."""


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
    demuxer: str
    """The FFmpeg demuxer that opens it, at once or if libsndfile fails."""
    libsndfile_formats: tuple[str, ...] = ()
    """What libsndfile may find in it: libsndfile looks for itself, and knows many more formats.
    Empty: FFmpeg opens it at once."""
    magic: bytes = b""
    """Bytes that a joined file begins with. Empty: its frames are found by FFmpeg."""
    magic_at: int = 0
    """Where in the file they are."""
    layout: Callable[[Span], Layout] = lambda _: Layout(None)
    """Where a file that matches ends."""
    is_exact: bool = False
    """The length in the header is exact, so a file with less audio is truncated."""
    has_clock: bool = False
    """Its packets have times, so there may be gaps between them. AVI only counts its packets."""


def _starts(*magic: bytes, at: int = 0) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(magic, at)


def _is_riff(kind: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith((b"RIFF", b"RIFX", b"RF64")) and head[8:12] == kind


def _is_aiff(head: bytes) -> bool:
    return head.startswith(b"FORM") and head[8:12] in (b"AIFF", b"AIFC")


def _is_mp4(head: bytes) -> bool:
    """``ftyp`` first, or a QuickTime movie from before there was one."""
    size = int.from_bytes(head[:4])
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip"):
        return size >= 8 or head[:4] in (b"\0\0\0\0", b"\0\0\0\1")
    return head[4:8] in (b"ftyp", b"styp", b"moof", b"sidx") and size >= 8


def _is_matroska(head: bytes) -> bool:
    return head.startswith(b"\x1a\x45\xdf\xa3")


def _is_au(head: bytes) -> bool:
    size, _, encoding, rate, channels = (
        int.from_bytes(head[at : at + 4]) for at in range(4, 24, 4)
    )
    sane = 24 <= size <= 2**20 and 1 <= encoding <= 27 and rate < 2**20 and channels < 256
    return head.startswith(b".snd") and sane


def _is_mpeg_ts(head: bytes) -> bool:
    """A packet begins with G, every 188 bytes, with 192 in those of cameras."""
    return any(
        all(head[at + index * step : at + index * step + 1] == b"G" for index in range(4))
        for step in (188, 192)
        for at in range(step)
    )


def _frame_bytes(head: bytes) -> int:
    """Length of the MPEG audio frame that starts here; 0 if none does."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    if layer == 4:  # AAC's ADTS
        return int.from_bytes(head[3:6]) >> 5 & 0x1FFF if head[1] & 0xF0 == 0xF0 else 0
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or rate == 3 or bitrate in (0, 15):
        return 0
    low = version != 3
    kbps = _KBPS[(3 if layer == 1 else 4) if low else layer - 1][bitrate - 1]
    hertz = (44_100, 48_000, 32_000)[rate] >> (0 if not low else 1 if version == 2 else 2)
    padding = head[2] >> 1 & 1
    if layer == 1:
        return (12_000 * kbps // hertz + padding) * 4
    return (72_000 if low and layer == 3 else 144_000) * kbps // hertz + padding


_KBPS = (
    (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
"""Bit rates of MPEG-1's three layers, then of MPEG-2's first and its others (ISO 11172-3)."""


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


MP3 = Container("MP3", ("MP3",), (".mp3", ".mp2"), _is_mp3, "mp3")
AAC = Container("AAC", ("AAC",), (".aac",), _is_aac, "aac")
MP4 = Container(
    "MP4",
    ("M4A", "MP4", "MOV", "3GP"),
    (".m4a", ".m4b", ".mp4", ".mov", ".3gp", ".3g2"),
    _is_mp4,
    "mp4",
    magic=b"ftyp",
    magic_at=4,
    layout=structure.of_mp4,
    has_clock=True,
)
MPEG_TS = Container(
    "MPEG-TS", ("TS",), (".ts", ".m2ts", ".mts"), _is_mpeg_ts, "mpegts", has_clock=True
)
CONTAINERS = (
    Container(
        "WAV", ("WAV",), (".wav",), _is_riff(b"WAVE"), "wav",
        libsndfile_formats=("WAV", "WAVEX", "RF64"), magic=b"WAVE", magic_at=8,
        layout=structure.of_wav,
    ),
    Container(
        "FLAC", ("FLAC",), (".flac",), _starts(b"fLaC"), "flac", magic=b"fLaC\0\0\0\x22",
        is_exact=True,
    ),
    Container(
        "OGG", ("OGG (Vorbis, Opus)",), (".ogg", ".oga", ".opus", ".spx"), _starts(b"OggS"), "ogg",
        libsndfile_formats=("OGG",), magic=b"OggS\0\2", layout=structure.of_ogg,
    ),
    MP3,
    MP4,
    AAC,
    Container(
        "Matroska", ("WebM", "MKV"), (".webm", ".mka", ".mkv"), _is_matroska, "matroska",
        magic=b"\x1a\x45\xdf\xa3", layout=structure.of_matroska, has_clock=True,
    ),
    Container(
        "AMR", ("AMR",), (".amr", ".awb"), _starts(b"#!AMR\n", b"#!AMR-WB\n"), "amr",
        magic=b"#!AMR",
    ),
    Container(
        "AIFF", ("AIFF",), (".aiff", ".aif", ".aifc"), _is_aiff, "aiff", magic=b"FORM",
        layout=structure.of_aiff,
    ),
    Container(
        "CAF", ("CAF",), (".caf",), _starts(b"caff\0\1"), "caf", magic=b"caff\0\1\0\0desc",
        layout=structure.of_caf,
    ),
    Container(
        "AU", ("AU",), (".au", ".snd"), _is_au, "au", magic=b".snd\0\0", layout=structure.of_au
    ),
    Container(
        "ASF", ("WMA",), (".wma", ".asf", ".wmv"), _starts(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
        "asf", magic=b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa\0\x62\xce\x6c",
        layout=structure.of_asf, has_clock=True,
    ),
    Container(
        "AVI", ("AVI",), (".avi",), _is_riff(b"AVI "), "avi", magic=b"AVI LIST", magic_at=8,
        layout=structure.of_avi,
    ),
    MPEG_TS,
)  # fmt: skip
"""The first that matches counts."""

LABELS = tuple(dict.fromkeys(label for each in CONTAINERS for label in each.labels))
ACCEPTED = f"{', '.join(LABELS[:-1])} and {LABELS[-1]}"
"""All containers, for people."""
AUDIO_SUFFIXES = frozenset(suffix for each in CONTAINERS for suffix in each.suffixes)


@dataclass(frozen=True)
class Found:
    """A recording in a span."""

    container: Container
    begin: int
    """Where it begins."""


def identify(span: Span) -> Found | None:
    """The recording that a span begins with, or None if its container is not accepted.

    Tags, zeros and the rest of a cut frame may come before it.
    """
    if found := _at(span, 0):
        return found
    at = span.skip_zeros()
    for begin in range(max(0, at - 3), at):  # the size of a box begins with zeros
        if _is_mp4(span.peek(begin, HEAD_BYTES)):
            return Found(MP4, begin)
    return _at(span, at) or _find_frame(span, at)


def _at(span: Span, at: int) -> Found | None:
    """The recording that begins here, or behind the ID3 tags of one or several programs."""
    head = span.peek(at, HEAD_BYTES)
    for _ in range(MAX_TAGS):
        if not head.startswith(b"ID3"):
            break
        behind = at + _tag_bytes(head)
        head_behind = span.peek(behind, HEAD_BYTES)
        if head_behind.startswith(b"ID3"):
            at, head = behind, head_behind
            continue
        container = _match(head_behind)
        if container not in (None, MP3):
            return Found(container, behind)
        break
    container = _match(head)
    return None if container is None else Found(container, at)


def explain(span: Span) -> None:
    """Raise a helpful error if a span is a recording without its beginning.

    Raises:
        InvalidAudio: it is.
    """
    head = span.peek(0, 2**16)
    # A cluster (RFC 9559, 5.1.3) and its time; chunks of MediaRecorder may begin within one.
    if b"\x1f\x43\xb6\x75" in head:
        raise InvalidAudio(structure.WITHOUT_BEGINNING.format(name="WebM"))


def next_beginning(span: Span, container: Container | None) -> int | None:
    """Where another recording begins behind the one that a span begins with, if any.

    Args:
        span: Some bytes.
        container: Of the recording, if its structure does not tell where it ends; None: the span
            begins with something else.
    """
    magics = {each.magic: each for each in CONTAINERS if each.magic}
    for block in span.blocks():
        found = [
            begin
            for magic, each in magics.items()
            for at in block.find_all(magic)
            if (begin := at - each.magic_at) > 0 and _begins(span, begin, each)
        ]
        if container is not MPEG_TS:
            found += [at for at in block.match_all(_PACKETS) if at > 0][:1]
        if container is None or container.name in MAY_PRECEDE_FRAMES:
            for kind, frame in _FRAMES.items():
                if kind is not container:
                    found += islice(
                        (at for at in block.match_all(frame) if _is_joined(span, at)), 1
                    )
        if found:
            return min(found)
    return None


MAY_PRECEDE_FRAMES = ("FLAC", "AU", "AMR", "MP3", "AAC", "MPEG-TS")
"""Others may hold plain frames themselves."""
JOINED_FRAMES = 8
JOINED_BYTES = 512
"""So many frames in a row are no coincidence in hours of other data, and so many bytes are not the
content of a packet."""
_FRAMES = {
    MP3: re.compile(rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff][\x10-\xef]"),
    AAC: re.compile(rb"\xff[\xf0\xf1\xf8\xf9]"),
}
_PACKETS = re.compile(rb"G(?=.{187}G.{187}G.{187}G.{187}G)", re.DOTALL)


def _begins(span: Span, at: int, container: Container) -> bool:
    head = span.peek(at, HEAD_BYTES)
    return container.matches(head) and (container.name != "Matroska" or b"\x42\x82" in head)


def _is_joined(span: Span, at: int) -> bool:
    n_frames, end = _run(span, at, JOINED_FRAMES)
    return at > 0 and n_frames >= JOINED_FRAMES and end - at >= JOINED_BYTES


def _run(span: Span, at: int, least: int) -> tuple[int, int]:
    """How many frames of one kind and rate follow each other from here, and where they end.

    Does not look further than ``least`` frames and `JOINED_BYTES`.
    """
    begin, n_frames, kind = at, 0, b""
    while n_frames < least or at - begin < JOINED_BYTES:
        head = span.peek(at, 7)
        size = _frame_bytes(head)
        fixed = bytes((head[1] & 0xFE, head[2] & 0x0C)) if size else b""
        if not size or fixed != (kind or fixed):
            break
        at, n_frames, kind = at + size, n_frames + 1, fixed
    return n_frames, at


def _tag_bytes(head: bytes) -> int:
    """Length of an ID3 tag (ID3v2.4, 3.1)."""
    size = 0
    for seven_bits in head[6:10]:
        size = size << 7 | seven_bits & 0x7F
    return 10 + size


def _match(head: bytes) -> Container | None:
    return next((each for each in CONTAINERS if each.matches(head)), None)


def _find_frame(span: Span, at: int) -> Found | None:
    """A recording of plain frames that begins within one."""
    head = span.peek(at, MID_FRAME_BYTES)
    is_text = head[:8].isascii() and head[:8].decode().isprintable()
    if is_text and head[:8].strip(head[:1]):  # LAME fills frames with one letter
        return None  # text, or the magic of something else
    for kind, frame in _FRAMES.items():
        for match in frame.finditer(head):
            if _run(span, at + match.start(), FRAMES_IN_A_ROW)[0] >= FRAMES_IN_A_ROW:
                return Found(kind, at + match.start())
    return None
