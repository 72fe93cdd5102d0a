"""Optimised models of the shapes, made once: ``python -m benchmarks.optimized FOLDER PRECISION``.

What ``stt optimize`` makes, without its comparison: random weights have no text to compare.
"""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks.setting import ROOT
from stt.engines.openvino_cache import GRAPH_VERSION


def optimized_model(folder: Path, precision: str) -> Path:
    """A checkpoint's, made in a process of its own, whose memory is not measured."""
    target = optimized_folder(folder, precision)
    if not (target / "checkpoint.json").is_file():
        command = [sys.executable, "-m", "benchmarks.optimized", str(folder), precision]
        subprocess.run(command, cwd=ROOT, check=True)
    return target


def main() -> None:
    from benchmarks.timed_engine import recording
    from stt.engines.device import prepare_process
    from stt.types import SAMPLE_RATE

    folder, precision = Path(sys.argv[1]), sys.argv[2]
    prepare_process()
    from stt.engines.checkpoint import read_checkpoint
    from stt.engines.openvino_export import convert

    target = optimized_folder(folder, precision)
    target.mkdir(parents=True, exist_ok=True)
    clips = [recording(5 * SAMPLE_RATE, offset=30_011 * index) for index in range(8)]
    convert(read_checkpoint(folder), target, precision, clips)


def optimized_folder(folder: Path, precision: str) -> Path:
    """Where the graph and its weights lie; another version of either gets another folder."""
    name = f"{folder.name}-{precision}-{GRAPH_VERSION}-{version('openvino')}"
    return ROOT / "runs" / "shapes" / "optimized" / name


if __name__ == "__main__":
    main()
