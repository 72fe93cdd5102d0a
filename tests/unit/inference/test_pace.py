"""When the next batch is chosen, by hand-sized examples on a clock that stands still."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence

import pytest

from stt.engines.limits import limits_of
from stt.engines.wants import BEST, F, Want
from stt.frames import Frames
from stt.inference.batcher import Batcher
from stt.inference.fairness import LIVE, current_client
from stt.inference.pace import LEAD_SECONDS, RISE, Pace
from stt.types import Waveform
from tests.fakes import FakeEngine
from tests.unit.inference.test_batcher import clip


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def learnt(clock: Clock, *, seconds: float, padded: float = 160) -> Pace:
    """A pace that knows how long one batch takes."""
    pace = Pace(clock)
    flight = pace.began("engine", padded)
    clock.now += seconds
    assert pace.ended(flight) == pytest.approx(seconds)
    return pace


def test_the_next_batch_is_due_just_before_the_device_is_free() -> None:
    clock = Clock()
    pace = learnt(clock, seconds=0.4)
    assert pace.seconds_until_next() == 0
    first = pace.began("engine", 160)
    assert pace.seconds_until_next() == pytest.approx(0.4 - LEAD_SECONDS)
    clock.now += 0.3
    assert pace.seconds_until_next() == pytest.approx(0.1 - LEAD_SECONDS)
    clock.now += 0.095
    assert pace.seconds_until_next() == 0
    second = pace.began("engine", 160)
    assert pace.n_flying == 2
    clock.now += 0.005
    assert pace.ended(first) == pytest.approx(0.4)
    assert pace.seconds_until_next() == pytest.approx(0.4 - LEAD_SECONDS)
    clock.now += 0.4
    assert pace.ended(second) == pytest.approx(0.4), "the wait for the first counts as computing"


def test_nothing_waits_behind_a_batch_of_unknown_duration() -> None:
    pace = learnt(Clock(), seconds=0.4)
    pace.began("engine", 20)
    assert pace.seconds_until_next() == 0


def test_a_slow_first_batch_is_soon_forgotten_and_a_slow_later_one_counts_in_part() -> None:
    clock = Clock()
    pace = learnt(clock, seconds=9.0)
    for seconds, expected in ((0.4, 0.4), (0.5, 0.4 + RISE * 0.1)):
        flight = pace.began("engine", 160)
        clock.now += seconds
        pace.ended(flight)
        probe = pace.began("engine", 160)
        assert probe.expected_seconds == pytest.approx(expected)
        pace.seconds_until_next()
        pace._flights.remove(probe)


def test_two_batches_that_end_together_change_little() -> None:
    clock = Clock()
    pace = learnt(clock, seconds=0.4)
    first, second = pace.began("engine", 160), pace.began("engine", 160)
    clock.now += 0.8
    assert pace.ended(second) == pytest.approx(0.8)
    assert pace.ended(first) == 0.0


class Device(FakeEngine):
    """A GPU that ends its batches, in order, when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.limits = limits_of("cuda:0")
        self.batches: list[list[float]] = []
        self.may_end = threading.Semaphore(0)

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        self.batches.append([len(waveform) / 16000 for waveform in waveforms])
        assert self.may_end.acquire(timeout=20)
        return super().forward(waveforms, want)


class Told(Pace):
    """Says that the device is busy until it is told otherwise."""

    is_due = True

    def seconds_until_next(self) -> float:
        return 0.0 if self.is_due or not self.n_flying else 3600.0


def run(scenario: Callable[[Batcher, Device, Told], Awaitable[None]]) -> Device:
    device = Device()

    async def main() -> None:
        pace = Told()
        batcher = Batcher(pace=pace)
        try:
            await asyncio.wait_for(scenario(batcher, device, pace), 30)
        finally:
            device.may_end.release(99)
            batcher.close()

    asyncio.run(main())
    return device


def submit(
    batcher: Batcher, device: Device, seconds: float, client: str = ""
) -> asyncio.Task[Frames]:
    current_client.set(client)
    return asyncio.create_task(batcher.submit(device, clip(seconds), BEST))


async def until(device: Device, n_batches: int) -> None:
    while len(device.batches) < n_batches:
        await asyncio.sleep(0.005)


def test_a_gpu_has_two_batches_in_flight_and_never_three() -> None:
    async def scenario(batcher: Batcher, device: Device, pace: Told) -> None:
        tasks = []
        for seconds in (1, 2, 3, 4):
            tasks.append(submit(batcher, device, seconds))
            await until(device, min(2, len(tasks)))
        await asyncio.sleep(0.05)
        assert device.batches == [[1], [2]]
        device.may_end.release()
        await until(device, 3)
        assert device.batches == [[1], [2], [3, 4]]
        device.may_end.release(9)
        await asyncio.gather(*tasks)
        assert len(device.threads) == 2

    run(scenario)


def test_windows_gather_until_the_next_batch_is_due() -> None:
    async def scenario(batcher: Batcher, device: Device, pace: Told) -> None:
        pace.is_due = False
        tasks = [submit(batcher, device, 1)]
        await until(device, 1)
        tasks += [submit(batcher, device, 2) for _ in range(3)]
        await asyncio.sleep(0.05)
        assert device.batches == [[1]]
        device.may_end.release()
        await until(device, 2)
        assert device.batches == [[1], [2, 2, 2]]
        device.may_end.release(9)
        await asyncio.gather(*tasks)

    run(scenario)


def test_live_windows_go_into_the_next_batch_that_is_chosen() -> None:
    async def scenario(batcher: Batcher, device: Device, pace: Told) -> None:
        tasks = [submit(batcher, device, 20, "file")]
        await until(device, 1)
        tasks.append(submit(batcher, device, 20, "file"))
        await until(device, 2)
        tasks += [submit(batcher, device, 20, f"file {n}") for n in range(40)]
        tasks.append(submit(batcher, device, 3, "somebody" + LIVE))
        await asyncio.sleep(0.02)
        device.may_end.release()
        await until(device, 3)
        assert device.batches[:3] == [[20], [20], [3]]
        device.may_end.release(99)
        await asyncio.gather(*tasks)

    run(scenario)


def test_a_batch_that_fails_beside_another_does_not_disturb_it() -> None:
    class Fails(Device):
        def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
            results = super().forward(waveforms, want)
            if any(waveform[0] == 666 for waveform in waveforms):
                raise SystemExit
            return results

    device = Fails()

    async def main() -> None:
        batcher = Batcher(pace=Told())
        good = submit(batcher, device, 2)
        await until(device, 1)
        bad = asyncio.create_task(batcher.submit(device, clip(1, 666), BEST))
        await until(device, 2)
        device.may_end.release(99)
        assert len(await good) == 99
        with pytest.raises(Exception, match="thread died"):
            await bad
        assert len(await submit(batcher, device, 1)) == 49
        assert batcher.fault is None
        batcher.close()

    asyncio.run(asyncio.wait_for(main(), 30))
