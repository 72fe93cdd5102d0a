import asyncio
import gc
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest

from stt.audio.pool import ReaderPool
from stt.audio.reading import ReadAudio, read_audio
from stt.engines.limits import limits_of
from stt.errors import AudioTooLong, InferenceDied, InferenceFailed, InvalidAudio, Overloaded
from stt.inference.batcher import Batcher
from stt.notices import Code
from stt.recognition.pipeline import Transcriber
from stt.settings import load_settings
from stt.types import Transcript
from tests.audio_files import tones, with_ffmpeg, with_libsndfile
from tests.fakes import EchoEngine, FakeEngine, spell_log_probs


def run(
    scenario: Callable[[Transcriber, Batcher], Awaitable[None]],
    *flags: str,
    read_audio: ReadAudio = read_audio,
    **limits: float,
) -> list[str]:
    """Run a scenario in its own event loop; return the complaints of asyncio."""
    complaints: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(str(context["message"])))
        batcher = Batcher(**limits)  # type: ignore[arg-type]
        # Tones are no speech.
        settings = load_settings(["--vad", "off", *flags])
        transcriber = Transcriber(batcher, settings, read_audio)
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
    assert max(queued) <= 2 * 20.01  # the third is being computed


def test_a_short_recording_waits_for_few_windows_of_a_long_one() -> None:
    ran: list[int] = []
    turn = threading.Semaphore(0)

    class Slow(FakeEngine):
        def forward(self, waveforms, want):  # type: ignore[no-untyped-def]
            assert turn.acquire(timeout=20)
            ran.extend(len(waveform) // 16000 for waveform in waveforms)
            return super().forward(waveforms, want)

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


def test_cancelling_leaves_nothing_behind() -> None:
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
        # No thread reads the source any more, and the next recording is served.
        source.close()
        transcript = await transcriber.transcribe(recording(1), engine)
        assert transcript.text == "ab"
        assert len(engine.lengths) == computed + 1

    assert run(scenario) == []


def test_a_caller_that_goes_does_not_wait_for_a_decoder_that_hangs() -> None:
    pool = ReaderPool(load_settings(), target="tests.faulty_reader:read_audio")

    async def scenario(transcriber: Transcriber, batcher: Batcher) -> None:
        task = asyncio.create_task(transcriber.transcribe(BytesIO(b"sleep\n"), FakeEngine()))
        await asyncio.to_thread(lambda: list(pool.read(BytesIO(b"echo\n"), max_seconds=1)))
        await asyncio.sleep(0.3)
        started = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - started < 5  # the timeout of a block is 20 s

    assert run(scenario, read_audio=pool.read) == []
    pool.close()


def test_decoders_that_hang_keep_nobody_waiting() -> None:
    pool = ReaderPool(load_settings(), target="tests.faulty_reader:read_audio")

    async def scenario(transcriber: Transcriber, batcher: Batcher) -> None:
        def transcribe(data: bytes) -> asyncio.Task[Transcript]:
            return asyncio.create_task(transcriber.transcribe(BytesIO(data), FakeEngine()))

        assert (await transcribe(b"echo\n" + bytes(16_000))).text == "ab"
        hanging = [transcribe(b"sleep\n") for _ in range(5)]
        await asyncio.sleep(0.3)
        started = time.monotonic()
        assert (await transcribe(b"echo\n" + bytes(16_000))).text == "ab"
        assert time.monotonic() - started < 5  # the timeout of a block is 20 s
        assert not any(each.done() for each in hanging)
        for each in hanging:
            each.cancel()
        await asyncio.wait(hanging)

    assert run(scenario, "--decode-threads", "2", read_audio=pool.read) == []
    pool.close()


def test_without_words_a_warning_has_the_level_of_the_recording() -> None:
    async def scenario(transcriber: Transcriber, batcher: Batcher) -> None:
        loud = np.concatenate([tones(1.0, 16_000) / 20, np.zeros((3 * 16_000, 1), np.float32)])
        sources = {
            recording(1.0): [],
            BytesIO(with_libsndfile(loud * 0, 16_000, "WAV")): ["-120 dBFS", " 0%", "microphone"],
            BytesIO(with_libsndfile(loud, 16_000, "WAV")): [" 25%", "language"],
        }
        for source, parts in sources.items():
            engine = FakeEngine() if not parts else EchoEngine()
            transcript = await transcriber.transcribe(source, engine)
            warnings = transcript.report.warnings
            assert [each.code for each in warnings] == [Code.NO_SPEECH] * bool(parts)
            assert all(part in each.message for each in warnings for part in parts)

    assert run(scenario) == []


def test_audio_errors_in_the_middle_leave_nothing_behind() -> None:
    nan = tones(75, 16000)
    nan[60 * 16000 :] = np.nan
    broken = with_libsndfile(nan, 16000, "WAV", "FLOAT")
    endless = with_ffmpeg(tones(90, 44100), 44100, "adts", "aac")

    async def scenario(transcriber: Transcriber, batcher: Batcher) -> None:
        for data, error in ((broken, InvalidAudio), (endless, AudioTooLong)):
            with pytest.raises(error):
                await transcriber.transcribe(BytesIO(data), FakeEngine())
            assert batcher.queued_seconds == 0

    assert run(scenario, "--max-audio-seconds", "80") == []


def test_engine_failures_in_the_middle_leave_nothing_behind() -> None:
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


def test_a_batch_of_failed_windows_logs_no_unretrieved_exceptions() -> None:
    """The caller gets one exception; asyncio would log the others as never retrieved."""

    async def scenario(transcriber: Transcriber, batcher: Batcher) -> None:
        batches: list[int] = []
        queued = threading.Event()

        class EndsAtTheSecond(FakeEngine):
            def forward(self, waveforms, want):  # type: ignore[no-untyped-def]
                batches.append(len(waveforms))
                if len(batches) == 2:
                    raise SystemExit
                assert queued.wait(20)  # so that all other windows form one batch
                return super().forward(waveforms, want)

        task = asyncio.create_task(transcriber.transcribe(recording(200), EndsAtTheSecond()))
        while batcher.n_queued < 3:
            await asyncio.sleep(0.01)
        queued.set()
        with pytest.raises(InferenceDied):
            await task
        assert batches[:2] == [1, 3]

    assert run(scenario, "--windows-in-flight", "4", batch_seconds=90) == []


@pytest.mark.parametrize(("device", "most"), [("cpu", 2), ("cuda:0", 8)])
def test_the_device_decides_how_many_windows_wait(device: str, most: int) -> None:
    async def scenario(transcriber: Transcriber, batcher: Batcher) -> None:
        go_on = threading.Event()
        engine = FakeEngine(lambda: go_on.wait(20))  # type: ignore[arg-type, return-value]
        engine.limits = replace(limits_of(device), windows_ahead=1, batches_in_flight=1)
        task = asyncio.create_task(transcriber.transcribe(recording(300), engine))
        while batcher.n_queued < most - 1:  # the first is being computed
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        assert batcher.n_queued == most - 1
        go_on.set()
        await task

    assert run(scenario) == []


def test_overload_is_detected_before_reading() -> None:
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


def test_words_are_returned_before_the_rest_is_computed() -> None:
    turn = threading.Semaphore(0)

    class Slow(FakeEngine):
        """Recognizes "ab" again and again."""

        def forward(self, waveforms, want):  # type: ignore[no-untyped-def]
            assert turn.acquire(timeout=20)
            self.lengths += [len(waveform) for waveform in waveforms]
            counts = [self.grid.n_frames(len(waveform)) for waveform in waveforms]
            return [
                want.reduce(spell_log_probs(([0, 2, 3, 1] * count)[:count])) for count in counts
            ]

    async def scenario(transcriber: Transcriber, batcher: Batcher) -> None:
        engine = Slow()
        turn.release(1)
        async with aclosing(transcriber.words(recording(100), engine)) as words:
            async for word in words:
                assert word.text == "ab"
                if word.start > 10:
                    break
        assert len(engine.lengths) == 1
        assert batcher.queued_seconds == 0  # nothing stays queued
        turn.release(100)
        collected = [word async for word in transcriber.words(recording(100), engine)]
        transcript = await transcriber.transcribe(recording(100), engine)
        assert transcript.words == tuple(collected)
        assert transcript.duration_seconds == 100
        assert len(collected) > 1200  # 80 ms each; one may be lost at each cut

    assert run(scenario) == []
