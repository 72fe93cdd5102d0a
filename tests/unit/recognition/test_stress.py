"""Random but seeded failures, all at once: every client gets an answer, and nothing leaks."""

import asyncio
import gc
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import numpy as np
import pytest

from stt.engines.wants import F, Want
from stt.errors import (
    InferenceDied,
    InferenceFailed,
    OutOfMemory,
    Overloaded,
    QueueTimeout,
    SttError,
)
from stt.frames import Frames
from stt.inference.batcher import Batcher
from stt.recognition.pipeline import Transcriber
from stt.settings import load_settings
from stt.types import Waveform
from tests.audio_files import with_libsndfile
from tests.fakes import FakeEngine, spell

DEATHS = (10, 40)
"""Indices of the forwards that end the inference thread."""
FAILURES = {InferenceFailed, InferenceDied, OutOfMemory, QueueTimeout, Overloaded}


class Moody(FakeEngine):
    """Spells the first sample of each window in binary; fails every few forwards, in many ways."""

    def __init__(self, seed: int, n_deaths: int) -> None:
        super().__init__()
        self._random = random.Random(seed)
        self._n_deaths = n_deaths
        self._n_forwards = 0

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        time.sleep(self._random.choice([0, 0.001, 0.004]))
        results: list[Any] = [self.say(waveform) for waveform in waveforms]
        mood = self._random.random()
        self._n_forwards += 1
        if self._n_forwards in DEATHS[: self._n_deaths]:
            raise SystemExit
        if mood < 0.1:
            raise RuntimeError("boom")
        if mood < 0.15 or (len(waveforms) > 3 and mood < 0.5):
            raise MemoryError
        if mood < 0.2:
            del results[self._random.randrange(len(results))]
        elif mood < 0.25:
            results[self._random.randrange(len(results))] = spell([1])
        return results

    def say(self, waveform: Waveform) -> Frames:
        columns = [0] * self.grid.n_frames(len(waveform))
        for bit, digit in enumerate(f"{round(waveform[0] * 1000):010b}"):
            columns[2 * bit] = 2 + int(digit)
        return spell(columns)


def word(number: int) -> str:
    return f"{number:010b}".replace("0", "a").replace("1", "b")


def recording(number: int) -> tuple[BytesIO, str]:
    """A recording and its text: the number in binary."""
    n_samples = 16000 * (1 + number % 3)
    samples = np.full(n_samples, number / 1000, np.float32)
    return BytesIO(with_libsndfile(samples, 16000, "WAV", "FLOAT")), word(number)


@contextmanager
def nothing_left() -> Iterator[list[Any]]:
    """Collects complaints of asyncio, and checks that there are none."""
    complaints: list[Any] = []
    yield complaints
    gc.collect()
    assert complaints == []


@pytest.mark.parametrize(("seed", "n_deaths"), [(1, 1), (2, 2)])
def test_at_random_moments_everything_fails_and_nobody_hangs(seed: int, n_deaths: int) -> None:
    ends: Counter[str] = Counter()
    dice = random.Random(seed)
    engine = Moody(seed, n_deaths)

    async def client(transcriber: Transcriber, number: int) -> None:
        source, text = recording(number)
        try:
            async with asyncio.timeout(dice.choice([0.001, 0.01, 0.05, 30, 30, 30])):
                transcript = await transcriber.transcribe(source, engine)
        except TimeoutError:
            ends["left"] += 1
        except SttError as error:
            ends[type(error).__name__] += 1
        else:
            assert transcript.text == text
            ends["text"] += 1
        source.close()  # no thread reads it any more

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, c: complaints.append(c))
        batcher = Batcher(batch_seconds=10, max_queue_seconds=40, queue_timeout_seconds=0.5)
        settings = load_settings(
            ["--window-seconds", "4", "--context-seconds", "0", "--vad", "off"]
        )
        transcriber = Transcriber(batcher, settings)
        try:
            await transcriber.transcribe(recording(0)[0], FakeEngine())  # imports everything
            numbers = iter(range(300))

            async def come_again() -> None:
                for number in numbers:
                    await client(transcriber, number)
                    await asyncio.sleep(dice.choice([0, 0, 0.01]))

            async with asyncio.timeout(90), asyncio.TaskGroup() as clients:
                for _ in range(20):
                    clients.create_task(come_again())
            await asyncio.sleep(0.1)  # cancelled tasks end in the next turn
            assert batcher.n_queued == 0
            assert (batcher.fault is None) == (n_deaths < 2)
            assert asyncio.all_tasks() == {asyncio.current_task()}
        finally:
            transcriber.close()
            batcher.close()

    with nothing_left() as complaints:
        asyncio.run(main())
    assert ends.total() == 300
    assert set(ends) <= {"text", "left"} | {each.__name__ for each in FAILURES}
    assert ends["text"]
    assert ends["left"]
    assert ends["InferenceDied"]


@pytest.mark.parametrize("n_steps", range(0, 40))
def test_clients_may_cancel_at_any_await(n_steps: int) -> None:
    """Cancel after ``n_steps`` turns of the event loop."""
    computing = threading.Event()

    def slowly() -> None:
        computing.set()
        time.sleep(0.002)

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, c: complaints.append(c))
        batcher = Batcher()
        transcriber = Transcriber(batcher, load_settings(["--vad", "off"]))
        source, _ = recording(1)
        try:
            leaving = asyncio.create_task(transcriber.transcribe(source, FakeEngine(slowly)))
            for _ in range(n_steps):
                await asyncio.sleep(0 if n_steps < 20 else 0.001)
            leaving.cancel()
            await asyncio.wait([leaving], timeout=20)
            assert leaving.done()
            source.close()
            other, _ = recording(2)
            transcript = await asyncio.wait_for(transcriber.transcribe(other, FakeEngine()), 20)
            assert transcript.text == "ab"
            assert batcher.n_queued == 0
        finally:
            transcriber.close()
            batcher.close()

    with nothing_left() as complaints:
        asyncio.run(main())
