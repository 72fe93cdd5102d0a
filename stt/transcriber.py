"""The whole order: upload -> blocks -> windows -> log-probs -> words.

A recording of any length takes the same path, a window at a time, and while one window is in the
model the next is being decoded.
"""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

from stt.audio import decode
from stt.batcher import Batcher
from stt.ctc import GreedyDecoder
from stt.engine import Engine
from stt.errors import InferenceFailed
from stt.settings import Settings
from stt.transcript import SAMPLE_RATE, Transcript, Waveform, Word
from stt.windows import Window, WindowCutter


class Transcriber:
    """Transcribes recordings; one for the whole service."""

    def __init__(self, batcher: Batcher, settings: Settings) -> None:
        self._batcher = batcher
        self._settings = settings
        self._decode_pool = ThreadPoolExecutor(settings.decode_threads, thread_name_prefix="decode")

    async def transcribe(self, source: BinaryIO, engine: Engine) -> Transcript:
        """Transcribe one recording.

        Args:
            source: Seekable, in any format that `stt.audio` reads; not closed here.
            engine: The model of the language that is spoken.

        Raises:
            AudioError: it cannot be decoded, or is too long.
            InferenceFailed: the engine raised.
        """
        cutter = WindowCutter(
            engine.grid,
            window_seconds=self._settings.window_seconds,
            context_seconds=self._settings.context_seconds,
        )
        decoder = GreedyDecoder(engine.vocabulary, engine.grid)
        words: list[Word] = []
        async for window in self._windows(source, cutter):
            try:
                log_probs = await self._batcher.submit(engine, window.waveform)
            except Exception as error:
                raise InferenceFailed("The model failed on this recording.") from error
            words += decoder.feed(log_probs[window.core])
        words += decoder.finish()
        return Transcript(tuple(words), cutter.n_samples / SAMPLE_RATE)

    def close(self) -> None:
        """Start no further decoding."""
        self._decode_pool.shutdown(wait=False, cancel_futures=True)

    async def _windows(self, source: BinaryIO, cutter: WindowCutter) -> AsyncIterator[Window]:
        """Windows of a recording, decoded off the event loop and one step ahead."""
        loop = asyncio.get_running_loop()
        cuts = cut_windows(decode(source, max_seconds=self._settings.max_audio_seconds), cutter)
        coming = loop.run_in_executor(self._decode_pool, next, cuts, None)
        try:
            while (window := await coming) is not None:
                coming = loop.run_in_executor(self._decode_pool, next, cuts, None)
                yield window
        finally:
            # The caller may stop early; the source is its own again only once nobody reads it.
            await asyncio.wait([coming])
            cuts.close()


def cut_windows(blocks: Iterator[Waveform], cutter: WindowCutter) -> Generator[Window]:
    """All windows of a recording, the last one too."""
    for block in blocks:
        yield from cutter.feed(block)
    yield from cutter.finish()
