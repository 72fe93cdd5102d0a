"""The simulated GPU and decoder, and the command."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from benchmarks.gpu import SimulatedBlocks, SimulatedGpu, main
from stt.engines.wants import BEST


def test_batches_are_computed_one_after_the_other() -> None:
    device = SimulatedGpu(rtfx=200, launch_seconds=0.001, batches_in_flight=2)
    clip = np.zeros(10 * 16000, np.float32)
    started = time.perf_counter()
    with ThreadPoolExecutor(2) as threads:
        for future in [threads.submit(device.forward, [clip], BEST) for _ in range(4)]:
            [frames] = future.result()
            assert len(frames) == device.grid.n_frames(len(clip))
    assert time.perf_counter() - started >= 4 * 10 / 200
    assert device.busy_seconds == pytest.approx(4 * 10 / 200)
    assert device.rows == [1] * 4


def test_a_decoder_has_all_samples_and_its_speed() -> None:
    started = time.perf_counter()
    blocks = list(SimulatedBlocks(20.5, rtfx=200))
    assert time.perf_counter() - started >= 20.5 / 200
    assert sum(map(len, blocks)) == round(20.5 * 16000)


def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--scale", "0.05", "--decode-rtfx", "5000"])
    out = capsys.readouterr().out
    assert "Commit: " in out
    assert out.count("one file of an hour") == 2
