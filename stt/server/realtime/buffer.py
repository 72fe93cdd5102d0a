"""The input audio buffer: what arrives becomes items, by the client's commits or at pauses."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stt.activity.turns import Boundary, Turns
from stt.audio.resampler import Resampler
from stt.errors import AudioTooLong
from stt.server.live import LiveSocket
from stt.server.realtime import events
from stt.server.realtime.items import Item
from stt.server.realtime.refusals import Refusal
from stt.types import PCM_BYTES, PCM_FULL_SCALE, SAMPLE_RATE

MIN_COMMIT_SECONDS = 0.1
"""OpenAI refuses to commit less, with this code:"""
COMMIT_EMPTY = "input_audio_buffer_commit_empty"
LONG_BLOCK_SECONDS = 1.0
KEPT_SECONDS = 30.0
"""How much audio without speech is kept: a client may still commit it."""


@dataclass(frozen=True)
class Detection:
    """How turns are found."""

    turns: Turns
    padding_seconds: float
    """Audio before a turn that belongs to it."""


class InputBuffer:
    """The buffer of one connection, for samples of one rate. Positions count its samples."""

    def __init__(
        self,
        client: LiveSocket,
        open_item: Callable[[], Item],
        *,
        rate: int,
        max_seconds: float,
        began_seconds: float = 0.0,
        previous: str | None = None,
    ) -> None:
        """
        Args:
            client: Gets the events.
            open_item: Begins an item.
            rate: Samples per second.
            max_seconds: The most uncommitted audio.
            began_seconds: Length of the connection's audio before this buffer.
            previous: Id of the item before.
        """
        self._client = client
        self._open_item = open_item
        self._rate = rate
        self._max_seconds = max_seconds
        self._began_seconds = began_seconds
        self.previous = previous
        self._detection: Detection | None = None
        self._resampler = Resampler(rate)
        self._detected_from = 0
        """Where the detector began to listen."""
        self._held = bytearray()
        """What has arrived, as s16le, and belongs to no item yet."""
        self._received = 0
        self._item: Item | None = None

    @property
    def is_open(self) -> bool:
        """Whether an item has begun that is not committed."""
        return self._item is not None

    @property
    def total_seconds(self) -> float:
        """Length of all audio of the connection."""
        return self._began_seconds + self._received / self._rate

    def detect(self, detection: Detection | None) -> None:
        """Find turns in what comes from here on; None leaves commits to the client."""
        self._detection = detection
        if detection is not None:
            detection.turns.is_open = self.is_open  # what has begun ends with the next silence
        self._resampler = Resampler(self._rate)
        self._detected_from = self._received

    async def append(self, pcm: bytes) -> None:
        """Add s16le samples, and send what they bring about.

        Raises:
            AudioTooLong: too much would be uncommitted; these samples are not added.
        """
        waiting = self._uncommitted_seconds + len(pcm) / PCM_BYTES / self._rate
        if waiting > self._max_seconds:
            raise AudioTooLong(
                f"The buffer would have {waiting:.0f} s of uncommitted audio; the limit "
                f"is {self._max_seconds:g} s. Commit or clear it; this audio was not added."
            )
        self._held += pcm
        self._received += len(pcm) // PCM_BYTES
        detection = self._detection
        if detection is None:
            await self._hear_until(self._received)
            return
        for boundary in await self._listen(detection.turns, pcm):
            if boundary.begins:
                await self._begin_turn(self._position(boundary.sample), detection.padding_seconds)
            else:
                await self._end_turn(self._position(boundary.sample))
        if self._item is not None:
            # What the detector has not heard may belong to the next turn.
            await self._hear_until(self._position(detection.turns.heard_samples))
        else:
            self._forget_before(self._received - round(KEPT_SECONDS * self._rate))

    async def commit(self) -> None:
        """Make an item of all uncommitted audio, and send its events up to the transcript.

        Raises:
            Refusal: there is too little.
        """
        seconds = self._uncommitted_seconds
        if seconds < MIN_COMMIT_SECONDS:
            raise Refusal(
                COMMIT_EMPTY,
                f"The buffer has {seconds * 1000:.0f} ms of uncommitted audio; expected "
                f"at least {MIN_COMMIT_SECONDS * 1000:.0f} ms. With turn detection the service "
                "commits at pauses by itself.",
            )
        await self._hear_until(self._received)
        self._begin_anew()
        await self._commit_item()

    async def finish(self) -> None:
        """Commit what somebody has begun to say, if anything."""
        if self._item is not None:
            await self._hear_until(self._received)
            await self._commit_item()

    async def clear(self) -> None:
        """Drop all uncommitted audio."""
        self._held.clear()
        self._begin_anew()
        await self.close()

    async def close(self) -> None:
        """Drop unfinished work."""
        item, self._item = self._item, None
        if item is not None:
            await item.close()

    @property
    def _uncommitted_seconds(self) -> float:
        in_item = self._item.received_seconds if self._item is not None else 0.0
        return in_item + len(self._held) / PCM_BYTES / self._rate

    @property
    def _held_from(self) -> int:
        return self._received - len(self._held) // PCM_BYTES

    def _begin_anew(self) -> None:
        """Whoever speaks on begins another turn."""
        if self._detection is not None:
            self._detection.turns.is_open = False

    async def _listen(self, turns: Turns, pcm: bytes) -> list[Boundary]:
        """What a detector finds; it takes 2 ms for a second, so a thread gets long blocks."""

        def listen() -> list[Boundary]:
            samples = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(PCM_FULL_SCALE)
            return turns.feed(self._resampler.feed(samples))

        is_long = len(pcm) > LONG_BLOCK_SECONDS * self._rate * PCM_BYTES
        return await asyncio.to_thread(listen) if is_long else listen()

    def _position(self, sample: int) -> int:
        """Where a sample of the detector is."""
        return min(self._received, self._detected_from + sample * self._rate // SAMPLE_RATE)

    def _milliseconds(self, position: int) -> int:
        return round((self._began_seconds + position / self._rate) * 1000)

    async def _begin_turn(self, position: int, padding_seconds: float) -> None:
        begin = position - round(padding_seconds * self._rate)
        if self._item is None:
            self._forget_before(begin)
            self._item = self._open_item()
        await self._client.send(
            events.event(
                "input_audio_buffer.speech_started",
                audio_start_ms=self._milliseconds(max(begin, self._held_from)),
                item_id=self._item.id,
            )
        )

    async def _end_turn(self, position: int) -> None:
        await self._hear_until(position)
        assert self._item is not None  # noqa: S101
        await self._client.send(
            events.event(
                "input_audio_buffer.speech_stopped",
                audio_end_ms=self._milliseconds(position),
                item_id=self._item.id,
            )
        )
        await self._commit_item()

    async def _hear_until(self, position: int) -> None:
        """Move what is held before a position into the item, and begin one if there is none."""
        pcm = bytes(self._held[: max(0, position - self._held_from) * PCM_BYTES])
        if not pcm:
            return
        del self._held[: len(pcm)]
        if self._item is None:
            self._item = self._open_item()
        await self._item.hear(pcm)

    async def _commit_item(self) -> None:
        item, self._item = self._item, None
        if item is not None:
            try:
                await item.commit(self.previous)
            finally:
                await item.close()
            self.previous = item.id

    def _forget_before(self, position: int) -> None:
        del self._held[: max(0, position - self._held_from) * PCM_BYTES]
