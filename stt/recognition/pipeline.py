"""The whole order: upload -> blocks -> windows -> frames -> words.

A recording of any length takes the same path, a window at a time, and while one window is in the
model the next is being decoded.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from contextvars import copy_context
from typing import BinaryIO, TypeVar

from stt.audio.reading import Decode, decode
from stt.engines.base import Engine
from stt.inference.observer import NoObserver, Observer, Stage
from stt.inference.scheduler import Scheduler
from stt.recognition.chunking import Window, WindowCutter
from stt.recognition.ctc import GreedyDecoder
from stt.settings import Settings
from stt.types import SAMPLE_RATE, Frames, Transcript, Waveform, Word

T = TypeVar("T")


class Words:
    """The words of one recording, each as soon as it is settled; an asynchronous iterator.

    Whoever stops early closes it (``aclosing``); then the source is its own again.
    """

    def __init__(self, words: AsyncGenerator[Word], cutter: WindowCutter) -> None:
        self._words, self._cutter = words, cutter

    @property
    def duration_seconds(self) -> float:
        """Audio that was decoded so far; after the last word all of it."""
        return self._cutter.n_samples / SAMPLE_RATE

    def __aiter__(self) -> AsyncIterator[Word]:
        return self._words

    async def aclose(self) -> None:
        """Drop what is still being done."""
        await self._words.aclose()


class Transcriber:
    """Transcribes recordings; one for the whole service."""

    def __init__(
        self,
        scheduler: Scheduler,
        settings: Settings,
        decode: Decode = decode,
        observer: Observer | None = None,
    ) -> None:
        """``decode`` is run in threads; the service has that of a `stt.audio.pool`."""
        self._decode = decode
        self._observer = observer or NoObserver()
        self._scheduler = scheduler
        self._settings = settings
        self._reading_threads = ThreadPoolExecutor(
            settings.decode_threads, thread_name_prefix="decode"
        )

    async def transcribe(self, source: BinaryIO, engine: Engine) -> Transcript:
        """Transcribe one recording; arguments and errors are those of `words`."""
        words = self.words(source, engine)
        return Transcript(tuple([word async for word in words]), words.duration_seconds)

    def words(self, source: BinaryIO, engine: Engine) -> Words:
        """The words of one recording, each as soon as it is settled.

        Args:
            source: Seekable, in any format that `stt.audio` reads; not closed here.
            engine: The model of the language that is spoken.

        Raises:
            AudioError: it cannot be decoded, or is too long.
            Overloaded: too much waits already.
            InferenceFailed: the engine raised.
            OutOfMemory: a window of it alone does not fit.
            InferenceDied: the inference thread ended.
            QueueTimeout: a window of it waited too long.
            ClusterUnavailable: no engine of the cluster could be reached.
        """
        cutter = self._cutter(engine)
        return Words(self._words(source, engine, cutter), cutter)

    def _cutter(self, engine: Engine) -> WindowCutter:
        return WindowCutter(
            engine.grid,
            window_seconds=self._settings.window_seconds,
            context_seconds=self._settings.context_seconds,
            cut_search_seconds=self._settings.cut_search_seconds,
        )

    async def _words(
        self, source: BinaryIO, engine: Engine, cutter: WindowCutter
    ) -> AsyncGenerator[Word]:
        started = time.perf_counter()
        self._scheduler.check_room()
        decoder = GreedyDecoder(engine.vocabulary, engine.grid, engine.calibration)
        async with aclosing(self._frames(self._windows(source, cutter), engine)) as all_frames:
            async for frames in all_frames:
                for word in decoder.feed(frames):
                    yield word
        last = decoder.finish()
        self._observer.transcribed(cutter.n_samples / SAMPLE_RATE, time.perf_counter() - started)
        for word in last:
            yield word

    async def _frames(
        self, windows: AsyncGenerator[Window], engine: Engine
    ) -> AsyncGenerator[Frames]:
        """The cores' frames of all windows, in order, with a few windows in the queue at a time."""
        pending: deque[tuple[Window, asyncio.Task[Frames]]] = deque()
        most = self._settings.windows_in_flight or engine.limits.windows_in_flight
        try:
            async with aclosing(windows):
                async for window in windows:
                    submitted = self._scheduler.submit(engine, window.waveform)
                    pending.append((window, asyncio.create_task(submitted)))
                    if len(pending) == most:
                        yield await self._first(pending)
            while pending:
                yield await self._first(pending)
        finally:
            for _, task in pending:
                task.cancel()  # one that has failed, too: asyncio then takes its error for seen

    @staticmethod
    async def _first(pending: deque[tuple[Window, asyncio.Task[Frames]]]) -> Frames:
        window, task = pending.popleft()
        return (await task)[window.core]

    def close(self) -> None:
        """Start no further decoding."""
        self._reading_threads.shutdown(wait=False, cancel_futures=True)

    async def _windows(self, source: BinaryIO, cutter: WindowCutter) -> AsyncGenerator[Window]:
        """Windows of a recording, decoded off the event loop and one step ahead."""
        loop = asyncio.get_running_loop()
        blocks = self._decode(source, max_seconds=self._settings.max_audio_seconds)
        cuts = cut_windows(blocks, cutter)
        started, stopwatch = time.perf_counter(), Stopwatch()
        context = copy_context()  # what is logged while decoding has the request's id

        def next_window() -> Window | None:
            return context.run(stopwatch.next, cuts)

        coming = loop.run_in_executor(self._reading_threads, next_window)
        try:
            # Shielded: a thread that is decoding cannot be cancelled, only waited for.
            while (window := await asyncio.shield(coming)) is not None:
                coming = loop.run_in_executor(self._reading_threads, next_window)
                yield window
        finally:
            # The caller may stop early; the source is its own again only once nobody reads it.
            with suppress(ValueError):  # of a generator, which cannot be closed while it runs
                blocks.close()
            await asyncio.wait([coming])
            coming.exception()  # seen, also if nobody waits for it any more
            cuts.close()
            blocks.close()
            if stopwatch.seconds:
                self._observer.stage(Stage.DECODE, started, stopwatch.ended, stopwatch.seconds)


class Stopwatch:
    """Measures how long an iterator computes, wherever and by whom it is asked."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.ended = 0.0
        """`time.perf_counter` after the last item."""

    def next(self, items: Iterator[T]) -> T | None:
        """The next item; None after the last."""
        started = time.perf_counter()
        try:
            return next(items, None)
        finally:
            self.ended = time.perf_counter()
            self.seconds += self.ended - started


def cut_windows(blocks: Iterator[Waveform], cutter: WindowCutter) -> Generator[Window]:
    """All windows of a recording, the last one too."""
    for block in blocks:
        yield from cutter.feed(block)
    yield from cutter.finish()
