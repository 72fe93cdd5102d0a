"""What `stt doctor` measures on a GPU, with the CPU in its place."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from stt.commands.gpu_report import (
    HEADS,
    N_TIMES,
    ROWS,
    Speed,
    Texts,
    compare_texts,
    driver_version,
    measure,
    report,
    table_row,
)
from stt.engines.accelerator import Host
from stt.engines.gpus import Gpu, TorchGpus
from stt.engines.torch import TorchEngine, load_torch_engine
from stt.engines.wants import F, Want
from stt.types import Waveform
from tests.fakes import FakeEngine

DOCS = Path(__file__).parents[3] / "docs" / "benchmarks.md"


class Timed(FakeEngine):
    """Takes 0.01 s and a 4,000th of the audio, on its own clock; the first time of a size, 9 s."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.sizes: list[tuple[int, float]] = []

    def forward(self, waveforms: Sequence[Waveform], want: Want[F]) -> list[F]:
        size = len(waveforms), len(waveforms[0]) / 16000
        assert len({len(waveform) for waveform in waveforms}) == 1
        self.now += 9 if size not in self.sizes else 0.01 + size[0] * size[1] / 4000
        self.sizes.append(size)
        return []


def test_speed_is_the_median_after_the_first_forward() -> None:
    engine = Timed()
    speed = measure(engine, np.ones(16000, np.float32), lambda: engine.now)
    assert speed.rtfx == pytest.approx([rows * 20 / (0.01 + rows * 0.005) for rows in ROWS])
    assert speed.clip_seconds == pytest.approx(0.0125)
    assert engine.sizes[:: N_TIMES + 1] == [*((rows, 20) for rows in ROWS), (1, 10)]


def test_texts_of_all_bundled_recordings_are_compared() -> None:
    """The CPU in fp32, padded in batches as a GPU pads, says the same as one by one."""

    def load(folder: Path, where: str) -> TorchEngine:
        return load_torch_engine(folder, device="cpu", precision="fp32", pads=where != "cpu")

    assert compare_texts(load, "cuda:0") == Texts(12, 12)


def test_the_row_fits_the_table_of_the_benchmarks() -> None:
    gpu = Gpu("NVIDIA H200", (9, 0), 139 * 10**9, 141 * 10**9)
    speed = Speed((900.0, 3000.4, 5000.0, 6000.0), 0.0123)
    row = table_row(gpu, "580.95, 2.15.0", "ko-mini, bf16", speed, 812e6, Texts(11, 12))
    assert row == (
        "| NVIDIA H200, 141 GB, capability 9.0 | 580.95, 2.15.0 | ko-mini, bf16 | 900 | 3,000 | "
        "5,000 | 6,000 | 12.3 ms | 812 MB | 11 of 12 |"
    )
    assert row.count("|") == len(HEADS) + 1
    assert f"| {' | '.join(HEADS)} |" in DOCS.read_text(encoding="utf-8")


def test_the_report_is_a_table_row() -> None:
    class OneGpu(TorchGpus):
        def look(self, index: int) -> Gpu:
            assert index == 1
            return Gpu("A100", (8, 0), 70 * 10**9, 80 * 10**9)

    lines = report(
        "mine", Path("checkpoint"), lambda folder, where: FakeEngine(), "cuda:1", Host(), OneGpu()
    )
    _, heads, row = lines
    assert heads == f"| {' | '.join(HEADS)} |"
    assert row.startswith("| A100, 80 GB, capability 8.0 | ")
    assert "| mine, fp32 |" in row
    assert row.endswith("| 0 MB | 12 of 12 |")


def test_the_driver_is_named_if_there_is_one(tmp_path: Path) -> None:
    file = tmp_path / "version"
    assert driver_version(file) == "unknown"
    file.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  Tue Sep\nGCC")
    assert driver_version(file) == "580.95.05"
