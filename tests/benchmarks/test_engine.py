"""The engine benchmark as a user runs it, on a bundled model."""

import re
import subprocess
import sys

import pytest

from benchmarks.engine import LONGEST_SECONDS, SHORTEST_SECONDS, random_lengths
from benchmarks.setting import ROOT
from stt.types import SAMPLE_RATE


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=220
    )


def test_random_lengths_are_distinct_and_reproducible() -> None:
    lengths = random_lengths(500)
    assert len(set(lengths)) == 500
    assert lengths == random_lengths(500)
    assert min(lengths) >= SHORTEST_SECONDS * SAMPLE_RATE
    assert max(lengths) < LONGEST_SECONDS * SAMPLE_RATE


def test_wrong_options_are_rejected_before_loading() -> None:
    ended = run("-m", "benchmarks.engine", "--shape", "ko-mini", "--rounds", "0")
    assert ended.returncode == 2
    assert "--rounds must be at least 1" in ended.stderr


@pytest.mark.slow
def test_engines_are_compared_and_missing_ones_named() -> None:
    ended = run(
        "-m", "benchmarks.engine", "--shape", "ko-mini", "--audio-seconds", "1", "2",
        "--engines", "naive", "onnxruntime-fp32", "onnxruntime-int8", "torch-fp32", "abacus-fp32",
        "--rounds", "1", "--threads", "1",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert re.search(r"abacus-fp32 is skipped: .*abacus", ended.stderr)
    assert "Commit: " in ended.stdout
    assert "Rates of matrix products, medians: fp32 " in ended.stdout
    for engine in ("naive", "onnxruntime-fp32", "onnxruntime-int8", "torch-fp32"):
        unit = engine[-4:] if engine.endswith("int8") else "fp32"
        for length in (1, 2):
            assert re.search(rf"^\| {engine} \| {length} s \| .*% {unit} \|$", ended.stdout, re.M)
    assert re.search(r"^\| torch-fp32 \| 100.00% \| .* frames \| right \|$", ended.stdout, re.M)
    assert len(re.findall(r"^\| torch-fp32 \|.* MB \|$", ended.stdout, re.M)) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (("--lengths", "2"), r"^\| torch-fp32 \| .*% \|"),
        (("--memory-lengths", "10"), r"^\| torch-fp32 \| \d+ MB \|.* [+-]\d+ MB \|$"),
        (("--flat", "5", "45", "--rounds", "1"), r"^torch-fp32: within ±\d+\.\d%\.$"),
    ],
)
def test_every_mode_prints_its_table(mode: tuple[str, ...], expected: str) -> None:
    ended = run("-m", "benchmarks.engine", "--shape", "ko-mini", "--engines", "torch-fp32", *mode)
    assert ended.returncode == 0, ended.stderr
    assert re.search(expected, ended.stdout, re.M), ended.stdout
