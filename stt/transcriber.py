"""The whole order: upload -> blocks -> windows -> log-probs -> words.

A recording of any length takes the same path, a window at a time, and while one window is in the
model the next is being decoded.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import BinaryIO

from stt.audio import decode
from stt.batcher import Batcher
from stt.ctc import GreedyDecoder
from stt.engine import Engine
from stt.settings import Settings
from stt.transcript import SAMPLE_RATE, Calibration, LogProbs, Transcript, Waveform, Word
from stt.windows import Window, WindowCutter


class Transcriber:
    """Transcribes recordings; one for the whole service."""

    def __init__(self, batcher: Batcher, settings: Settings) -> None:
        self._batcher = batcher
        self._settings = settings
        self._decode_pool = ThreadPoolExecutor(settings.decode_threads, thread_name_prefix="decode")

    async def transcribe(
        self, source: BinaryIO, engine: Engine, calibration: Calibration | None = None
    ) -> Transcript:
        """Transcribe one recording.

        Args:
            source: Seekable, in any format that `stt.audio` reads; not closed here.
            engine: The model of the language that is spoken.
            calibration: Of its word times and confidences.

        Raises:
            AudioError: it cannot be decoded, or is too long.
            Overloaded: too much waits already.
            InferenceFailed: the engine raised.
        """
        self._batcher.check_room()
        cutter = WindowCutter(
            engine.grid,
            window_seconds=self._settings.window_seconds,
            context_seconds=self._settings.context_seconds,
            cut_search_seconds=self._settings.cut_search_seconds,
        )
        decoder = GreedyDecoder(engine.vocabulary, engine.grid, calibration)
        words: list[Word] = []
        async for log_probs in self._log_probs(self._windows(source, cutter), engine):
            words += decoder.feed(log_probs)
        words += decoder.finish()
        return Transcript(tuple(words), cutter.n_samples / SAMPLE_RATE)

    async def _log_probs(
        self, windows: AsyncGenerator[Window], engine: Engine
    ) -> AsyncIterator[LogProbs]:
        """The cores' frames of all windows, in order, with a few windows in the queue at a time."""
        pending: deque[tuple[Window, asyncio.Task[LogProbs]]] = deque()
        try:
            async with aclosing(windows):
                async for window in windows:
                    submitted = self._batcher.submit(engine, window.waveform)
                    pending.append((window, asyncio.create_task(submitted)))
                    if len(pending) == self._settings.windows_in_flight:
                        yield await self._first(pending)
            while pending:
                yield await self._first(pending)
        finally:
            for _, task in pending:
                task.cancel()

    @staticmethod
    async def _first(pending: deque[tuple[Window, asyncio.Task[LogProbs]]]) -> LogProbs:
        window, task = pending.popleft()
        return (await task)[window.core]

    def close(self) -> None:
        """Start no further decoding."""
        self._decode_pool.shutdown(wait=False, cancel_futures=True)

    async def _windows(self, source: BinaryIO, cutter: WindowCutter) -> AsyncGenerator[Window]:
        """Windows of a recording, decoded off the event loop and one step ahead."""
        loop = asyncio.get_running_loop()
        cuts = cut_windows(decode(source, max_seconds=self._settings.max_audio_seconds), cutter)
        coming = loop.run_in_executor(self._decode_pool, next, cuts, None)
        try:
            # Shielded: a thread that is decoding cannot be cancelled, only waited for.
            while (window := await asyncio.shield(coming)) is not None:
                coming = loop.run_in_executor(self._decode_pool, next, cuts, None)
                yield window
        finally:
            # The caller may stop early; the source is its own again only once nobody reads it.
            await asyncio.wait([coming])
            coming.exception()  # seen, also if nobody waits for it any more
            cuts.close()


def cut_windows(blocks: Iterator[Waveform], cutter: WindowCutter) -> Generator[Window]:
    """All windows of a recording, the last one too."""
    for block in blocks:
        yield from cutter.feed(block)
    yield from cutter.finish()
