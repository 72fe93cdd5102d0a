"""Downloads the recording of a job's ``url`` into a file."""

import asyncio
import os
import zlib
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeVar
from urllib.parse import urljoin
from uuid import uuid4

import httpcore

from stt.errors import OutOfStorage, UploadTooLarge, UrlNotAllowed, UrlUnreachable
from stt.jobs.outbound import Outbound, Target, Unreachable
from stt.jobs.uploads import PART

T = TypeVar("T")

MAX_REDIRECTS = 3
REDIRECTS = frozenset({301, 302, 303, 307, 308})
WRITE_BYTES = 1 << 20
"""How much of a recording is collected before it is written; no more is unpacked at once."""
HEADERS = {"Accept": "audio/*, video/*, */*;q=0.5", "Accept-Encoding": "identity"}
UNREACHABLE = (
    "The recording could not be fetched from `url`: its host could not be reached, or the "
    "connection broke. Check that the URL can be opened from the internet."
)


class Fetcher(Protocol):
    """Gets the recording of a job from elsewhere."""

    def check(self, url: str) -> None:
        """Refuse a URL before anything is stored.

        Raises:
            UrlNotAllowed: it is malformed, or its host is not allowed.
        """
        ...

    async def __call__(self, url: str, into: Path) -> None:
        """Download; afterwards the file is complete and on the disk, or it does not exist.

        Raises:
            UrlNotAllowed: the URL, or what it redirects to, may not be called.
            UrlUnreachable: its host gives no recording.
            UploadTooLarge: the recording exceeds the limit.
            OutOfStorage: the disk is full.
        """
        ...


class HttpFetcher:
    """See `Fetcher`: over HTTP."""

    def __init__(self, outbound: Outbound, *, max_bytes: int, timeout_seconds: float) -> None:
        """
        Args:
            outbound: Calls the hosts.
            max_bytes: Largest recording, after unpacking.
            timeout_seconds: For the whole download, with its redirects.
        """
        self._outbound = outbound
        self._max_bytes = max_bytes
        self._timeout_seconds = timeout_seconds

    def check(self, url: str) -> None:
        """See `Fetcher.check`."""
        self._outbound.check(url)

    async def __call__(self, url: str, into: Path) -> None:
        """See `Fetcher`."""
        # Two replicas may fetch it at the same time, for a moment, if one has lost its lease.
        part = into.with_name(f"{into.name}.{uuid4().hex}{PART}")
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._fetch(url, part)
            await _on_disk(_settle, part, into)
        except TimeoutError:
            raise UrlUnreachable(
                f"Fetching the recording from `url` took longer than {self._timeout_seconds:g} s. "
                "Use a faster host, or upload the recording."
            ) from None
        except Unreachable as error:
            raise UrlUnreachable(UNREACHABLE) from error
        finally:
            await _on_disk(part.unlink, missing_ok=True)

    async def _fetch(self, url: str, part: Path) -> None:
        target = self._outbound.check(url)
        for _ in range(MAX_REDIRECTS + 1):
            async with self._outbound.call("GET", target, HEADERS) as response:
                if response.status == 200:
                    await self._store(response, part)
                    return
                if response.status not in REDIRECTS or not _header(response, b"location"):
                    raise UrlUnreachable(
                        f"The host of `url` answered with status {response.status} instead of the "
                        "recording (200)."
                    )
                url, target = self._follow(url, _header(response, b"location"))
        raise UrlUnreachable(f"`url` redirects more than {MAX_REDIRECTS} times.")

    def _follow(self, url: str, location: str) -> tuple[str, Target]:
        try:
            url = urljoin(url, location)
            return url, self._outbound.check(url)
        except (UrlNotAllowed, ValueError):
            # The other message would describe an address that the client did not send.
            raise UrlNotAllowed(
                "`url` redirects to an address that the service may not call. Give the final "
                "address, or ask the operator to allow it."
            ) from None

    async def _store(self, response: httpcore.Response, part: Path) -> None:
        limit = _Limit(self._max_bytes)
        claimed = _header(response, b"content-length")
        if claimed.isdecimal():
            _Limit(self._max_bytes).count(int(claimed))
        pending = bytearray()
        file = await _on_disk(part.open, "wb")
        try:
            async with aclosing(_unpacked(response, self._max_bytes)) as blocks:
                async for block in blocks:
                    limit.count(len(block))
                    pending += block
                    if len(pending) >= WRITE_BYTES:
                        await _on_disk(file.write, pending)
                        pending = bytearray()
            await _on_disk(_finish, file, pending)
        finally:
            await _on_disk(file.close)
        if not limit.n_bytes:
            raise UrlUnreachable("The host of `url` answered with an empty file.")


class _Limit:
    """Counts bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.n_bytes = 0

    def count(self, n_bytes: int) -> None:
        """Count more bytes.

        Raises:
            UploadTooLarge: they are too many in all.
        """
        self.n_bytes += n_bytes
        if self.n_bytes > self._max_bytes:
            raise UploadTooLarge(
                f"The recording at `url` exceeds the limit of {self._max_bytes / 1e6:g} MB "
                "(STT_MAX_UPLOAD_MB)."
            )


async def _unpacked(response: httpcore.Response, max_bytes: int) -> AsyncGenerator[bytes, None]:
    """The body in blocks of at most `WRITE_BYTES` after unpacking.

    We ask for no encoding, but objects may be stored in gzip. Other encodings are refused, and
    several on top of each other, which multiply what a byte can become.
    """
    encoding = _header(response, b"content-encoding").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise UrlUnreachable(
            "The host of `url` sends a Content-Encoding that the service cannot read; expected "
            "none, or gzip."
        )
    packed = _Limit(max_bytes)  # compressed zeros may expand without end
    unpacker = _Gzip() if encoding.endswith("gzip") else None
    async for block in response.aiter_stream():
        if unpacker is None:
            yield block
            continue
        packed.count(len(block))
        for each in unpacker.unpack(block):
            yield each
    if unpacker is not None and not unpacker.complete:
        raise Unreachable


class _Gzip:
    """Unpacks gzip, of which a file may have several after each other (RFC 1952, section 2.2)."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)

    @property
    def complete(self) -> bool:
        """Whether everything so far is unpacked, and its checksum right."""
        return self._member.eof

    def unpack(self, block: bytes) -> Iterator[bytes]:
        """What a block becomes, in blocks of at most `WRITE_BYTES`.

        Raises:
            Unreachable: it is damaged.
        """
        while block:
            if self._member.eof:
                self._member = zlib.decompressobj(wbits=31)
            try:
                yield self._member.decompress(block, WRITE_BYTES)
            except zlib.error as error:
                raise Unreachable from error
            block = self._member.unused_data or self._member.unconsumed_tail


def _header(response: httpcore.Response, name: bytes) -> str:
    """All values of a header, joined as RFC 9110 says; empty if it is missing."""
    values = [value for key, value in response.headers if key.lower() == name]
    return b", ".join(values).decode("utf-8", "replace")


def _finish(file: BinaryIO, rest: bytes) -> None:
    file.write(rest)
    file.flush()
    os.fsync(file.fileno())


def _settle(part: Path, into: Path) -> None:
    """Give the file its name, so that it survives a loss of power."""
    part.replace(into)
    folder = os.open(into.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


async def _on_disk(function: Callable[..., T], *arguments: Any, **options: Any) -> T:
    """Call in a thread what may wait for the disk.

    Raises:
        OutOfStorage: the file cannot be written.
    """
    try:
        return await asyncio.to_thread(function, *arguments, **options)
    except OSError as error:
        raise OutOfStorage("The service has no room to store the recording.") from error
