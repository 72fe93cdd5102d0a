"""A live stream: samples in as they come, words out as they settle; no protocol in it.

A session has one forward in the model at a time. What comes in meanwhile is part of the next one,
so a model that is slow makes looks rarer, not a queue longer; and who sends faster than the model
can follow is made to wait.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from stt.audio.readers import MAX_RATE, MIN_RATE
from stt.audio.resampler import Resampler
from stt.engines.base import Engine
from stt.errors import AudioTooLong, InvalidAudio, InvalidParameter, Overloaded
from stt.inference.scheduler import Scheduler
from stt.recognition.ctc import GreedyDecoder
from stt.recognition.endpointing import Endpointer, StreamingConfig
from stt.settings import Settings
from stt.types import Word

BEHIND_SECONDS = 5.0
"""Audio that may wait for a look before who sends it has to."""
AHEAD_SECONDS = 1.0
"""Who has sent so much more audio than time has passed is sending a file, not speaking."""
PATIENCE = 0.5
"""How long a reply waits for the look that is going on, of the length of what it replies to."""
RETRY_SECONDS = 10.0
FULL_SCALE = 2**15


@dataclass(frozen=True)
class LiveResult:
    """What a session has to say after some samples."""

    settled: tuple[Word, ...]
    """Words that were settled since the last time; said once, never changed."""
    provisional: str
    """Text after the settled words as far as it has been looked at; may change."""


class LiveSession:
    """One stream of s16le samples in one language; used by one task."""

    def __init__(
        self, engine: Engine, scheduler: Scheduler, settings: Settings, sample_rate: float
    ) -> None:
        """
        Raises:
            InvalidParameter: the rate is none that sound is recorded at.
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
        decoder = GreedyDecoder(engine.vocabulary, engine.grid, engine.calibration)
        self._cutter = Endpointer(engine.grid, engine.vocabulary, decoder, config)
        self._n_received = 0
        self._began: float | None = None
        self._work: asyncio.Task[None] | None = None

    @property
    def received_seconds(self) -> float:
        """Audio so far."""
        return self._n_received / self._rate

    async def hear(self, pcm: bytes) -> LiveResult:
        """Take samples; say what there is to say by now.

        Waits, for a moment, for the model to look at them, so that the answer is of today; not for
        who sends a file as fast as it goes.

        Args:
            pcm: Signed 16-bit little-endian, mono.

        Raises:
            InvalidAudio: half a sample.
            AudioTooLong: more than ``max_audio_seconds`` in all.
            InferenceFailed: the engine raised.
        """
        if len(pcm) % 2:
            raise InvalidAudio(
                f"A message has {len(pcm)} bytes; expected samples of 2 bytes (16 bits, "
                "little-endian, mono)."
            )
        loop = asyncio.get_running_loop()
        if self._began is None:
            self._began = loop.time()
        samples = np.frombuffer(pcm, "<i2")
        seconds = len(samples) / self._rate
        if self.received_seconds + seconds > self._max_seconds:
            raise AudioTooLong(
                f"The stream is longer than {self._max_seconds:g} s, the limit here; begin "
                "another one."
            )
        self._n_received += len(samples)
        self._cutter.feed(self._resampler.feed(samples.astype(np.float32) / np.float32(FULL_SCALE)))
        work = self._go_on()
        ahead = self.received_seconds - (loop.time() - self._began)
        if self._cutter.behind_seconds > BEHIND_SECONDS:
            await asyncio.wait([work])
        elif ahead < AHEAD_SECONDS:
            await asyncio.wait([work], timeout=PATIENCE * seconds)
        if work.done():
            work.result()
        return self._say()

    async def finish(self) -> LiveResult:
        """No more samples: everything that was not said yet, all of it settled.

        Raises:
            InferenceFailed: the engine raised.
        """
        self._cutter.feed(self._resampler.finish())
        self._cutter.end()
        if self._work is not None:
            await self._work
        await self._go_on()
        return self._say()

    async def close(self) -> None:
        """Leave; what is in the queue is not computed any more."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])

    def _go_on(self) -> "asyncio.Task[None]":
        """See to it that what has come is looked at."""
        if self._work is None or self._work.done():
            if self._work is not None:
                self._work.result()
            self._work = asyncio.create_task(self._look())
        return self._work

    async def _look(self) -> None:
        while (waveform := self._cutter.due()) is not None:
            self._cutter.take(await self._scheduler.submit(self._engine, waveform))

    def _say(self) -> LiveResult:
        settled = tuple(self._cutter.take_settled())
        provisional = " ".join(word.text for word in self._cutter.provisional())
        return LiveResult(settled, provisional)


class LiveSessions:
    """All sessions of a service: how many there may be, and their common end."""

    def __init__(self, max_sessions: int) -> None:
        self._max_sessions = max_sessions
        self.count = 0
        self.draining = asyncio.Event()
        """The service is stopping: sessions say what they have, and end."""

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Count one for as long as it lasts.

        Raises:
            Overloaded: there are as many as there may be.
        """
        if self.count >= self._max_sessions:
            raise Overloaded(
                f"{self.count} live streams are open, the limit here. Try again a little later.",
                retry_after_seconds=RETRY_SECONDS,
            )
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1

    def drain(self) -> None:
        """Ask all sessions to end; new ones end at once."""
        self.draining.set()
