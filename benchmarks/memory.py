"""Peak memory and speed by length of the recording: both should be flat.

``uv run python -m benchmarks.memory --seconds 180 10800``

Each length runs in a process of its own, through the service's own path from file to words, on a
bundled model. The recording is a WAV file of the samples in ``samples/``, again and again.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

import numpy as np

from benchmarks.setting import ROOT, describe


def write_recording(path: Path, seconds: float) -> None:
    """Speech from ``samples/``, repeated; written in pieces, so that this costs no memory."""
    import librosa

    speech = np.concatenate(
        [
            librosa.load(file, sr=16_000, mono=True)[0]
            for file in sorted((ROOT / "samples").glob("ko-*"))
            if file.suffix in (".wav", ".flac", ".ogg", ".mp3")
        ]
    )
    samples = (speech * 32767).astype("<i2").tobytes()
    missing = round(seconds * 16_000) * 2
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        while missing > 0:
            file.writeframesraw(samples[:missing])
            missing -= len(samples)


async def transcribe(path: Path) -> dict[str, float]:
    """Transcribe once warm; return seconds, words and memory in MB."""
    import resource

    import psutil

    from stt.audio.reading import warming_clip
    from stt.engines.torch import load_torch_engine
    from stt.inference.batcher import Batcher
    from stt.languages import BUNDLED_FOLDER
    from stt.recognition.pipeline import Transcriber
    from stt.settings import load_settings

    engine = load_torch_engine(BUNDLED_FOLDER / "ko-mini", device="cpu")
    batcher = Batcher()
    transcriber = Transcriber(batcher, load_settings())
    await transcriber.transcribe(warming_clip(), engine)
    before = psutil.Process().memory_info().rss / 1e6
    started = time.perf_counter()
    with path.open("rb") as file:
        transcript = await transcriber.transcribe(file, engine)
    seconds = time.perf_counter() - started
    transcriber.close()
    batcher.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return {
        "audio": transcript.duration_seconds,
        "seconds": seconds,
        "words": len(transcript.words),
        "before": before,
        "peak": peak,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, nargs="+", default=[180, 10_800])
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        from stt.engines.device import prepare_process

        prepare_process()
        print(json.dumps(asyncio.run(transcribe(options.one))))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for seconds in options.seconds:
            path = Path(folder) / "recording.wav"
            write_recording(path, seconds)
            output = subprocess.run(
                [sys.executable, "-m", "benchmarks.memory", "--one", str(path)],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            rows.append(json.loads(output.splitlines()[-1]))
    print(describe())
    print("\n| audio | words | x real time | resident when warm | peak |")
    print("|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['audio']:.0f} s | {row['words']} | {row['audio'] / row['seconds']:.0f} | "
            f"{row['before']:.0f} MB | {row['peak']:.0f} MB |"
        )
    peaks = [row["peak"] for row in rows]
    print(f"\nPeaks differ by {max(peaks) - min(peaks):.0f} MB.")


if __name__ == "__main__":
    main()
