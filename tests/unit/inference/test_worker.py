import asyncio
import ctypes
import math
import threading
import weakref
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import numpy as np
import pytest

from stt.engines.faults import DeviceLost
from stt.engines.fitting import Fitting
from stt.engines.wants import BEST, F, Want
from stt.errors import InferenceDied, InferenceFailed, OutOfMemory, QueueTimeout
from stt.frames import Frames
from stt.inference.batcher import Batcher
from stt.inference.surviving import Outcome, forward_surviving
from stt.types import Waveform
from tests.fakes import FakeEngine, spell


def clip(seconds: float, marker: float = 0) -> Waveform:
    waveform = np.zeros(round(seconds * 16000), np.float32)
    waveform[0] = marker
    return waveform


def torch_out_of_memory() -> Exception:
    import torch

    return torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


class Small(FakeEngine):
    """Runs out of memory above some seconds of padded audio; fails if a traceback kept any."""

    def __init__(self, seconds: float, error: Callable[[], Exception] = torch_out_of_memory):
        super().__init__()
        self._samples = seconds * 16000
        self._error = error
        self.tensors: list[weakref.ref[Any]] = []
        self.batches: list[list[float]] = []

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        self.assert_freed()
        self.batches.append([len(waveform) / 16000 for waveform in waveforms])
        tensor = np.zeros(1)
        self.tensors.append(weakref.ref(tensor))
        if max(map(len, waveforms)) * len(waveforms) > self._samples:
            try:
                raise self._error()
            except Exception as error:
                held = tensor  # also by the frame of an error that has a cause
                raise self._error() from error
            finally:
                del held
        return super().forward(waveforms, want)

    def assert_freed(self) -> None:
        assert [tensor for tensor in self.tensors if tensor() is not None] == []


def shape(outcomes: list[Outcome]) -> list[Any]:
    return [type(each) if isinstance(each, Exception) else len(each) for each in outcomes]


@pytest.mark.parametrize("error", [torch_out_of_memory, MemoryError], ids=["cuda", "cpu"])
def test_out_of_memory_fails_what_does_not_fit_alone_and_nothing_else(
    error: Callable[[], Exception],
) -> None:
    engine, fitting = Small(5, error), Fitting()
    clips = [clip(1), clip(2), clip(9), clip(1), clip(2)]
    outcomes = forward_surviving(
        engine, clips, BEST, fitting=fitting, free_memory=engine.assert_freed
    )
    frames = [engine.grid.n_frames(len(each)) for each in clips]
    assert shape(outcomes) == [frames[0], frames[1], OutOfMemory, frames[3], frames[4]]
    # The longest is tried alone and fails; the other four take 8 s, which is too much too.
    assert engine.batches == [[1, 2, 9, 1, 2], [9], [1, 2, 1, 2], [2], [1, 1], [2]]
    assert fitting.most == 4 * 16000
    whole = FakeEngine().forward(clips, BEST)
    for outcome, expected in zip(outcomes, whole, strict=True):
        if not isinstance(outcome, Exception):
            assert (outcome.columns == expected.columns).all()


def test_what_fitted_is_remembered() -> None:
    engine, fitting = Small(5), Fitting()
    for n_failures in (3, 0):
        del engine.batches[:]
        outcomes = forward_surviving(engine, [clip(1)] * 32, BEST, fitting=fitting)
        assert shape(outcomes) == [49] * 32
        assert sum(len(batch) > 5 for batch in engine.batches) == n_failures
    assert max(map(len, engine.batches)) == 4


def test_a_batch_of_which_nothing_fits_fails_after_two_forwards() -> None:
    engine, fitting = Small(5), Fitting()
    for _ in range(2):
        del engine.batches[:]
        outcomes = forward_surviving(engine, [clip(9)] * 8, BEST, fitting=fitting)
        assert shape(outcomes) == [OutOfMemory] * 8
        assert [len(batch) for batch in engine.batches] == [8, 1]
    assert fitting.most == math.inf, "a batch was blamed for a window"


def test_memory_is_freed_only_after_a_forward_that_ran_out_of_it() -> None:
    freed: list[int] = []
    engine = Small(2)
    forward_surviving(
        engine, [clip(1)] * 4, BEST, free_memory=lambda: freed.append(len(engine.batches))
    )
    assert engine.batches == [[1] * 4, [1], [1] * 2, [1]]
    assert freed == [1]


class Wrong(FakeEngine):
    """Looks up its result by the window's first sample."""

    def __init__(self, wrong: dict[float, Any]) -> None:
        super().__init__()
        self._wrong = wrong

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        results = super().forward(waveforms, want)
        return [
            self._wrong.get(float(waveform[0]), frames)
            for waveform, frames in zip(waveforms, results, strict=True)
        ]


@pytest.mark.parametrize(
    "wrong",
    [spell([1] * 48), spell([1] * 50), None, spell([]), Frames(*[np.full(49, np.nan)] * 3)],
    ids=["too few frames", "too many frames", "nothing", "empty", "not finite"],
)
def test_an_invalid_result_fails_only_its_own_request(wrong: Any) -> None:
    outcomes = forward_surviving(Wrong({666: wrong}), [clip(1), clip(1, 666), clip(2)], BEST)
    assert [isinstance(each, Exception) for each in outcomes] == [False, True, False]
    assert shape(outcomes)[::2] == [49, 99]


@pytest.mark.parametrize("n", [0, 1, 3])
def test_a_batch_with_the_wrong_number_of_results_is_retried_row_by_row(n: int) -> None:
    class Miscounts(FakeEngine):
        def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
            results = super().forward(waveforms, want)
            return results if len(waveforms) == 1 else (results * 2)[:n]

    outcomes = forward_surviving(Miscounts(), [clip(1), clip(2)], BEST)
    assert shape(outcomes) == [49, 99]


def test_results_keep_the_order_of_the_waveforms() -> None:
    outcomes = forward_surviving(FakeEngine(), [clip(n) for n in (3, 1, 2)], BEST)
    assert shape(outcomes) == [149, 49, 99]


class Ends(FakeEngine):
    """Ends its thread if a window starts with 666; else waits for `go_on`."""

    def __init__(self, how: type[BaseException] = SystemExit) -> None:
        super().__init__()
        self._how = how
        self.running = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        self.running.set()
        assert self.go_on.wait(20)
        if any(waveform[0] == 666 for waveform in waveforms):
            raise self._how
        return super().forward(waveforms, want)


def run(scenario: Callable[[Batcher], Awaitable[None]], **options: Any) -> None:
    complaints: list[Any] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, c: complaints.append(c))
        batcher = Batcher(**options)
        try:
            await asyncio.wait_for(scenario(batcher), 30)
        finally:
            batcher.close()

    asyncio.run(main())
    assert complaints == []


@pytest.mark.parametrize("how", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_when_the_inference_thread_dies_only_its_batch_fails(
    how: type[BaseException],
) -> None:
    async def scenario(batcher: Batcher) -> None:
        engine = Ends(how)
        engine.go_on.clear()
        killer, mate, next_one = (
            asyncio.create_task(batcher.submit(engine, clip(*each), BEST))
            for each in ((1, 666), (1, 0), (25, 0))
        )
        await asyncio.to_thread(engine.running.wait, 20)
        engine.go_on.set()
        for waiter in (killer, mate):
            with pytest.raises(InferenceDied) as caught:
                await asyncio.wait_for(waiter, 10)
            assert caught.value.retry_after_seconds == 1
        assert len(await next_one) == engine.grid.n_frames(25 * 16000)
        assert batcher.fault is None
        batcher.check_room()

    run(scenario, batch_seconds=30)


def test_after_the_second_death_everything_is_refused() -> None:
    async def scenario(batcher: Batcher) -> None:
        engine = Ends()
        killers = [
            asyncio.create_task(batcher.submit(engine, clip(1, 666), BEST)) for _ in range(5)
        ]
        for killer in killers:
            with pytest.raises(InferenceDied):
                await asyncio.wait_for(killer, 10)
        assert batcher.fault == "The inference thread has died 2 times."
        assert batcher.queued_seconds == 0
        with pytest.raises(InferenceDied, match="must be restarted"):
            batcher.check_room()
        with pytest.raises(InferenceDied, match="must be restarted"):
            await batcher.submit(engine, clip(1), BEST)

    run(scenario, batch_seconds=1)


def test_a_lost_device_is_never_used_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Loses(FakeEngine):
        n_forwards = 0

        def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
            self.n_forwards += 1
            raise DeviceLost("CUDA error: device-side assert triggered")

    async def scenario(batcher: Batcher) -> None:
        engine = Loses()
        waiters = [asyncio.create_task(batcher.submit(engine, clip(1), BEST)) for _ in range(4)]
        for waiter in waiters:
            with pytest.raises(InferenceDied, match="must be restarted"):
                await asyncio.wait_for(waiter, 10)
        assert engine.n_forwards == 1, "retried on a lost device"
        assert batcher.fault == (
            "The device is unusable for the rest of this process: CUDA error: device-side "
            "assert triggered"
        )
        with pytest.raises(InferenceDied, match="must be restarted"):
            batcher.check_room()
        assert batcher.queued_seconds == 0

    run(scenario, batch_seconds=2)
    (record,) = [each for each in caplog.records if each.levelname == "CRITICAL"]
    assert "the device is lost" in record.getMessage()


def test_a_thread_that_died_while_idle_is_noticed() -> None:
    async def scenario(batcher: Batcher) -> None:
        engine = Ends()
        await batcher.submit(engine, clip(1), BEST)
        (thread,) = engine.threads
        # Raised as soon as the thread runs Python again, which is when it gets work.
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread), ctypes.py_object(SystemExit)
        )
        with pytest.raises(InferenceDied):
            await asyncio.wait_for(batcher.submit(engine, clip(1), BEST), 10)
        assert len(await batcher.submit(engine, clip(1), BEST)) == 49

    run(scenario)


def test_a_forward_without_progress_is_stuck_and_idle_is_not() -> None:
    now = [1000.0]

    async def scenario(batcher: Batcher) -> None:
        assert batcher.fault is None
        engine = Ends()
        engine.go_on.clear()
        task = asyncio.create_task(batcher.submit(engine, clip(1), BEST))
        await asyncio.to_thread(engine.running.wait, 20)
        now[0] += 299
        assert batcher.fault is None
        now[0] += 2
        assert batcher.fault is not None
        assert "running for 301 s" in batcher.fault
        batcher.check_room()  # the forward may still end
        engine.go_on.set()
        await task
        assert batcher.fault is None
        now[0] += 10_000
        assert batcher.fault is None, "idle counts as stuck"

    run(scenario, stall_seconds=300, clock=lambda: now[0])


def test_each_forward_of_a_batch_counts_as_progress() -> None:
    now = [0.0]

    class Slow(FakeEngine):
        def __init__(self, batcher: Batcher) -> None:
            super().__init__()
            self.batcher = batcher
            self.faults: list[str | None] = []

        def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
            now[0] += 8
            self.faults.append(self.batcher.fault)
            if len(waveforms) > 1:
                raise RuntimeError("the batch failed")
            return super().forward(waveforms, want)

    async def scenario(batcher: Batcher) -> None:
        engine = Slow(batcher)
        await asyncio.gather(*(batcher.submit(engine, clip(1), BEST) for _ in range(5)))
        assert engine.faults == [None] * 6

    run(scenario, stall_seconds=10, clock=lambda: now[0])


def test_a_window_that_times_out_in_the_queue_is_never_computed() -> None:
    async def scenario(batcher: Batcher) -> None:
        engine = Ends()
        engine.go_on.clear()
        running = asyncio.create_task(batcher.submit(engine, clip(1), BEST))
        await asyncio.to_thread(engine.running.wait, 20)
        with pytest.raises(QueueTimeout, match=r"longer than the limit of 0\.2 s") as caught:
            await batcher.submit(engine, clip(2), BEST)
        assert caught.value.retry_after_seconds >= 1
        assert batcher.n_queued == 0
        engine.go_on.set()
        assert len(await running) == 49, "a window that is being computed timed out"
        await batcher.submit(engine, clip(3), BEST)
        assert engine.lengths == [16000, 48000]

    run(scenario, queue_timeout_seconds=0.2)


def test_a_failing_observer_affects_no_result() -> None:
    class Fails:
        def stage(self, *args: Any) -> None: ...
        def transcribed(self, *args: Any) -> None: ...
        def batch(self, n_windows: int, seconds: float) -> None:
            raise RuntimeError("no space left")

    async def scenario(batcher: Batcher) -> None:
        for _ in range(2):
            assert len(await batcher.submit(FakeEngine(), clip(1), BEST)) == 49

    run(scenario, observer=Fails())


def test_an_engine_without_a_grid_fails_the_request() -> None:
    class NoGrid(FakeEngine):
        grid = None  # type: ignore[assignment]

        def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
            return [spell([1])] * len(waveforms)

    async def scenario(batcher: Batcher) -> None:
        with pytest.raises(InferenceFailed):
            await batcher.submit(NoGrid(), clip(1), BEST)

    run(scenario)
