import math
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.report import Footprint, Percentiles, Timing
from benchmarks.workers import Memory

TIMINGS = [
    Timing("naive", "fp32", 10.0, 1, 400e9, 5.0, (4.0, 4.4, 3.9), (200e9, 100e9, 200e9)),
    Timing("torch-auto", "bf16", 10.0, 1, 400e9, 2.0, (1.6, 1.5, 1.7), (400e9,) * 3),
    Timing("openvino-int8", "int8", 10.0, 1, 400e9, 1.0, (0.8, 0.8, 0.8)),
]


def test_percentiles_of_known_durations() -> None:
    known = Percentiles.of([each / 100 for each in range(101)])
    assert (known.p50, known.p95, known.p99) == pytest.approx((0.5, 0.95, 0.99))
    assert Percentiles.of([2.0]) == Percentiles(2.0, 2.0, 2.0)
    assert math.isnan(Percentiles.of([]).p50)


def test_durations_have_three_digits_and_a_unit() -> None:
    shown = [report.seconds(each) for each in (0.00471, 0.0999, 0.99999, 12.345, math.nan)]
    assert shown == ["4.71 ms", "99.9 ms", "1 s", "12.3 s", "–"]


def test_ratios_use_medians_and_floors_use_the_precision_of_the_engine() -> None:
    assert report.ratios(TIMINGS)["torch-auto", 10.0] == pytest.approx(2.5)
    assert report.ratios(TIMINGS[1:]) == {}
    shares = report.floor_shares(TIMINGS)
    assert shares["naive", 10.0] == pytest.approx(400 / 200 / 3.9)  # of 0.5, 0.91 and 0.513
    assert shares["torch-auto", 10.0] == pytest.approx(1 / 1.6)
    assert ("openvino-int8", 10.0) not in shares  # its rate was not measured
    unknown = [replace(TIMINGS[0], rates=(0.0, 0.0, 0.0))]
    assert report.floor_shares(unknown) == {}
    assert report.floor_line(unknown).endswith("not measured.")


def test_the_tables_render() -> None:
    lines = report.speed_table(TIMINGS).splitlines()
    assert lines[2].startswith("| naive | 10 s | 4 s | 3.9 s – 4.4 s | 5 s | 2.5 | 1.00 | 51% fp32")
    assert lines[3].startswith("| torch-auto (bf16) | 10 s | 1.6 s |")
    assert lines[4].endswith("| 5.00 | – |")
    assert {line.count("|") for line in lines} == {9}
    memory = Memory(resident=1000.4, peak=2000)
    footprints = report.footprint_table([Footprint("naive", 7.0, memory, memory)])
    assert footprints.splitlines()[2] == "| naive | 7 s | 2000 MB | 1000 MB | 2000 MB |"
    line = report.floor_line(TIMINGS)
    assert "fp32 200 (100 to 200), bf16 400 (400 to 400) GFLOP/s. 10 s are 400.0 GFLOP." in line


def test_the_plots_are_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    report.plot_speed(tmp_path / "bars.png", "a shape", TIMINGS)
    report.plot_lines(tmp_path / "lines.png", "a shape", ("x", "y"), {"one": [(0, 1), (1, 2)]})
    for name in ("bars.png", "lines.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_an_unwritable_plot_exits_before_measuring(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"does not exist|matplotlib"):
        report.check_plot(tmp_path / "no folder" / "plot.png")
    report.check_plot(None)
