"""Live streams: samples in as they arrive, words out as they settle; no protocol in it.

A session has one forward in the model at a time, and samples that arrive meanwhile join the next
one. So a slow model computes less often instead of building a queue, and clients that send faster
than the model can follow are slowed down.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from stt.audio.limits import MAX_RATE, MIN_RATE
from stt.audio.resampler import Resampler
from stt.engines.base import Engine
from stt.errors import AudioTooLong, InvalidAudio, InvalidParameter, Overloaded
from stt.inference.scheduler import Scheduler
from stt.recognition.endpointing import Endpointer, StreamingConfig
from stt.recognition.plan import AS_HEARD, Plan
from stt.settings import Settings
from stt.types import PCM_FULL_SCALE, SAMPLE_RATE, Waveform, Word

T = TypeVar("T")

BEHIND_SECONDS = 5.0
"""Audio that may wait for the model before the client has to wait as well."""
AHEAD_SECONDS = 1.0
"""A client that is this much ahead of real time sends a file, and nobody is speaking."""
LONG_BLOCK_SAMPLES = SAMPLE_RATE
"""A shorter block is listened to sooner than a thread would start."""
PATIENCE = 0.5
"""A reply waits for the running forward, up to this fraction of the length of its samples."""
RETRY_SECONDS = 10.0


@dataclass(frozen=True)
class LiveResult:
    """The words of a session after some samples."""

    settled: tuple[Word, ...]
    """Words settled since the last result; they never change."""
    provisional: tuple[Word, ...]
    """Words after the settled ones, as far as they are computed; they may change."""


class LiveSession:
    """One stream of s16le samples in one language; used by one task."""

    def __init__(
        self,
        engine: Engine,
        scheduler: Scheduler,
        settings: Settings,
        sample_rate: float,
        plan: Plan = AS_HEARD,
    ) -> None:
        """
        Raises:
            InvalidParameter: the sample rate is out of range.
        """
        if not MIN_RATE <= sample_rate <= MAX_RATE:
            raise InvalidParameter(
                f"sample_rate is {sample_rate:g}; expected {MIN_RATE} to {MAX_RATE} Hz."
            )
        self._engine = engine
        self._scheduler = scheduler
        self._rate = sample_rate
        self._max_seconds = settings.max_audio_seconds
        self._resampler = Resampler(sample_rate)
        config = StreamingConfig.of_seconds(
            engine.grid,
            step=settings.live_step_seconds,
            window=settings.window_seconds,
            context=settings.context_seconds,
            search=settings.cut_search_seconds,
        )
        self._opened, writer = plan.open(engine)
        self._cutter = Endpointer(
            engine.grid,
            engine.vocabulary,
            self._opened,
            config,
            writer,
            plan.detector(engine, settings.vad),
        )
        self._turn = asyncio.Lock()
        """Held while the cutter works, which may be in a thread."""
        self._n_received = 0
        self._began: float | None = None
        self._work: asyncio.Task[None] | None = None

    @property
    def received_seconds(self) -> float:
        """Length of the audio received so far."""
        return self._n_received / self._rate

    async def hear(self, pcm: bytes) -> LiveResult:
        """Add samples and return the words so far.

        Waits briefly for the model, so that the result includes these samples, unless the client
        sends a file faster than real time.

        Args:
            pcm: Signed 16-bit little-endian, mono.

        Raises:
            InvalidAudio: ``pcm`` ends within a sample.
            AudioTooLong: more than ``max_audio_seconds`` in total.
            InferenceFailed: the engine raised an exception.
        """
        if len(pcm) % 2:
            raise InvalidAudio(
                f"The message has {len(pcm)} bytes; expected an even number (samples of 16 bits, "
                "little-endian, mono)."
            )
        loop = asyncio.get_running_loop()
        if self._began is None:
            self._began = loop.time()
        samples = np.frombuffer(pcm, "<i2")
        seconds = len(samples) / self._rate
        if self.received_seconds + seconds > self._max_seconds:
            raise AudioTooLong(
                f"The stream is longer than {self._max_seconds:g} s, which is the limit; start "
                "another one."
            )
        self._n_received += len(samples)
        block = self._resampler.feed(samples.astype(np.float32) / np.float32(PCM_FULL_SCALE))
        await self._feed(block)
        work = self._go_on()
        ahead = self.received_seconds - (loop.time() - self._began)
        if self._cutter.behind_seconds > BEHIND_SECONDS:
            await asyncio.wait([work])
        elif ahead < AHEAD_SECONDS:
            await asyncio.wait([work], timeout=PATIENCE * seconds)
        if work.done():
            work.result()
        return await self._say()

    async def finish(self) -> LiveResult:
        """End the input and return the remaining words, all settled.

        Raises:
            InferenceFailed: the engine raised an exception.
        """
        await self._feed(self._resampler.finish())
        async with self._turn:
            self._cutter.end()
        if self._work is not None:
            await self._work
        await self._go_on()
        return await self._say()

    async def close(self) -> None:
        """Cancel the session and its queued work."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])

    async def _feed(self, block: Waveform) -> None:
        """Add samples. A detector takes 3 ms for a quiet second, so a thread gets long blocks."""
        async with self._turn:
            if len(block) > LONG_BLOCK_SAMPLES:
                await asyncio.to_thread(self._cutter.feed, block)
            else:
                self._cutter.feed(block)

    def _go_on(self) -> "asyncio.Task[None]":
        """Make sure that received samples are being computed."""
        if self._work is None or self._work.done():
            if self._work is not None:
                self._work.result()
            self._work = asyncio.create_task(self._look())
        return self._work

    async def _look(self) -> None:
        while (waveform := await self._in_turn(self._cutter.due)) is not None:
            frames = await self._scheduler.submit(self._engine, waveform, self._opened.want)
            async with self._turn:
                self._cutter.take(frames)

    async def _say(self) -> LiveResult:
        return await self._in_turn(self._result)

    def _result(self) -> LiveResult:
        settled = tuple(self._cutter.take_settled())
        return LiveResult(settled, tuple(self._cutter.provisional()))

    async def _in_turn(self, step: Callable[[], T]) -> T:
        async with self._turn:
            return await self._opened.run(step)


class LiveSessions:
    """All sessions of a service: limits their number, and ends them together."""

    def __init__(self, max_sessions: int) -> None:
        self._max_sessions = max_sessions
        self.count = 0
        self.draining = asyncio.Event()
        """The service is stopping: sessions send what they have, and end."""

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Count a session while it lasts.

        Raises:
            Overloaded: the limit of sessions is reached.
        """
        if self.count >= self._max_sessions:
            raise Overloaded(
                f"{self.count} live streams are open, which is the limit. Try again later.",
                retry_after_seconds=RETRY_SECONDS,
            )
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1

    def drain(self) -> None:
        """Ask all sessions to end; new ones end immediately."""
        self.draining.set()
