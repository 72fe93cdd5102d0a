"""A small web, on the loopback: hosts that answer as scripted, and a scripted name service."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from stt.jobs.addresses import AddressPolicy
from stt.jobs.outbound import Outbound
from stt.settings.hosts import parse_hosts

LOOPBACK = AddressPolicy(exceptions=("127.0.0.1/32", "::1/128"))
"""Only this one address: 127.0.0.2 stands for what must not be reached."""

Answer = Callable[[asyncio.StreamWriter], Coroutine[None, None, None]]


@dataclass
class Site:
    """A server that records the requests it gets."""

    answers: list[Answer]
    """One for each request; the last one repeats."""
    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    """By SNI."""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            n_bytes = next(
                (
                    int(line.partition(b":")[2])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                ),
                0,
            )
            self.requests.append(head + await reader.readexactly(n_bytes))
            await (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has seen enough
        finally:
            writer.close()


def says(body: bytes = b"", status: str = "200 OK", headers: str = "") -> Answer:
    """An answer as it should be."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(
            f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body
        )
        await writer.drain()

    return answer


def redirect(location: str) -> Answer:
    """An answer that sends the client elsewhere."""
    return says(status="302 Found", headers=f"Location: {location}\r\n")


def repeats(block: bytes, headers: str = "", pause_seconds: float = 0) -> Answer:
    """An answer that never ends."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\n{headers}\r\n".encode())
        while not writer.is_closing():
            writer.write(block)
            await writer.drain()
            await asyncio.sleep(pause_seconds)

    return answer


@asynccontextmanager
async def serving(
    *answers: Answer, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Site]:
    """Serve until the block ends."""
    site = Site(list(answers))
    if tls is not None:
        tls.sni_callback = lambda _, name, __: site.names.append(name)
    server = await asyncio.start_server(site.handle, host, 0, ssl=tls)
    site.port = server.sockets[0].getsockname()[1]
    async with server:
        yield site


class Names:
    """A `Resolver`: the addresses of each host, in turn; the last ones repeat."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self._answers = {host.replace("_", "."): list(each) for host, each in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host not in self._answers:
            raise OSError("Name or service not known")
        answers = self._answers[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]


def outbound(
    hosts: str, names: Names | None = None, *, tls: ssl.SSLContext | None = None
) -> Outbound:
    """Calls that may reach `LOOPBACK`."""
    found = names or Names(a_test=[["127.0.0.1"]])
    return Outbound(
        parse_hosts(hosts), setting="STT_FETCH_HOSTS", addresses=LOOPBACK, resolver=found, tls=tls
    )
