"""What clients of the Wyoming protocol do, with its own client."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.event import Event

WAIT_SECONDS = 60.0


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[AsyncTcpClient]:
    async with AsyncTcpClient(
        "127.0.0.1", port, connect_timeout=WAIT_SECONDS, read_timeout=WAIT_SECONDS
    ) as client:
        yield client


async def say(
    client: AsyncTcpClient,
    pcm: bytes,
    *,
    transcribe: Transcribe | None = None,
    shape: tuple[int, int, int] = (16_000, 2, 1),
    chunk_bytes: int = 2048,
    start: bool = True,
    stop: bool = True,
) -> None:
    """Send an utterance without reading anything, as Home Assistant does."""
    if transcribe is not None:
        await client.write_event(transcribe.event())
    if start:
        await client.write_event(AudioStart(*shape).event())
    for at in range(0, len(pcm), chunk_bytes):
        await client.write_event(AudioChunk(*shape, pcm[at : at + chunk_bytes]).event())
    if stop:
        await client.write_event(AudioStop().event())


async def events_until(client: AsyncTcpClient, last: str) -> list[Event]:
    """The events up to one of this type, or to the end of the connection."""
    events: list[Event] = []
    while (event := await client.read_event()) is not None:
        events.append(event)
        if event.type == last:
            break
    return events


def text_of(events: Sequence[Event]) -> str:
    """The transcript of these events, which are all that belong to one utterance."""
    start, *chunks, transcript, stop = events
    assert (start.type, transcript.type, stop.type) == (
        "transcript-start",
        "transcript",
        "transcript-stop",
    ), events
    assert {each.type for each in chunks} <= {"transcript-chunk"}
    text: str = transcript.data["text"]
    assert "".join(each.data["text"] for each in chunks) == text
    assert start.data["language"] == transcript.data["language"]
    return text
