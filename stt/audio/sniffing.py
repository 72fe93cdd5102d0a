"""Which container a recording is in, told by its first bytes, never by its name."""

from typing import BinaryIO


def sniff(head: bytes) -> str | None:
    """Name the container that starts with these bytes (32 are enough), or None.

    The names are libsndfile's where it decodes the format (upper case) and FFmpeg's demuxers'
    where FFmpeg does (lower case).
    """
    if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:12] == b"WAVE":
        return "WAV"
    if head[:4] == b"fLaC":
        return "FLAC"
    if head[:4] == b"OggS":
        return "OGG"
    if head[4:8] == b"ftyp":
        return "mp4"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    if head[:6] == b"#!AMR\n" or head[:9] == b"#!AMR-WB\n":
        return "amr"
    if head[:3] == b"ID3":
        return "MP3"
    if len(head) >= 4 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        # An MPEG audio frame: layer 0 is AAC's ADTS header, the other layers MP1 to MP3.
        layer, bitrate, rate = head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
        if layer == 0:
            return "aac" if head[1] & 0xF0 == 0xF0 else None
        return "MP3" if bitrate != 15 and rate != 3 else None
    return None


def sniff_behind_id3(source: BinaryIO, head: bytes) -> str:
    """FLAC and AAC may begin with an ID3 tag too; it says where it ends (ID3v2.4, 3.1)."""
    size = 0
    for seven_bits in head[6:10]:
        size = size << 7 | seven_bits & 0x7F
    source.seek(10 + size)
    behind = sniff(source.read(32))
    return behind if behind in ("FLAC", "aac") else "MP3"


def lacks_length(head: bytes) -> bool:
    """Whether a FLAC header gives 0, for unknown, as the number of samples (RFC 9639, 8.2)."""
    return len(head) >= 26 and int.from_bytes(head[18:26]) & (2**36 - 1) == 0
