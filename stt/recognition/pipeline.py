"""All steps for a recording: upload -> blocks -> windows -> frames -> words.

Recordings of any length take the same path, window by window: while the model computes one window,
a thread reads the next.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from contextvars import copy_context
from dataclasses import replace
from typing import BinaryIO, Protocol, TypeVar

from stt.activity.base import Detector
from stt.audio.reading import ReadAudio, read_audio
from stt.engines.base import Engine
from stt.engines.wants import F, Want
from stt.frames import AnyFrames
from stt.inference.observer import NoObserver, Observer, Stage
from stt.inference.scheduler import Scheduler
from stt.models.usage import lease_notices
from stt.notices import Code, Notice, Report
from stt.recognition.ahead import ReadAhead, Stopwatch
from stt.recognition.channels import ChannelCutters
from stt.recognition.chunking import Window, WindowCutter
from stt.recognition.hearing import Hearing
from stt.recognition.plan import AS_HEARD, Plan
from stt.recognition.segments import in_turns
from stt.recognition.voices import Voice, Voices
from stt.settings import Settings
from stt.speakers.assigning import with_speakers
from stt.speakers.recorder import Recorder
from stt.speakers.turns import FindSpeakers
from stt.types import Transcript, Waveform, Word

T = TypeVar("T")

SLOT_SECONDS = 0.25
"""A recording waits so long for its turn to be decoded, then goes on regardless: whoever has the
turn may wait for a decoder that hangs."""

NOBODY = Notice(
    Code.NO_SPEAKERS, "The models that tell speakers apart found none, so words have no speaker."
)


class Earlier(Protocol):
    """What earlier runs over the same recording computed."""

    async def find(self, window: Window, want: Want[F]) -> F | None:
        """The frames of the window's core, bit for bit; None if they must be computed."""
        ...

    async def keep(self, window: Window, want: Want[AnyFrames], frames: AnyFrames) -> None:
        """Store the frames of the window's core for later runs.

        An error here ends the run.
        """
        ...


class Words:
    """Iterates asynchronously over the words of one recording, each as soon as it is settled.

    Callers that stop early must close it (``aclosing``); the source is free again after that.
    """

    def __init__(self, words: AsyncGenerator[Word], hearing: Hearing) -> None:
        self._words, self._hearing = words, hearing

    @property
    def duration_seconds(self) -> float:
        """Length of the audio read so far; after the last word, of all audio."""
        return self._hearing.seconds

    @property
    def expected_seconds(self) -> float:
        """Length of the whole recording, as far as it shows by now: an estimate, or 0."""
        return self._hearing.blocks.expected_seconds

    @property
    def report(self) -> Report:
        """What is missing or doubtful; complete after the last word."""
        return self._hearing.report

    def transcript(self, spoken: Sequence[Word]) -> Transcript:
        """The transcript of a recording whose words have all come, in the order they came."""
        return in_turns(Transcript(tuple(spoken), self.duration_seconds, self.report))

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
        # One for each recording, since a thread that waits for a decoder must not keep others
        # waiting; and as many again for abandoned recordings that are still ending.
        self._reader_threads = ThreadPoolExecutor(
            2 * settings.max_queue_requests, thread_name_prefix="reader"
        )
        self._slots = threading.BoundedSemaphore(settings.decode_threads)

    async def transcribe(
        self,
        source: BinaryIO,
        engine: Engine,
        plan: Plan = AS_HEARD,
        track: int | None = None,
        listen: Callable[[Waveform], None] | None = None,
    ) -> Transcript:
        """Transcribe one recording; arguments and errors are those of `words`.

        Further errors, with ``plan.speakers``:

        Raises:
            AudioTooLong: speakers are not found in recordings as long as this.
            OutOfStorage: the samples cannot be kept.
            InferenceFailed: the models that tell speakers apart failed.
        """
        if plan.speakers is not None:
            return await self._with_speakers(source, engine, plan, plan.speakers, track, listen)
        words = self.words(source, engine, plan, track, listen)
        return words.transcript([word async for word in words])

    async def _with_speakers(
        self,
        source: BinaryIO,
        engine: Engine,
        plan: Plan,
        find: FindSpeakers,
        track: int | None,
        listen: Callable[[Waveform], None] | None,
    ) -> Transcript:
        with Recorder(self._settings.max_speaker_seconds) as recorder:

            def keep(block: Waveform) -> None:
                recorder.feed(block)
                if listen:
                    listen(block)

            words = self.words(source, engine, plan, track, keep)
            async with aclosing(words):
                spoken = [word async for word in words]
            found = await find(recorder.file) if spoken else ()
        spoken = await asyncio.to_thread(with_speakers, spoken, found)
        transcript = words.transcript(spoken)
        if not spoken or found:
            return transcript
        warnings = (*transcript.report.warnings, NOBODY)
        return replace(transcript, report=replace(transcript.report, warnings=warnings))

    def words(
        self,
        source: BinaryIO,
        engine: Engine,
        plan: Plan = AS_HEARD,
        track: int | None = None,
        listen: Callable[[Waveform], None] | None = None,
        earlier: Earlier | None = None,
    ) -> Words:
        """Return the words of one recording, each as soon as it is settled.

        Args:
            source: Seekable, in any accepted container; not closed here.
            engine: The model of the spoken language.
            plan: How its audio becomes words. Those of channels that are kept apart are in order
                for each channel only.
            track: Number of the audio track, from 1; None chooses one.
            listen: Called with every block of samples, in the threads that read them.
            earlier: Windows that it finds are not computed again.

        Raises:
            AudioError: the recording cannot be read, or is too long.
            InvalidHotwords: the checkpoint cannot write a hotword.
            Overloaded: the queue is full.
            InferenceFailed: the engine raised an exception.
            OutOfMemory: a single window does not fit into memory.
            InferenceDied: the inference thread ended.
            QueueTimeout: a window waited too long.
            ClusterUnavailable: no engine of the cluster can be reached.
        """
        blocks = self._read_audio(
            source,
            max_seconds=self._settings.max_audio_seconds,
            track=track,
            split=plan.channels == "split",
        )
        cutters = self._cutters(engine, lambda: plan.detector(engine, self._settings.vad))
        voices = Voices(lambda: Voice(*plan.open(engine), engine.vocabulary.blank), cutters)
        notices = (*lease_notices(), *plan.decoding.notices)
        hearing = Hearing(blocks, cutters, notices, listen)
        return Words(self._words(engine, hearing, voices, earlier), hearing)

    def hear(
        self,
        source: BinaryIO,
        engine: Engine,
        track: int | None = None,
        listen: Callable[[Waveform], None] | None = None,
    ) -> Hearing:
        """Open a recording, for `frames`.

        Args:
            source, engine, track: As for `words`.
            listen: Called with every block of samples, in the threads that read them.
        """
        blocks = self._read_audio(source, max_seconds=self._settings.max_audio_seconds, track=track)
        return Hearing(blocks, self._cutters(engine, lambda: None), lease_notices(), listen)

    async def frames(self, hearing: Hearing, engine: Engine, want: Want[F]) -> AsyncGenerator[F]:
        """The frames of a recording, in order and without gaps; errors are those of `words`.

        Callers that stop early must close it (``aclosing``).
        """
        started = time.perf_counter()
        self._scheduler.check_room()
        async with aclosing(
            self._frames(self._windows(hearing, engine.limits.windows_ahead), engine, want)
        ) as all_frames:
            async for _, frames in all_frames:
                yield frames
        self._observer.transcribed(hearing.charged_seconds, time.perf_counter() - started)

    def _cutters(
        self, engine: Engine, open_detector: Callable[[], Detector | None]
    ) -> ChannelCutters:
        def open_cutter() -> WindowCutter:
            return WindowCutter(
                engine.grid,
                window_seconds=self._settings.window_seconds,
                context_seconds=self._settings.context_seconds,
                cut_search_seconds=self._settings.cut_search_seconds,
                detector=open_detector(),
            )

        return ChannelCutters(open_cutter, engine.grid, self._settings.max_audio_seconds)

    async def _words(
        self, engine: Engine, hearing: Hearing, voices: Voices, earlier: Earlier | None
    ) -> AsyncGenerator[Word]:
        started = time.perf_counter()
        self._scheduler.check_room()
        windows = self._windows(hearing, engine.limits.windows_ahead)
        async with aclosing(self._frames(windows, engine, voices.want, earlier)) as all_frames:
            async for window, frames in all_frames:
                for word in await voices.feed(window, frames):
                    hearing.found_words = True
                    yield word
        rest = await voices.finish()
        hearing.found_words |= bool(rest)
        self._observer.transcribed(hearing.charged_seconds, time.perf_counter() - started)
        for word in rest:
            yield word

    async def _frames(
        self,
        windows: AsyncGenerator[Window],
        engine: Engine,
        want: Want[F],
        earlier: Earlier | None = None,
    ) -> AsyncGenerator[tuple[Window, F]]:
        """All windows and the frames of their cores, in order, with only a few in the queue."""
        pending: deque[tuple[Window, asyncio.Task[F]]] = deque()
        most = self._settings.windows_in_flight or engine.limits.windows_in_flight
        try:
            async with aclosing(windows):
                async for window in windows:
                    computing = self._core(window, engine, want, earlier)
                    pending.append((window, asyncio.create_task(computing)))
                    if len(pending) == most:
                        yield await self._first(pending)
            while pending:
                yield await self._first(pending)
        finally:
            for _, task in pending:
                task.cancel()  # for failed ones this marks the exception as retrieved

    async def _core(
        self, window: Window, engine: Engine, want: Want[F], earlier: Earlier | None
    ) -> F:
        """The frames of a window's core, found or computed."""
        found = await earlier.find(window, want) if earlier else None
        if found is not None:
            return found
        frames = (await self._scheduler.submit(engine, window.waveform, want))[window.core]
        if earlier:
            await earlier.keep(window, want, frames)
        return frames

    @staticmethod
    async def _first(pending: deque[tuple[Window, asyncio.Task[F]]]) -> tuple[Window, F]:
        window, task = pending.popleft()
        return window, await task

    def close(self) -> None:
        """Stop the reader threads."""
        self._reader_threads.shutdown(wait=False, cancel_futures=True)

    async def _windows(self, hearing: Hearing, n_ahead: int) -> AsyncGenerator[Window]:
        """Windows of a recording, read off the event loop and before they are needed."""
        cuts = hearing.windows()
        started, stopwatch = time.perf_counter(), Stopwatch()
        context = copy_context()  # so that the threads log the request id

        def next_window() -> Window | None:
            has_slot = self._slots.acquire(timeout=SLOT_SECONDS)
            try:
                return context.run(stopwatch.next, cuts)
            finally:
                if has_slot:
                    self._slots.release()

        windows = ReadAhead(next_window, self._reader_threads, n_ahead)
        try:
            async for window in windows:
                yield window
        finally:
            # The caller may stop early, and gets its source back only when no thread reads it.
            with suppress(ValueError):  # a running generator cannot be closed
                hearing.blocks.close()
            await windows.stop()
            cuts.close()
            hearing.blocks.close()
            if stopwatch.seconds:
                self._observer.stage(Stage.DECODE, started, stopwatch.ended, stopwatch.seconds)
