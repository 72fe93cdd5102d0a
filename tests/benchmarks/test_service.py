"""The service benchmark as a user runs it: both servers as real processes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.servers import Server, Side
from benchmarks.setting import ROOT


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_both_sides_are_measured_through_http(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    plot = tmp_path / "plot.png"
    ended = subprocess.run(
        [
            sys.executable, "-m", "benchmarks.service", "--shape", "ko-mini", "--rounds", "1",
            "--audio-seconds", "2", "--at-once", "1", "3", "--requests", "2", "--bare", "1",
            "--formats", "wav", "flac", "--engine", "torch-fp32", "--plot", str(plot),
        ],
        cwd=ROOT, capture_output=True, text=True, timeout=560,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    for side in ("ours", "naive"):
        for at_once, answered in ((1, 2), (3, 3)):
            row = rf"^\| {side} \| {at_once} \| {answered} \| .*% \| .* \| none \|$"
            assert re.search(row, ended.stdout, re.M), ended.stdout
        assert re.search(rf"^\| {side} \| \S+ m?s \| \d+ MB \|", ended.stdout, re.M)
    assert "The sides' texts differ in 0.0% of the characters." in ended.stdout
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_a_server_that_fails_to_start_reports_its_log() -> None:
    side = Side("broken", ("-c", "raise SystemExit('no such model')"), {}, "never", "/", "/")
    with pytest.raises(RuntimeError, match="broken did not start:\nno such model"):
        Server(side)
