"""The reports and faults of the soak; the soak itself takes minutes."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from benchmarks.attacks import Attacks
from benchmarks.faults import Family, Faults, Sample, growth_table, plot, slope
from benchmarks.ledger import MARGIN_SECONDS, Ledger, Outcome
from benchmarks.soak import good_clips, log_counts, parse, summary
from benchmarks.traffic import Traffic
from tests.live import live


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def sample(seconds: float, server: float, n_answers: int = 0, n_workers: int = 4) -> Sample:
    return Sample(seconds, n_answers, server, 2 * server, n_workers, 20 + n_workers, 3, 8)


def test_a_fault_explains_only_answers_of_its_time_and_code() -> None:
    clock, told = Clock(), list[str]()
    ledger = Ledger(clock, told.append)
    failed = Outcome("400 decode_failed", right=False, detail="a clip")

    def answer(began: float, ended: float, outcome: Outcome = failed) -> None:
        clock.now = ended
        ledger.add("native", outcome, began)

    answer(90, 95)  # before
    clock.now = 100
    with ledger.season("decode_failed"):
        answer(90, 101)  # during
        answer(101, 102, Outcome("500 internal_error", right=False))
        answer(101, 103, Outcome("200", right=True))
        clock.now = 110
    answer(105, 120)  # begun during
    answer(110 + MARGIN_SECONDS / 2, 121)  # begun just after
    answer(110 + 2 * MARGIN_SECONDS, 122)  # too late
    assert ledger.excused == {"400 decode_failed": 3}
    assert ledger.unexplained == {
        "native: 400 decode_failed": 2,
        "native: 500 internal_error": 1,
    }
    assert ledger.total == 7
    assert ledger.durations["native"] == [2]
    assert told == ledger.kept
    assert told[0] == "native: 400 decode_failed after 5.0 s a clip"
    row = ledger.table().splitlines()[2]
    assert row.startswith("| native | 7 | 5 × 400 decode_failed, 1 × 500 internal_error, 1 × 200 |")
    assert row.endswith("| 3 |")


def test_slopes_use_samples_after_warming() -> None:
    cold = [sample(second, 100 + second) for second in range(0, 600, 5)]
    warm = [sample(second, 700 + (second - 600) / 360) for second in range(600, 1800, 5)]
    assert slope([*cold, *warm], "server", 600) == pytest.approx(10)
    assert slope(cold[:1], "server", 0) != slope(cold[:1], "server", 0)  # not a number
    table = growth_table([*cold, *warm], 600)
    assert "| service | 100 MB | 700 MB | 703 MB | 703 MB | +10.0 MB/h |" in table
    assert sample(0, 1, n_workers=3).own_descriptors == sample(0, 1, n_workers=1).own_descriptors


def test_log_lines_above_info_are_counted_by_prefix() -> None:
    lines = [
        '{"level": "info", "message": "POST /transcribe 200"}',
        '{"level": "warning", "message": "a reader process failed: died of SIGKILL"}',
        '{"level": "warning", "message": "a reader process failed: no block within 20 s"}',
        "Traceback (most recent call last):",
    ]
    assert log_counts(lines) == {
        "warning: a reader process failed": 2,
        "not JSON: Traceback (most recent call last):": 1,
    }


DECODES = """
import sys
from io import BytesIO
from stt.audio.pool import ReaderPool
from stt.errors import DecodeFailed
from stt.settings import load_settings
from tests.audio_files import tones, with_libsndfile
pool = ReaderPool(load_settings())
clip = with_libsndfile(tones(0.5, 16_000), 16_000, "WAV")
for _ in sys.stdin:
    try:
        print(sum(map(len, pool.read(BytesIO(clip), max_seconds=10))), flush=True)
    except DecodeFailed:
        print("failed", flush=True)
"""


def test_killed_workers_and_templates_are_replaced() -> None:
    """The process under test decodes once per input line."""
    service = subprocess.Popen(
        [sys.executable, "-c", DECODES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert service.stdin and service.stdout

    async def check() -> bool:
        print(file=service.stdin, flush=True)
        return service.stdout is not None and service.stdout.readline() == "8000\n"

    family = Family(service.pid)
    faults = run_faults(family, Ledger(), check, n=3)
    assert faults.survived == {"worker killed": 1, "all workers killed": 1, "template killed": 1}
    assert not faults.not_survived
    assert len(faults.recoveries) == 3
    seen = family.look(1.5, 7)
    assert (seen.seconds, seen.n_answers, seen.n_workers) == (1.5, 7, 1)
    assert seen.below > seen.server / 2
    service.stdin.close()
    service.wait(30)
    service.stdout.close()


def run_faults(
    family: Family, ledger: Ledger, check: Callable[[], Awaitable[bool]], n: int
) -> Faults:
    class NoStops(random.Random):
        """Each quick kind in turn."""

        kinds = iter(["worker killed", "all workers killed", "template killed"])

        def choices(self, *_: object, **__: object) -> list[str]:  # type: ignore[override]
            return [next(self.kinds)]

    faults = Faults(family, ledger, check, NoStops())

    async def inject() -> None:
        for _ in range(n):
            assert await check()
            await faults.inject()

    asyncio.run(inject())
    return faults


def test_the_summary_names_unexplained_answers() -> None:
    ledger = Ledger()
    ledger.add("live", Outcome("closed 1011", right=False), ledger.clock())

    class Run:
        def __init__(self) -> None:
            self.ledger = ledger
            self.faults = Faults(Family(os.getpid()), ledger, None, random.Random())  # type: ignore[arg-type]

    run = Run()
    run.faults.survived["worker killed"] = 2
    run.faults.recoveries = [0.1, 2.5]
    text = summary(run, sample(0, 1), sample(9, 1), [0.01] * 99 + [1.0], 0)  # type: ignore[arg-type]
    assert "- Answers: 1; unexplained: 1 × live: closed 1011" in text
    assert "2 × worker killed; not survived: 0;" in text
    assert "at most 2.5 s" in text
    assert "100 probes, 0 failed, p50 10 ms" in text


def test_clips_cover_all_formats_and_lengths() -> None:
    clips = good_clips()
    assert len({clip.name for clip in clips}) == len(clips) > 35
    assert {clip.lang for clip in clips} == {"KR", "EN"}
    assert sum(bool(clip.pcm) for clip in clips) == 12


def test_the_warm_up_defaults_to_a_fifth_of_the_run() -> None:
    assert parse(["--minutes", "10"]).warm_minutes == 2
    with pytest.raises(SystemExit):
        parse(["--minutes", "0"])


def test_the_plot_is_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    samples = [sample(second, 500, n_answers=second * 3) for second in range(0, 100, 5)]
    plot(tmp_path / "soak.png", "a soak", samples, 20, faults=[30, 60])
    assert (tmp_path / "soak.png").read_bytes().startswith(b"\x89PNG")


def test_faults_touch_only_child_processes_of_the_service() -> None:
    child = psutil.Popen([sys.executable, "-c", "input()"], stdin=-1)
    try:
        family = Family(child.pid)
        assert family.template() is None
        assert family.workers() == []
        faults = run_faults(family, Ledger(), always, n=1)
        assert faults.times == []
    finally:
        child.kill()
        child.wait()


async def always() -> bool:
    return True


def test_attacks_get_the_answers_that_a_soak_expects() -> None:
    ledger = Ledger()

    async def attack(url: str) -> None:
        traffic = Traffic(url, "", ledger, [], [], 0)
        attacks = Attacks(url, "", traffic, ledger)
        async with traffic.client:
            for kind in attacks.kinds:
                if kind not in (attacks.silence, attacks.frames):  # these take seconds
                    await traffic.run(kind)

    with live() as running:
        asyncio.run(attack(running.url))
        assert running.n_inside == 0
    assert ledger.total == 6
    assert not ledger.unexplained, ledger.kept
