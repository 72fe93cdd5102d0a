"""A part of a file that reads like a file of its own."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

SCAN_BYTES = 2**20
OVERLAP_BYTES = 1024
"""More than anything that is searched for."""


class Span(io.RawIOBase):
    """The bytes ``begin`` to ``end`` of a seekable source, with its own position."""

    def __init__(self, source: BinaryIO, begin: int, end: int) -> None:
        super().__init__()
        self._source, self.begin, self.end = source, begin, max(begin, end)
        self._position = 0

    def __len__(self) -> int:
        return self.end - self.begin

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Bytes from ``begin``."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As of a file; positions behind the end are allowed."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: len(self)}[whence]
        if base + offset < 0:
            raise OSError("a position before the start")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """As of a file."""
        data = self.peek(self._position, len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def peek(self, at: int, size: int) -> bytes:
        """Bytes from ``at``, as many as there are; does not move."""
        size = min(size, len(self) - at)
        if size <= 0:
            return b""
        self._source.seek(self.begin + at)
        return self._source.read(size)

    def within(self, begin: int, end: int | None = None) -> "Span":
        """A part of this one."""
        last = self.end if end is None else min(self.end, self.begin + end)
        return Span(self._source, self.begin + begin, last)

    def blocks(self) -> Iterator["SpanBlock"]:
        """All bytes, in blocks that overlap: whatever begins in one is whole in it."""
        for at in range(0, len(self), SCAN_BYTES):
            yield SpanBlock(self.peek(at, SCAN_BYTES + OVERLAP_BYTES), at)

    def skip_zeros(self, at: int = 0) -> int:
        """The first byte from ``at`` on that is not zero, or the end."""
        while block := self.peek(at, SCAN_BYTES):
            rest = block.lstrip(b"\0")
            at += len(block) - len(rest)
            if rest:
                break
        return at


@dataclass(frozen=True)
class SpanBlock:
    """Some bytes of a span, for searches; positions are those in the span."""

    data: bytes
    begin: int

    def find_all(self, magic: bytes) -> Iterator[int]:
        """Where these bytes begin."""
        at = self.data.find(magic)
        while 0 <= at < SCAN_BYTES:
            yield self.begin + at
            at = self.data.find(magic, at + 1)

    def match_all(self, pattern: re.Pattern[bytes]) -> Iterator[int]:
        """Where the pattern begins."""
        for match in pattern.finditer(self.data):
            if match.start() >= SCAN_BYTES:
                return
            yield self.begin + match.start()
