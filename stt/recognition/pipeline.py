"""All steps for a recording: upload -> blocks -> windows -> frames -> words.

Recordings of any length take the same path, window by window: while the model computes one window,
a thread reads the next.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from contextvars import copy_context
from typing import BinaryIO, TypeVar

from stt.audio.reading import ReadAudio, read_audio
from stt.engines.base import Engine
from stt.inference.observer import NoObserver, Observer, Stage
from stt.inference.scheduler import Scheduler
from stt.recognition.chunking import Window, WindowCutter
from stt.recognition.ctc import GreedyDecoder
from stt.settings import Settings
from stt.types import SAMPLE_RATE, Frames, Transcript, Waveform, Word

T = TypeVar("T")


class Words:
    """Iterates asynchronously over the words of one recording, each as soon as it is settled.

    Callers that stop early must close it (``aclosing``); the source is free again after that.
    """

    def __init__(self, words: AsyncGenerator[Word], cutter: WindowCutter) -> None:
        self._words, self._cutter = words, cutter

    @property
    def duration_seconds(self) -> float:
        """Length of the audio read so far; after the last word, of all audio."""
        return self._cutter.n_samples / SAMPLE_RATE

    def __aiter__(self) -> AsyncIterator[Word]:
        return self._words

    async def aclose(self) -> None:
        """Drop all remaining work."""
        await self._words.aclose()


class Transcriber:
    """Transcribes recordings; the service has one."""

    def __init__(
        self,
        scheduler: Scheduler,
        settings: Settings,
        read_audio: ReadAudio = read_audio,
        observer: Observer | None = None,
    ) -> None:
        """``read_audio`` runs in threads; the service passes `stt.audio.pool.ReaderPool.read`."""
        self._read_audio = read_audio
        self._observer = observer or NoObserver()
        self._scheduler = scheduler
        self._settings = settings
        self._reader_threads = ThreadPoolExecutor(
            settings.decode_threads, thread_name_prefix="reader"
        )

    async def transcribe(self, source: BinaryIO, engine: Engine) -> Transcript:
        """Transcribe one recording; arguments and errors are those of `words`."""
        words = self.words(source, engine)
        return Transcript(tuple([word async for word in words]), words.duration_seconds)

    def words(self, source: BinaryIO, engine: Engine) -> Words:
        """Return the words of one recording, each as soon as it is settled.

        Args:
            source: Seekable, in any accepted container; not closed here.
            engine: The model of the spoken language.

        Raises:
            AudioError: the recording cannot be read, or is too long.
            Overloaded: the queue is full.
            InferenceFailed: the engine raised an exception.
            OutOfMemory: a single window does not fit into memory.
            InferenceDied: the inference thread ended.
            QueueTimeout: a window waited too long.
            ClusterUnavailable: no engine of the cluster can be reached.
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
        """The frames of all cores, in order, with only a few windows in the queue at a time."""
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
                task.cancel()  # for failed ones this marks the exception as retrieved

    @staticmethod
    async def _first(pending: deque[tuple[Window, asyncio.Task[Frames]]]) -> Frames:
        window, task = pending.popleft()
        return (await task)[window.core]

    def close(self) -> None:
        """Stop the reader threads."""
        self._reader_threads.shutdown(wait=False, cancel_futures=True)

    async def _windows(self, source: BinaryIO, cutter: WindowCutter) -> AsyncGenerator[Window]:
        """Windows of a recording, read off the event loop and one window ahead."""
        loop = asyncio.get_running_loop()
        blocks = self._read_audio(source, max_seconds=self._settings.max_audio_seconds)
        cuts = cut_windows(blocks, cutter)
        started, stopwatch = time.perf_counter(), Stopwatch()
        context = copy_context()  # so that the threads log the request id

        def next_window() -> Window | None:
            return context.run(stopwatch.next, cuts)

        coming = loop.run_in_executor(self._reader_threads, next_window)
        try:
            # Shielded: a running thread cannot be cancelled, only awaited.
            while (window := await asyncio.shield(coming)) is not None:
                coming = loop.run_in_executor(self._reader_threads, next_window)
                yield window
        finally:
            # The caller may stop early, and gets its source back only when no thread reads it.
            with suppress(ValueError):  # a running generator cannot be closed
                blocks.close()
            await asyncio.wait([coming])
            coming.exception()  # marks it as retrieved
            cuts.close()
            blocks.close()
            if stopwatch.seconds:
                self._observer.stage(Stage.DECODE, started, stopwatch.ended, stopwatch.seconds)


class Stopwatch:
    """Measures the time that iterators take to compute, in any thread."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.ended = 0.0
        """`time.perf_counter` after the last item."""

    def next(self, items: Iterator[T]) -> T | None:
        """Return the next item, or None after the last one."""
        started = time.perf_counter()
        try:
            return next(items, None)
        finally:
            self.ended = time.perf_counter()
            self.seconds += self.ended - started


def cut_windows(blocks: Iterator[Waveform], cutter: WindowCutter) -> Generator[Window]:
    """Cut all windows of a recording."""
    for block in blocks:
        yield from cutter.feed(block)
    yield from cutter.finish()
