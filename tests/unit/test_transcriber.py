import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable
from io import BytesIO

import numpy as np
import pytest

from stt.batcher import Batcher
from stt.errors import AudioTooLong, InferenceFailed, InvalidAudio, Overloaded
from stt.settings import load_settings
from stt.transcriber import Transcriber
from tests.audio_files import tones, with_ffmpeg, with_libsndfile
from tests.fakes import FakeEngine


def run(
    scenario: Callable[[Transcriber, Batcher], Awaitable[None]], *flags: str, **limits: float
) -> list[str]:
    """Run in a loop of its own; returns what asyncio complained about afterwards."""
    complaints: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(str(context["message"])))
        batcher = Batcher(cpu_threads=1, **limits)  # type: ignore[arg-type]
        transcriber = Transcriber(batcher, load_settings(flags))
        try:
            await asyncio.wait_for(scenario(transcriber, batcher), 30)
        finally:
            transcriber.close()
            batcher.close()

    asyncio.run(main())
    gc.collect()
    return complaints


def recording(seconds: float) -> BytesIO:
    return BytesIO(with_libsndfile(tones(seconds, 16000), 16000, "WAV"))


def test_a_long_recording_has_few_windows_in_the_queue() -> None:
    queued: list[float] = []

    async def scenario(transcriber: Transcriber, batcher: Batcher) -> None:
        engine = FakeEngine(lambda: queued.append(batcher.queued_seconds))
        await transcriber.transcribe(recording(300), engine)

    assert run(scenario, "--windows-in-flight", "3") == []
    assert len(queued) > 10
    assert max(queued) <= 2 * 20.01  # a third one is being computed


def test_a_short_recording_waits_for_a_couple_of_windows_only() -> None:
    ran: list[int] = []
    turn = threading.Semaphore(0)

    class Slow(FakeEngine):
        def forward(self, waveforms):  # type: ignore[no-untyped-def]
            assert turn.acquire(timeout=20)
            ran.extend(len(waveform) // 16000 for waveform in waveforms)
            return super().forward(waveforms)

    async def scenario(transcriber: Transcriber, batcher: Batcher) -> None:
        engine = Slow()
        long = asyncio.create_task(transcriber.transcribe(recording(400), engine))
        turn.release(3)
        while len(ran) < 3:
            await asyncio.sleep(0.01)
        before = len(ran)
        short = asyncio.create_task(transcriber.transcribe(recording(2), engine))
        await asyncio.sleep(0.1)
        while not short.done():
            turn.release()
            await asyncio.sleep(0.02)
        assert ran.index(2) - before <= 3
        assert not long.done()
        turn.release(100)
        await long

    assert run(scenario) == []


def test_when_the_caller_goes_nothing_is_left_behind() -> None:
    started, go_on = threading.Event(), threading.Event()

    def block() -> None:
        started.set()
        assert go_on.wait(20)

    async def scenario(transcriber: Transcriber, batcher: Batcher) -> None:
        engine = FakeEngine(block)
        source = recording(300)
        task = asyncio.create_task(transcriber.transcribe(source, engine))
        while not started.is_set():
            await asyncio.sleep(0.01)
        task.cancel()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.1)
        assert batcher.queued_seconds == 0
        computed = len(engine.lengths)
        # The source is nobody's any more, and the next recording is served.
        source.close()
        transcript = await transcriber.transcribe(recording(1), engine)
        assert transcript.text == "ab"
        assert len(engine.lengths) == computed + 1

    assert run(scenario) == []


def test_audio_that_breaks_in_the_middle_is_an_error_and_leaves_nothing_behind() -> None:
    nan = tones(75, 16000)
    nan[70 * 16000] = np.nan
    broken = with_libsndfile(nan, 16000, "WAV", "FLOAT")
    endless = with_ffmpeg(tones(90, 44100), 44100, "adts", "aac")

    async def scenario(transcriber: Transcriber, batcher: Batcher) -> None:
        for data, error in ((broken, InvalidAudio), (endless, AudioTooLong)):
            with pytest.raises(error):
                await transcriber.transcribe(BytesIO(data), FakeEngine())
            assert batcher.queued_seconds == 0

    assert run(scenario, "--max-audio-seconds", "80") == []


def test_an_engine_that_fails_in_the_middle() -> None:
    forwards = 0

    def fail_third() -> None:
        nonlocal forwards
        forwards += 1
        if forwards == 3:
            raise RuntimeError("boom")

    async def scenario(transcriber: Transcriber, batcher: Batcher) -> None:
        with pytest.raises(InferenceFailed):
            await transcriber.transcribe(recording(200), FakeEngine(fail_third))
        assert batcher.queued_seconds == 0

    assert run(scenario) == []


def test_newcomers_are_refused_before_anything_is_decoded() -> None:
    async def scenario(transcriber: Transcriber, batcher: Batcher) -> None:
        blocked = threading.Event()
        engine = FakeEngine(lambda: blocked.wait(20))  # type: ignore[arg-type, return-value]
        waiting = [
            asyncio.create_task(transcriber.transcribe(recording(8), engine)) for _ in range(4)
        ]
        while batcher.queued_seconds < 16:
            await asyncio.sleep(0.01)
        with pytest.raises(Overloaded):
            await transcriber.transcribe(BytesIO(b"not even looked at"), engine)
        blocked.set()
        await asyncio.gather(*waiting)

    assert run(scenario, batch_seconds=8, max_queue_seconds=10) == []
