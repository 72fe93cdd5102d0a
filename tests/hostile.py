"""A corpus of hostile files: ``python -m tests.hostile FOLDER`` writes it.

Deterministic and quick to make: the bombs are written frame by frame, not encoded. Each file has a
set of acceptable outcomes: ``ok`` or codes of `stt.errors`.
"""

import json
import random
import struct
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from tests.audio_files import tones, with_ffmpeg, with_libsndfile

OK, BROKEN, OTHER, LONG = "ok", "invalid_audio", "unsupported_format", "audio_too_long"
ANY = frozenset({OK, BROKEN, OTHER, LONG})
URL = "http://127.0.0.1:9/secret"


@dataclass(frozen=True)
class Hostile:
    """One file and its acceptable outcomes."""

    name: str
    data: bytes
    outcomes: frozenset[str]


@cache
def originals() -> dict[str, bytes]:
    """Half a second in every accepted container and many codecs."""
    wide, narrow = tones(0.5, 44_100, 2), tones(0.5, 16_000)
    amr = b"".join(b"\x04" + bytes((index * 7 % 256,)) * 12 for index in range(25))
    made = {
        "wav": with_libsndfile(narrow, 16_000, "WAV", "PCM_16"),
        "wav-24": with_libsndfile(wide, 44_100, "WAV", "PCM_24"),
        "wav-float": with_libsndfile(narrow, 16_000, "WAV", "FLOAT"),
        "wav-ulaw": with_libsndfile(tones(0.5, 8_000), 8_000, "WAV", "ULAW"),
        "wav-ima": with_libsndfile(tones(0.5, 8_000), 8_000, "WAV", "IMA_ADPCM"),
        "wav-gsm": with_libsndfile(tones(0.5, 8_000), 8_000, "WAV", "GSM610"),
        "wavex": with_libsndfile(wide, 44_100, "WAVEX"),
        "rf64": with_libsndfile(narrow, 16_000, "RF64"),
        "flac": with_libsndfile(wide, 44_100, "FLAC"),
        "vorbis": with_libsndfile(wide, 44_100, "OGG", "VORBIS"),
        "opus": with_libsndfile(tones(0.5, 48_000), 48_000, "OGG", "OPUS"),
        "mp3": with_libsndfile(wide, 44_100, "MP3"),
        "m4a": with_ffmpeg(wide, 44_100, "mp4", "aac"),
        "3gp": with_ffmpeg(narrow, 16_000, "3gp", "aac"),
        "aac": with_ffmpeg(wide, 44_100, "adts", "aac"),
        "webm": with_ffmpeg(tones(0.5, 48_000), 48_000, "webm", "libopus"),
        "mka": with_ffmpeg(wide, 44_100, "matroska", "flac"),
        "mp4-alac": with_ffmpeg(wide, 44_100, "mp4", "alac"),
        "amr": b"#!AMR\n" + amr,
        "aiff": with_libsndfile(narrow, 16_000, "AIFF", "PCM_16"),
        "caf": with_libsndfile(narrow, 16_000, "CAF", "PCM_16"),
        "au": with_libsndfile(narrow, 16_000, "AU", "ULAW"),
        "wma": with_ffmpeg(wide, 44_100, "asf", "wmav2"),
        "avi": with_ffmpeg(wide, 44_100, "avi", "mp3"),
        "ts": with_ffmpeg(wide, 44_100, "mpegts", "aac"),
    }
    return {name: _steady(data) for name, data in made.items()}


def _steady(data: bytes) -> bytes:
    """Remove what libsndfile takes from the clock: OGG's serial number, WAV's time of the peak."""
    if data[:4] == b"OggS":
        return mended_ogg(data.replace(data[14:18], bytes(4)))
    peak = data.find(b"PEAK", 0, 100)
    return data if peak < 0 else patched(data, peak + 12, bytes(4))


def patched(data: bytes, at: int, value: bytes) -> bytes:
    """Overwrite some bytes."""
    return data[:at] + value + data[at + len(value) :]


@cache
def corpus(url: str = URL) -> tuple[Hostile, ...]:
    """All files; playlists and references point to ``url``."""
    made = (
        *_truncated(), *_wav_lies(), *_flac_lies(), *_ogg_lies(), *_mp3_lies(), *_mp4_lies(url),
        *_matroska_lies(), *_bombs(), *_impossible_samples(), *_polyglots(url), *_playlists(url),
        *_next_to_nothing(), *_noise_behind_magic(),
    )  # fmt: skip
    assert len({each.name for each in made}) == len(made)
    return made


def _make(group: str, name: str, data: bytes, *outcomes: str) -> Hostile:
    return Hostile(f"{group}/{name}", data, frozenset(outcomes) or ANY)


def _truncated() -> Iterator[Hostile]:
    for name, data in originals().items():
        for percent in range(5, 100, 5):
            part = data[: len(data) * percent // 100]
            # Truncated FLAC is an error; other containers may give a prefix.
            outcomes = (BROKEN,) if name == "flac" else (OK, BROKEN)
            yield _make("truncated", f"{name}-{percent:02}", part, *outcomes)


def _wav_lies() -> Iterator[Hostile]:
    wav = originals()["wav"]
    body = wav.index(b"data")
    fields = {
        "rate": (24, "<I", [0, 1, 3_999, 384_001, 2**31 - 1, 2**32 - 1], (BROKEN,)),
        "channels": (22, "<H", [0, 9, 16, 1024, 65_535], (BROKEN,)),
        "bits": (34, "<H", [0, 1, 7, 40, 64, 65_535], ()),
        "align": (32, "<H", [0, 1, 3, 65_535], ()),
        "bytes-a-second": (28, "<I", [0, 2**32 - 1], (OK,)),
        "format": (20, "<H", [0, 2, 7, 0x31, 0x50, 0x55, 0x161, 0xFFFE, 0xFFFF], ()),
        "riff-size": (4, "<I", [0, 8, 2**32 - 1], (OK, BROKEN)),
        "fmt-size": (16, "<I", [0, 2, 15, 17, 4_000, 2**31, 2**32 - 1], ()),
        "data-size": (body + 4, "<I", [0, 1, 3, 2**31 - 1, 2**31, 2**32 - 1], (OK,)),
    }
    for name, (at, form, values, outcomes) in fields.items():
        for value in values:
            lie = patched(wav, at, struct.pack(form, value))
            yield _make("wav", f"{name}-{value}", lie, *outcomes)
    chunk = b"LIST" + struct.pack("<I", 2**32 - 8) + b"INFO"
    yield _make("wav", "huge-list", wav[:body] + chunk + wav[body:])
    yield _make("wav", "no-data", wav[:body])
    yield _make("wav", "data-first", wav[:12] + wav[body:] + wav[12:body])
    yield _make("wav", "two-formats", wav[:36] + wav[12:36] + wav[36:])
    yield _make("wav", "10000-chunks", wav[:body] + b"junk\0\0\0\0" * 10_000 + wav[body:])
    rf64 = originals()["rf64"]
    at = rf64.index(b"ds64") + 8
    for value in (0, 2**31, 2**62, 2**63, 2**64 - 1):
        yield _make("wav", f"ds64-{value}", patched(rf64, at, struct.pack("<QQQ", *[value] * 3)))


def flac_head(
    n_samples: int, rate: int = 16_000, channels: int = 1, *, last: bool = True, block: int = 4096
) -> bytes:
    """A FLAC stream's marker and STREAMINFO (RFC 9639, section 8.2), for 16-bit samples."""
    packed = rate << 44 | (channels - 1) << 41 | 15 << 36 | n_samples
    info = struct.pack(">HH3s3sQ16s", block, block, bytes(3), bytes(3), packed, bytes(16))
    return b"fLaC" + struct.pack(">I", last << 31 | len(info)) + info


def flac_silence(seconds: float, rate: int = 16_000, channels: int = 1, claim: int = -1) -> bytes:
    """Silence as FLAC, about 16 bytes per 65,535 samples (RFC 9639, section 9)."""
    block = 65_535
    n_frames = -int(-seconds * rate // block)
    parts = [flac_head(n_frames * block if claim < 0 else claim, rate, channels, block=block)]
    for index in range(n_frames):
        # Sync and fixed size; size in 16 bits, rate from STREAMINFO; channels, 16 bits a sample.
        head = struct.pack(">HBB", 0xFFF8, 0x70, (channels - 1) << 4 | 8)
        head += _utf8(index) + struct.pack(">H", block - 1)
        frame = head + bytes((_crc(head, 8, 0x07),)) + bytes(3) * channels  # constant 0
        parts.append(frame + struct.pack(">H", _crc(frame, 16, 0x8005)))
    return b"".join(parts)


def _utf8(number: int) -> bytes:
    return chr(number).encode("utf-8", "surrogatepass")


def _crc(data: bytes, bits: int, polynomial: int) -> int:
    crc, mask, table = 0, (1 << bits) - 1, _crc_table(bits, polynomial)
    for byte in data:
        crc = (crc << 8 & mask) ^ table[crc >> (bits - 8) ^ byte]
    return crc


@cache
def _crc_table(bits: int, polynomial: int) -> list[int]:
    table = []
    for byte in range(256):
        crc = byte << (bits - 8)
        for _ in range(8):
            crc = crc << 1 ^ polynomial if crc >> (bits - 1) else crc << 1
            crc &= (1 << bits) - 1
        table.append(crc)
    return table


def _flac_lies() -> Iterator[Hostile]:
    flac = originals()["flac"]
    claim = int.from_bytes(flac[18:26]) & ~(2**36 - 1)
    yield _make("flac", "68-billion-frames", flac_head(2**36 - 1).ljust(99, b"\0"), LONG)
    yield _make("flac", "one-more", patched(flac, 18, (claim | 22_051).to_bytes(8)), BROKEN)
    yield _make("flac", "two-days", patched(flac, 18, (claim | 2**33).to_bytes(8)), LONG)
    yield _make("flac", "length-unknown", patched(flac, 18, claim.to_bytes(8)), OK)
    for rate in (0, 1, 3_999, 384_001, 655_350, 2**20 - 1):
        # Frames also state the rate; FFmpeg uses that if the header claims no length.
        yield _make("flac", f"rate-{rate}", flac_head(0, rate) + flac[42:], OK, BROKEN)
        lie = flac_head(16_000, rate) + flac[42:]
        yield _make("flac", f"claimed-rate-{rate}", lie, OK, BROKEN, LONG)
    for size in (0, 1, 15, 65_535):
        yield _make("flac", f"block-{size}", patched(flac, 8, struct.pack(">HH", size, size)))
    for kind in (1, 2, 3, 4, 5, 6, 126, 127):  # padding to picture, unknown, forbidden
        block = struct.pack(">I", kind << 24 | 2**24 - 1) + b"\xff" * 64
        lie = flac_head(0, 44_100, 2, last=False) + block + flac[42:]
        yield _make("flac", f"block-of-16-mb-{kind}", lie)
    yield _make("flac", "no-frames", flac_head(16_000), BROKEN)
    yield _make("flac", "no-info", b"fLaC" + flac[42:], BROKEN)
    yield _make("flac", "twice", flac + flac)


def ogg_page(packets: bytes, table: bytes, number: int, granule: int, kind: int) -> bytes:
    """A page (RFC 3533, section 6) with the right checksum."""
    head = struct.pack("<4sBBqIII", b"OggS", 0, kind, granule, 1, number, 0)
    page = head + bytes((len(table),)) + table + packets
    return patched(page, 22, struct.pack("<I", _crc(page, 32, 0x04C11DB7)))


def mended_ogg(data: bytes) -> bytes:
    """Correct all checksums, so that decoders do not drop changed pages."""
    out, at = bytearray(data), data.find(b"OggS")
    while at >= 0 and at + 27 <= len(out):
        n_segments = out[at + 26]
        end = at + 27 + n_segments + sum(out[at + 27 : at + 27 + n_segments])
        out[at + 22 : at + 26] = bytes(4)
        out[at + 22 : at + 26] = struct.pack("<I", _crc(bytes(out[at:end]), 32, 0x04C11DB7))
        at = bytes(out).find(b"OggS", at + 27)
    return bytes(out)


def _ogg_lies() -> Iterator[Hostile]:
    vorbis, opus = originals()["vorbis"], originals()["opus"]
    at = vorbis.index(b"\x01vorbis")
    for rate in (0, 1, 3_999, 384_001, 2**31 - 1, 2**32 - 1):
        lie = patched(vorbis, at + 12, struct.pack("<I", rate))
        yield _make("ogg", f"vorbis-rate-{rate}", mended_ogg(lie), BROKEN)
    for channels in (0, 9, 255):
        lie = patched(vorbis, at + 11, bytes((channels,)))
        yield _make("ogg", f"vorbis-channels-{channels}", mended_ogg(lie), BROKEN)
    yield _make("ogg", "vorbis-blocks", mended_ogg(patched(vorbis, at + 28, b"\xff")), BROKEN)
    for channels in (0, 9, 255):
        lie = patched(opus, opus.index(b"OpusHead") + 9, bytes((channels,)))
        yield _make("ogg", f"opus-channels-{channels}", mended_ogg(lie), BROKEN)
    skip = patched(opus, opus.index(b"OpusHead") + 10, b"\xff\xff")
    yield _make("ogg", "opus-skip", mended_ogg(skip))
    for name, data in (("vorbis", vorbis), ("opus", opus)):
        last = data.rindex(b"OggS")
        for granule in (0, -1, 2**40, 2**63 - 1, -(2**63)):
            lie = mended_ogg(patched(data, last + 6, struct.pack("<q", granule)))
            yield _make("ogg", f"{name}-granule-{granule}", lie)
        yield _make("ogg", f"{name}-serial", mended_ogg(patched(data, last + 14, b"else")))
        yield _make("ogg", f"{name}-checksum", patched(data, last + 22, b"none"))
        yield _make("ogg", f"{name}-twice", data + data)
        yield _make("ogg", f"{name}-no-end", data[:last])
    table = bytes((255,)) * 255
    endless = b"".join(
        ogg_page(bytes(255 * 255), table, index, -1, 2 if index == 0 else 1) for index in range(4)
    )
    yield _make("ogg", "packet-without-end", endless, BROKEN)


def _mp3_lies() -> Iterator[Hostile]:
    mp3, aac = originals()["mp3"], originals()["aac"]
    xing = next(at for at in (mp3.find(b"Xing"), mp3.find(b"Info")) if at >= 0)
    for frames in (0, 1, 2**31, 2**32 - 1):
        lie = patched(mp3, xing + 8, struct.pack(">I", frames))
        yield _make("mp3", f"frames-{frames}", lie, OK, LONG, BROKEN)
    start = mp3.index(b"\xff\xfb")
    for name, byte in {"free": 0x04, "bad-bitrate": 0xF4, "bad-rate": 0x9C}.items():
        yield _make("mp3", name, patched(mp3, start + 2, bytes((byte,))))
    for size in (0, 10, 2**20, 2**28 - 1):
        tag = b"ID3\x04\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
        yield _make("mp3", f"tag-{size}", tag + bytes(10) + mp3)
    yield _make("mp3", "1000-tags", (b"ID3\x04\0\0\0\0\0\0" * 1000) + mp3)
    yield _make("mp3", "sync-only", b"\xff\xfb\x90\x64" * 2_000)
    yield _make("aac", "length-0", patched(aac, 3, b"\x80\0\x1f"))
    yield _make("aac", "length-max", patched(aac, 3, b"\xbf\xff\xff"))
    yield _make(
        "aac", "rates", b"".join(patched(aac, 2, bytes((value << 2 | 1,))) for value in range(16))
    )
    yield _make("aac", "headers-only", b"\xff\xf1\x50\x80\x00\xff\xfc" * 5_000)
    yield _make("amr", "modes", b"#!AMR\n" + bytes(range(256)) * 8)
    yield _make("amr", "wide", b"#!AMR-WB\n" + bytes(range(256)) * 8)


def box(kind: bytes, *content: bytes, size: int = -1) -> bytes:
    """A box of an MP4 file; ``size`` overrides its real size."""
    data = b"".join(content)
    return struct.pack(">I", len(data) + 8 if size < 0 else size) + kind + data


def _alias(path: str) -> bytes:
    """The parts of a Macintosh alias record that FFmpeg reads: volume, file and path."""
    name = path.rpartition("/")[2].encode()
    record = bytes(10) + b"\4disk".ljust(28, b"\0") + bytes(12)
    record += bytes((len(name),)) + name.ljust(63, b"\0") + bytes(16) + struct.pack(">hh", 1, 1)
    record += bytes(16)
    text = path.encode()
    record += struct.pack(">HH", 2, len(text)) + text.ljust(len(text) + len(text) % 2, b"\0")
    return record + struct.pack(">H", 0xFFFF)


def _mp4_lies(url: str) -> Iterator[Hostile]:
    m4a = originals()["m4a"]
    fields = {
        "timescale": (b"mdhd", 16, ">I", [0, 1, 2**31, 2**32 - 1]),
        "duration": (b"mdhd", 20, ">I", [0, 2**31, 2**32 - 1]),
        "movie-timescale": (b"mvhd", 16, ">I", [0, 1, 2**32 - 1]),
        "movie-duration": (b"mvhd", 20, ">I", [0, 2**32 - 1]),
        "channels": (b"mp4a", 20, ">H", [0, 9, 1024, 65_535]),
        "bits": (b"mp4a", 22, ">H", [0, 1, 65_535]),
        "rate": (b"mp4a", 28, ">H", [0, 1, 3_999, 65_535]),
        "n-times": (b"stts", 8, ">I", [0, 2**31, 2**32 - 1]),
        "frames-in-time": (b"stts", 12, ">I", [0, 2**31 - 1, 2**32 - 1]),
        "frame-duration": (b"stts", 16, ">I", [0, 2**31 - 1, 2**32 - 1]),
        "frame-size": (b"stsz", 8, ">I", [1, 2**31, 2**32 - 1]),
        "n-frames": (b"stsz", 12, ">I", [0, 2**27, 2**31, 2**32 - 1]),
        "n-chunks": (b"stco", 8, ">I", [0, 2**27, 2**32 - 1]),
        "chunk-offset": (b"stco", 12, ">I", [0, 2**31, 2**32 - 1]),
        "frames-in-chunk": (b"stsc", 16, ">I", [0, 2**27, 2**32 - 1]),
        "n-descriptions": (b"stsd", 8, ">I", [0, 2, 2**32 - 1]),
    }  # fmt: skip
    for name, (kind, at, form, values) in fields.items():
        for value in values:
            lie = patched(m4a, m4a.index(kind) - 4 + at, struct.pack(form, value))
            yield _make("mp4", f"{name}-{value}", lie)
    # A count of four bytes that asks for an index of gigabytes.
    for n_frames in (2**24, 2**27, 2**31 - 1):
        at = m4a.index(b"stsz")
        lie = patched(m4a, at + 8, struct.pack(">II", 1, n_frames))
        lie = patched(lie, m4a.index(b"stts") + 12, struct.pack(">I", n_frames))
        lie = patched(lie, m4a.index(b"stsc") + 16, struct.pack(">I", n_frames))
        yield _make("mp4", f"index-bomb-{n_frames}", lie)
    for kind in (b"ftyp", b"moov", b"trak", b"stbl", b"mdat"):
        at = m4a.index(kind) - 4
        for size in (0, 1, 7, 2**31, 2**32 - 1):
            lie = patched(m4a, at, struct.pack(">I", size))
            yield _make("mp4", f"size-of-{kind.decode()}-{size}", lie)
    head = m4a[: struct.unpack(">I", m4a[:4])[0]]
    deep = b""
    for _ in range(5_000):
        deep = box(b"moov", deep)
    yield _make("mp4", "5000-deep", head + deep, BROKEN)
    yield _make("mp4", "no-movie", head + box(b"mdat", bytes(500)), BROKEN)
    for name, entry in {
        "url": box(b"url ", bytes(4), url.encode() + b"\0"),
        "alias": box(b"alis", bytes(4), _alias(url)),
        "file": box(b"alis", bytes(4), _alias("/etc/passwd")),
    }.items():
        at, lie = m4a.index(b"url ") - 4, m4a
        for kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
            start = lie.index(kind) - 4
            (size,) = struct.unpack(">I", lie[start : start + 4])
            lie = patched(lie, start, struct.pack(">I", size + len(entry) - 12))
        yield _make("mp4", f"reference-{name}", lie[:at] + entry + lie[at + 12 :])
    yield _make("mp4", "twice", m4a + m4a)


def _matroska_lies() -> Iterator[Hostile]:
    for name in ("webm", "mka"):
        data = originals()[name]
        at = data.index(b"\xb5\x88")  # SamplingFrequency, an 8-byte float
        for value in (0.0, 1.0, 3_999.0, 384_001.0, 1e300, float("nan"), float("inf"), -1.0):
            lie = patched(data, at + 2, struct.pack(">d", value))
            outcomes = (OK, BROKEN) if name == "webm" else (BROKEN, OK)
            yield _make("matroska", f"{name}-rate-{value:g}", lie, *outcomes)
        channels = data.index(b"\x9f\x81")
        for number in (0, 9, 255):
            lie = patched(data, channels + 2, bytes((number,)))
            yield _make("matroska", f"{name}-channels-{number}", lie, OK, BROKEN)
        for element in (b"\x18\x53\x80\x67", b"\x16\x54\xae\x6b", b"\x1f\x43\xb6\x75", b"\x63\xa2"):
            at = data.index(element) + len(element)
            for size in (
                b"\x80",
                b"\xff",
                b"\x01\xff\xff\xff\xff\xff\xff\xff",
                b"\x01" + b"\0" * 7,
            ):
                lie = patched(data, at, size)
                yield _make("matroska", f"{name}-size-of-{element.hex()}-{size.hex()}", lie)
    deep = b""
    for _ in range(2_000):
        deep = ebml("18538067", deep)
    yield _make("matroska", "2000-deep", ebml("1a45dfa3", ebml("4282", b"webm")) + deep, BROKEN)
    coded = {"vorbis": "A_VORBIS", "mpeg": "A_MPEG/L3", "unknown": "A_NOTHING", "video": "V_VP8"}
    for name, codec in coded.items():
        yield _make("matroska", f"codec-{name}", matroska([bytes(400)] * 20, codec=codec))


def ebml(identifier: str, content: bytes) -> bytes:
    """An element (RFC 8794) with its size in eight bytes."""
    return bytes.fromhex(identifier) + (1 << 56 | len(content)).to_bytes(8) + content


def matroska(
    blocks: list[bytes], codec: str = "A_PCM/INT/LIT", bits: int = 16, *, packed: bool = False
) -> bytes:
    """A Matroska file with one mono track of these blocks; ``packed``: they are compressed."""
    audio = ebml("b5", struct.pack(">d", 16_000)) + ebml("9f", b"\x01")
    audio += ebml("6264", bytes((bits,)))
    entry = ebml("d7", b"\x01") + ebml("73c5", b"\x01") + ebml("83", b"\x02")
    entry += ebml("86", codec.encode()) + ebml("e1", audio)
    if packed:
        entry += ebml("6d80", ebml("6240", ebml("5034", ebml("4254", b"\0"))))
    track = ebml("1654ae6b", ebml("ae", entry))
    simple = b"".join(
        ebml("a3", b"\x81" + struct.pack(">hB", index % 30_000, 0x80) + block)
        for index, block in enumerate(blocks)
    )
    cluster = ebml("1f43b675", ebml("e7", b"\0") + simple)
    head = ebml("1a45dfa3", ebml("4286", b"\x01") + ebml("4282", b"matroska"))
    return head + ebml("18538067", track + cluster)


def opus_silence(seconds: float) -> bytes:
    """Silence as Opus, two bytes for 120 ms (RFC 6716, section 3.2.5)."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48_000, 0, 0)
    tags = b"OpusTags" + struct.pack("<II", 0, 0)
    pages = [
        ogg_page(head, bytes((len(head),)), 0, 0, 2),
        ogg_page(tags, bytes((len(tags),)), 1, 0, 0),
    ]
    packet = bytes((3 << 3 | 3, 2))  # narrow band, two empty frames of 60 ms
    n_pages = -int(-seconds // (255 * 0.12))
    for index in range(n_pages):
        granule = (index + 1) * 255 * 5_760
        kind = 4 if index == n_pages - 1 else 0
        pages.append(ogg_page(packet * 255, b"\x02" * 255, index + 2, granule, kind))
    return b"".join(pages)


def index_bomb(n_frames: int, size: int) -> bytes:
    """M4A with an index of so many frames, all of one size."""
    m4a = with_ffmpeg(tones(0.5, 44_100), 44_100, "mp4", "aac")
    lies = {
        b"stsz": (8, struct.pack(">II", size, n_frames)),
        b"stts": (8, struct.pack(">II", 1, n_frames)),
        b"stsc": (8, struct.pack(">IIII", 1, 1, n_frames, 1)),
    }
    for kind, (at, lie) in lies.items():
        m4a = patched(m4a, m4a.index(kind) - 4 + at + 4, lie)
    return m4a


def packed_silence(minutes: int) -> bytes:
    """PCM silence that zlib in Matroska shrinks a thousandfold."""
    block = zlib.compress(bytes(2 * 16_000 * 60), 9)
    return matroska([block] * minutes, packed=True)


def _bombs() -> Iterator[Hostile]:
    """Most hold over half an hour in a few hundred kilobytes."""
    yield _make("bomb", "flac-100-hours", flac_silence(100 * 3600, 8_000), LONG)
    yield _make("bomb", "flac-2-hours-unclaimed", flac_silence(2 * 3600, claim=0), LONG)
    yield _make("bomb", "flac-2-hours-claimed-short", flac_silence(2 * 3600, claim=16_000))
    yield _make("bomb", "flac-8-channels", flac_silence(1800, 384_000, 8, claim=0), LONG)
    yield _make("bomb", "flac-8-channels-claimed", flac_silence(60, 384_000, 8, claim=2**32), LONG)
    yield _make("bomb", "opus-2-hours", opus_silence(2 * 3600), LONG)
    yield _make("bomb", "matroska-zlib-2-hours", packed_silence(120), LONG)
    huge = zlib.compress(bytes(100 * 2**20), 9)
    yield _make("bomb", "matroska-zlib-100-mb-block", matroska([huge], packed=True))
    # Five minutes in a single block.
    yield _make("bomb", "matroska-10-mb-block", matroska([bytes(10 * 2**20)]), OK)


def _impossible_samples() -> Iterator[Hostile]:
    values = {"nan": np.nan, "inf": np.inf, "minus-inf": -np.inf, "1e38": 1e38, "1e12": 1e12}
    for name, value in values.items():
        samples = tones(0.5, 16_000)
        samples[4_000] = value  # a click
        data = _steady(with_libsndfile(samples, 16_000, "WAV", "FLOAT"))
        yield _make("samples", f"wav-{name}", data, OK)
        mka = matroska([samples.astype("<f4").tobytes()], "A_PCM/FLOAT/IEEE", 32)
        yield _make("samples", f"mka-{name}", mka, OK)
        many = _steady(with_libsndfile(np.full((8_000, 1), value), 16_000, "WAV", "FLOAT"))
        yield _make("samples", f"wav-all-{name}", many, BROKEN)
    for name, value, subtype, result in (
        ("wide", 1e300, "DOUBLE", BROKEN),
        ("loud", 32_767.0, "FLOAT", OK),
        ("tiny", 1e-40, "FLOAT", OK),
    ):
        data = with_libsndfile(np.full((8_000, 2), value), 44_100, "WAV", subtype)
        yield _make("samples", f"wav-{name}", _steady(data), result)


def _polyglots(url: str) -> Iterator[Hostile]:
    files = originals()
    wav, flac, mp3, aac = files["wav"], files["flac"], files["mp3"], files["aac"]
    playlist = f"#EXTM3U\n#EXTINF:10,\n{url}\n".encode()
    tag = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)
    aiff = with_libsndfile(tones(0.5, 16_000), 16_000, "AIFF")
    made: dict[str, tuple[bytes, tuple[str, ...]]] = {
        "wav-then-zip": (wav + b"PK\x05\x06" + bytes(18), (OK,)),
        "wav-then-script": (wav + b"\n<script>alert(1)</script>", (OK,)),
        "zip-then-wav": (b"PK\x03\x04" + bytes(26) + wav, (OTHER,)),
        "pdf-then-mp3": (b"%PDF-1.7\n" + mp3, (OTHER,)),
        "gif-then-wav": (b"GIF89a" + wav, (OTHER,)),
        "html-then-flac": (b"<html>" + flac, (OTHER,)),
        "script-then-wav": (b"#!/bin/sh\nexit\n" + wav, (OTHER,)),
        "blank-then-wav": (b"\n" + wav, (OTHER,)),
        "id3-flac": (tag + flac, (OK,)),
        "id3-aac": (tag + aac, (OK,)),
        "id3-wav": (tag + wav, (OK,)),
        "id3-aiff": (tag + aiff, (OK,)),
        "id3-playlist": (tag + playlist * 50, (BROKEN, OTHER)),
        "id3-id3-mp3": (tag + tag + mp3, ()),
        "wav-of-playlist": (wav[:44] + playlist * 200, (OK,)),
        "mp4-of-playlist": (box(b"ftyp", b"M4A isom") + playlist * 50, (BROKEN,)),
        "ebml-of-playlist": (b"\x1a\x45\xdf\xa3" + playlist * 50, (BROKEN,)),
        "adts-of-playlist": (b"\xff\xf1\x50\x80" + playlist * 50, ()),
        "mp3-of-playlist": (b"\xff\xfb\x90\x64" + playlist * 50, ()),
        "riff-of-flac": (b"RIFF\xff\xff\xff\xffWAVE" + flac, (BROKEN, OTHER)),
        "wav-of-mp3": (patched(wav[:44], 20, b"\x55\0") + mp3, ()),
        "flac-of-ogg": (b"fLaC" + files["vorbis"], (BROKEN,)),
        "ogg-flac": (with_ffmpeg(tones(0.5, 44_100), 44_100, "ogg", "flac"), (OK, BROKEN)),
        "avi": (b"RIFF\x24\0\0\0AVI LIST" + bytes(60), (BROKEN,)),
        "caf": (b"caff\0\x01\0\0desc" + bytes(60), (BROKEN,)),
        "au": (b".snd\0\0\0\x18" + bytes(60), (OTHER,)),
        "w64": (b"riff\x2e\x91\xcf\x11" + bytes(60), (OTHER,)),
        "asf": (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(60), (BROKEN,)),
        "mpeg-ts": (b"G@\0\x10" + bytes(184 * 3), (OTHER,)),
        "flv": (b"FLV\x01\x05\0\0\0\x09" + bytes(60), (OTHER,)),
        "elf": (b"\x7fELF" + bytes(60), (OTHER,)),
        "gzip": (b"\x1f\x8b\x08" + bytes(60), (OTHER,)),
        "midi": (b"MThd\0\0\0\x06" + bytes(60), (OTHER,)),
        "utf-16": ("hello".encode("utf-16"), (OTHER, BROKEN)),
    }
    for name, (data, outcomes) in made.items():
        yield _make("polyglot", name, data, *outcomes)


def _playlists(url: str) -> Iterator[Hostile]:
    host = url.removeprefix("http://").partition("/")[0]
    address, _, port = host.partition(":")
    texts = {
        "m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{url}\n#EXT-X-ENDLIST\n",
        "m3u8-key": f'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{url}"\n#EXTINF:1,\nfile:///etc/passwd\n',
        "m3u": f"{url}\n/etc/passwd\n",
        "pls": f"[playlist]\nFile1={url}\nNumberOfEntries=1\n",
        "asx": f'<asx version="3.0"><entry><ref href="{url}"/></entry></asx>',
        "xspf": f'<?xml version="1.0"?><playlist><trackList><track><location>{url}</location>'
        "</track></trackList></playlist>",
        "smil": f'<smil><body><audio src="{url}"/></body></smil>',
        "dash": f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period>'
        f"<BaseURL>{url}</BaseURL></Period></MPD>",
        "sdp": f"v=0\no=- 0 0 IN IP4 {address}\ns=x\nc=IN IP4 {address}\nt=0 0\n"
        f"m=audio {port} RTP/AVP 0\na=rtpmap:0 PCMU/8000\n",
        "rtsp": f"rtsp://{host}/stream\n",
        "ffconcat": f"ffconcat version 1.0\nfile '{url}'\nfile /etc/passwd\n",
        "concat-protocol": f"concat:{url}|/etc/passwd",
        "cue": 'FILE "/etc/passwd" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n',
        "ffmetadata": f";FFMETADATA1\ntitle={url}\n",
        "svg": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{url}"/></svg>',
        "xml-entity": f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "{url}">]><a>&b;</a>',
        "mov-text": f"RTSPtextRTSP://{host}/x",
        "dvd": f"DVDVIDEO-VMG {url}",
        "imf": f'<?xml version="1.0"?><CompositionPlaylist>{url}</CompositionPlaylist>',
    }
    for name, text in texts.items():
        yield _make("playlist", name, text.encode(), OTHER)
        yield _make("playlist", f"{name}-with-mark", b"\xef\xbb\xbf" + text.encode(), OTHER)


MAGIC = {
    "wav": b"RIFF\xff\xff\xff\xffWAVE",
    "wav-fmt": b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0",
    "rf64": b"RF64\xff\xff\xff\xffWAVEds64",
    "flac": b"fLaC\0\0\0\x22",
    "ogg": b"OggS\0\x02",
    "mp4": b"\0\0\0\x18ftypM4A \0\0\0\0M4A isom\0\0\0\0moov",
    "matroska": b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska\x42\x87\x81\x04\x42\x85\x81\x02",
    "mp3": b"\xff\xfb\x90\x64",
    "id3": b"ID3\x04\0\0\0\0\0\0\xff\xfb\x90\x64",
    "aac": b"\xff\xf1\x50\x80",
    "amr": b"#!AMR\n",
    "amr-wb": b"#!AMR-WB\n",
}


def _next_to_nothing() -> Iterator[Hostile]:
    yield _make("nothing", "empty", b"", BROKEN)
    for name, byte in {"zero": b"\0", "r": b"R", "newline": b"\n", "ff": b"\xff"}.items():
        yield _make("nothing", f"one-byte-{name}", byte, OTHER)
    for name, magic in MAGIC.items():
        yield _make("nothing", f"magic-{name}", magic)
        yield _make("nothing", f"magic-and-zeros-{name}", magic + bytes(500))
    yield _make("nothing", "zeros", bytes(100_000), OTHER)
    for n_samples in (0, 1, 399):
        silence = np.zeros((n_samples, 1), np.float32)
        yield _make("nothing", f"wav-{n_samples}", with_libsndfile(silence, 16_000, "WAV"), OK)


def _noise_behind_magic() -> Iterator[Hostile]:
    for name, magic in MAGIC.items():
        for seed in range(4):
            noise = random.Random(f"{name}{seed}").randbytes(3_000 * (seed + 1))
            yield _make("noise", f"{name}-{seed}", magic + noise)


def wyoming_lies(max_payload: int) -> dict[str, tuple[bytes, str]]:
    """What is no event of the Wyoming protocol, and the code of the error that it gets."""
    chunk = b'{"type": "audio-chunk", "data": {"rate": 16000, "width": 2, "channels": 1}, '
    shapes = {
        "rate-0": (0, 2, 1),
        "rate-huge": (10**400, 2, 1),
        "rate-text": ("fast", 2, 1),
        "width-0": (16_000, 0, 1),
        "width-8": (16_000, 8, 1),
        "channels-negative": (16_000, 2, -1),
        "channels-many": (16_000, 2, 10**9),
        "rate-missing": (None, 2, 1),
    }
    lies = {
        "http": (b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", "invalid_json"),
        "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\n", "invalid_json"),
        "empty-line": (b"\n", "invalid_json"),
        "list": (b"[]\n", "invalid_json"),
        "number": (b"1" * 5_000 + b"\n", "invalid_json"),
        "utf-16": ('{"type": "describe"}\n'.encode("utf-16"), "invalid_json"),
        "nested": (b"[" * 60_000 + b"\n", "invalid_json"),
        "nested-data": (b'{"type": "x", "data": ' + b'{"a":' * 10_000 + b"\n", "invalid_json"),
        "no-type": (b"{}\n", "invalid_parameter"),
        "type-list": (b'{"type": []}\n', "invalid_parameter"),
        "type-long": (b'{"type": "' + b"a" * 1_000 + b'"}\n', "invalid_parameter"),
        "data-text": (b'{"type": "describe", "data": "x"}\n', "invalid_parameter"),
        "line-endless": (b'{"type": "' + b"a" * 1_000_000, "message_too_big"),
        "data-huge": (b'{"type": "describe", "data_length": 1000000000000}\n', "message_too_big"),
        "data-negative": (b'{"type": "describe", "data_length": -1}\n', "invalid_parameter"),
        "data-no-json": (b'{"type": "describe", "data_length": 3}\nabc', "invalid_json"),
        "data-list": (b'{"type": "describe", "data_length": 2}\n[]', "invalid_json"),
        "payload-huge": (chunk + b'"payload_length": 1000000000000}\n', "message_too_big"),
        "payload-larger": (
            chunk + f'"payload_length": {max_payload + 1}}}\n'.encode(),
            "message_too_big",
        ),
        "payload-negative": (chunk + b'"payload_length": -5}\n', "invalid_parameter"),
        "payload-fraction": (chunk + b'"payload_length": 0.5}\n', "invalid_parameter"),
        "payload-infinite": (chunk + b'"payload_length": Infinity}\n', "invalid_parameter"),
        "stop-first": (b'{"type": "audio-stop"}\n', "wrong_order"),
        "language-number": (
            b'{"type": "transcribe", "data": {"language": 1}}\n',
            "invalid_parameter",
        ),
        "language-unknown": (
            b'{"type": "transcribe", "data": {"language": "xx"}}\n',
            "unsupported_language",
        ),
        "model-unknown": (b'{"type": "transcribe", "data": {"name": "x"}}\n', "model_not_found"),
        "names-many": (
            b'{"type": "transcribe", "data": {"transcript_names": [' + b'"",' * 1_500 + b'""]}}\n',
            "invalid_parameter",
        ),
    }
    for name, (rate, width, channels) in shapes.items():
        data = {"rate": rate, "width": width, "channels": channels}
        event = json.dumps({"type": "audio-start", "data": data}) + "\n"
        lies[name] = (event.encode(), "invalid_parameter")
    return lies


if __name__ == "__main__":
    for each in corpus():
        path = Path(sys.argv[1]) / each.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(each.data)
