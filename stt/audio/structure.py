"""Where a recording ends, by the structure of its container.

A length in a header is a claim: recorders that were cut off leave 0, those that write to a pipe the
largest number, and people join files. So the chunks themselves are followed, as far as they go.
"""

import struct
from dataclasses import dataclass

import numpy as np

from stt.audio.span import Span
from stt.errors import InvalidAudio

MAX_CHUNKS = 100_000
"""More chunks are not followed; then the rest counts as part of the recording."""
UNKNOWN_SIZE = 0x7FFF_0000
"""From here on a size stands for "unknown", as programs write it to a pipe."""

OTHERS = (b"RIFF", b"RIFX", b"RF64", b"OggS", b"fLaC", b"FORM", b"caff", b".snd", b"#!AM")
"""What looks like the name of a chunk but begins another file."""

ALIKE = 0.9
"""Mean difference between neighbouring samples, relative to their size: 1.3 or more if they have no
relation, 0.6 or less in speech."""
MIN_SAMPLES_BYTES = 4096
"""Fewer bytes tell nothing."""
WITHOUT_BEGINNING = (
    "This is a later part of a recording in {name}: its beginning, which describes the audio, is "
    "missing or not in front. Send all chunks of one recording joined in their order, or stop and "
    "start the recorder for each upload, so that each is a whole recording."
)


@dataclass(frozen=True)
class Layout:
    """The extent of a recording within its span."""

    end: int | None
    """First byte behind it; None if only decoding can tell."""
    is_known: bool = True
    """Whether the header says how much audio there is."""
    is_whole: bool = True
    """Whether the file has everything that its header claims."""


def of_wav(span: Span) -> Layout:
    """RIFF (also RIFX and RF64): chunks of a name and a size, one of which has the samples."""
    order = ">" if span.peek(0, 4) == b"RIFX" else "<"
    at, data, long_size, form = 12, 0, 0, b""
    for _ in range(MAX_CHUNKS):
        name, size = _chunk(span, at, order)
        body = at + 8
        if name == b"ds64" and not data:
            (long_size,) = struct.unpack("<Q", span.peek(at + 16, 8).ljust(8, b"\0"))
        if name == b"fmt " and not data:
            form = span.peek(body, 16)
        if name == b"data" and not data:
            left = len(span) - body
            size = long_size if size == 0xFFFF_FFFF and long_size else size
            is_unset = not size and left and not _fits(span, body)
            if is_unset or left < size >= UNKNOWN_SIZE:
                return Layout(None, is_known=False)
            if size > left:
                return Layout(len(span), is_whole=False)
            data = body
        elif not _is_name(name) or name in OTHERS or body + size > len(span):
            if data and at < len(span) and _are_samples(span.peek(at, MIN_SAMPLES_BYTES), form):
                return Layout(None, is_known=False)  # the recorder wrote on behind its header
            return Layout(min(at, len(span)) if data else len(span))
        at = body + size
        at += size % 2 and (not data or _is_name(span.peek(at + 1, 4)))
    return Layout(len(span))


def _are_samples(bytes_behind: bytes, form: bytes) -> bool:
    """Whether bytes look like 16-bit PCM of a format: neighbours are more alike than in any other
    content, text and packed data among it."""
    tag, channels, _, _, align = struct.unpack("<HHIIH", form[:14].ljust(14, b"\0"))
    if tag not in (1, 0xFFFE) or not channels or align != 2 * channels:
        return False
    samples = np.frombuffer(bytes_behind[: len(bytes_behind) // align * align], "<i2")
    frames = samples.reshape(-1, channels).astype(np.float32)
    if 2 * frames.size < MIN_SAMPLES_BYTES - align:
        return False
    offset = frames.mean(axis=0)
    frames -= offset
    size = np.abs(frames).mean()
    steps = np.abs(np.diff(frames, axis=0)).mean()
    return bool(steps < ALIKE * size and np.abs(offset).max() < size)  # text has a large offset


def _chunk(span: Span, at: int, order: str) -> tuple[bytes, int]:
    head = span.peek(at, 8)
    if len(head) < 8:
        return b"", 0
    name, size = struct.unpack(f"{order}4sI", head)
    return name, size


def _is_name(name: bytes) -> bool:
    return len(name) == 4 and all(32 <= byte < 127 for byte in name) and name.strip() != b""


def _fits(span: Span, at: int) -> bool:
    """Whether whole chunks follow, up to the end."""
    for _ in range(16):
        name, size = _chunk(span, at, "<")
        if not _is_name(name):
            return False
        at += 8 + size + size % 2
        if len(span) - 1 <= at - size % 2 <= len(span) or at == len(span):
            return True
    return False


def of_aiff(span: Span) -> Layout:
    """FORM: one chunk around everything."""
    _, size = _chunk(span, 0, ">")
    end = 8 + size + size % 2
    if size < 4 or size >= UNKNOWN_SIZE:
        return Layout(None, is_known=False)
    return Layout(min(end, len(span)), is_whole=end <= len(span) + 1)


def of_au(span: Span) -> Layout:
    """A header with its own size and that of the samples; decoding tells where unknown ones end."""
    begin, size = struct.unpack(">II", span.peek(4, 8).ljust(8, b"\0"))
    return Layout(None, is_whole=size >= UNKNOWN_SIZE or begin + size <= len(span))


def of_avi(span: Span) -> Layout:
    """RIFF chunks: one with the index, and more in files over a gigabyte."""
    at = 0
    for _ in range(MAX_CHUNKS):
        name, size = _chunk(span, at, "<")
        if name != b"RIFF" or span.peek(at + 8, 4) != (b"AVIX" if at else b"AVI "):
            break
        end = at + 8 + size + size % 2
        if size < 4 or end > len(span) + 1:
            return Layout(None, is_known=False, is_whole=size < 4)
        at = min(end, len(span))
    return Layout(at)


def of_caf(span: Span) -> Layout:
    """Chunks of a name and a size in eight bytes; that of the samples may be unknown."""
    at = 8
    for _ in range(MAX_CHUNKS):
        head = span.peek(at, 12)
        if len(head) < 12 or not _is_name(head[:4]) or head[:4] in OTHERS:
            break
        size = int.from_bytes(head[4:], signed=True)
        if size < 0:
            return Layout(None, is_known=False)
        if at + 12 + size > len(span):
            return Layout(len(span), is_whole=False)
        at += 12 + size
    return Layout(at)


def of_asf(span: Span) -> Layout:
    """Objects; the first holds one with the size of the file."""
    head = span.peek(0, 4096)
    at = head.find(b"\xa1\xdc\xab\x8c\x47\xa9\xcf\x11\x8e\xe4\0\xc0\x0c\x20\x53\x65")
    size = int.from_bytes(head[at + 40 : at + 48], "little") if at >= 0 else 0
    if size < 100:
        return Layout(None, is_known=False)
    return Layout(min(size, len(span)), is_whole=size <= len(span))


def of_mp4(span: Span) -> Layout:
    """Boxes of a size and a type; ``moov`` describes the audio, wherever it is.

    Raises:
        InvalidAudio: ``moov`` is missing.
    """
    kinds: list[bytes] = []
    at = 0
    is_whole = True
    for _ in range(MAX_CHUNKS):
        head = span.peek(at, 16)
        if len(head) < 8:
            break
        size, kind = struct.unpack(">I4s", head[:8])
        if size == 1 and len(head) == 16:
            (size,) = struct.unpack(">Q", head[8:])
        size = size or len(span) - at
        if not _is_name(kind) or size < 8 or (kind == b"ftyp" and {b"moov", b"moof"} & set(kinds)):
            break
        kinds.append(kind)
        is_whole = at + size <= len(span)
        at = min(at + size, len(span))
    if b"moov" not in kinds and {b"moof", b"styp"} & set(kinds):
        raise InvalidAudio(WITHOUT_BEGINNING.format(name="MP4"))
    if b"moov" not in kinds and b"mdat" in kinds and at == len(span):
        raise InvalidAudio(
            "The MP4 file has no index (moov), without which its audio cannot be found: the "
            "recording was not finished, or the upload is cut off."
        )
    return Layout(at if b"moov" in kinds else len(span), is_whole=is_whole)


def of_matroska(span: Span) -> Layout:
    """EBML (RFC 8794): a head, then a segment that may have a size."""
    at = _element(span, 0)[1]
    begin, end = _element(span, at) if at is not None else (0, None)
    if begin == 0 or end is None:
        return Layout(None, is_known=False)
    return Layout(min(end, len(span)), is_whole=end <= len(span))


def _element(span: Span, at: int) -> tuple[int, int | None]:
    """Where the content of an element begins and ends; None if its size is unknown."""
    head = span.peek(at, 16)
    id_length = 9 - head[0].bit_length() if head and head[0] else 0
    if not 1 <= id_length <= 4 or len(head) <= id_length or not head[id_length]:
        return 0, None
    first = head[id_length]
    length = 9 - first.bit_length()
    size = int.from_bytes(head[id_length : id_length + length]) & (1 << 7 * length) - 1
    begin = at + id_length + length
    return begin, None if size == (1 << 7 * length) - 1 else begin + size


def of_ogg(span: Span) -> Layout:
    """Pages (RFC 3533), each with its size; a new beginning after other pages is a new link.

    ``is_known``: whether times only grow and nothing follows the page that is flagged as last;
    libsndfile reads no further than that.
    """
    at, last, begun, is_known, has_ended = 0, 0, False, True, False
    for _ in range(MAX_CHUNKS):
        head = span.peek(at, 27 + 255)
        if len(head) < 27 or not head.startswith(b"OggS\0"):
            # Decoders find the next page behind damage, too.
            rest = span.within(at + 1)
            following = next((p for b in rest.blocks() for p in b.find_all(b"OggS\0")), None)
            if following is None:
                break
            at += 1 + following
            continue
        begins = bool(head[5] & 2)
        if begins and begun:
            break
        begun = begun or not begins
        n_segments = head[26]
        end = at + 27 + n_segments + sum(head[27 : 27 + n_segments])
        if end > len(span):
            return Layout(len(span), is_whole=False)
        granule = int.from_bytes(head[6:14], "little", signed=True)
        is_known = is_known and not has_ended and (granule == -1 or granule >= last)
        last = last if granule == -1 else granule
        has_ended = bool(head[5] & 4)
        at = end
    else:
        return Layout(None, is_known=False)
    return Layout(at, is_known=is_known and last > 0)
