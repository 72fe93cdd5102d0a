"""How long a short clip waits while a long recording is being transcribed.

``uv run python -m benchmarks.fairness --hours 1``

A two-second clip is sent again and again, alone at first, then beside a long recording, through
the service's own transcriber on a bundled model. What it waits should be a couple of windows.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.memory import write_recording
from benchmarks.setting import describe
from stt.engines.device import prepare_process
from stt.engines.torch import load_torch_engine


async def measure(hours: float, count: int) -> None:
    from stt.audio.reading import warming_clip
    from stt.inference.batcher import Batcher
    from stt.languages import BUNDLED_FOLDER
    from stt.recognition.pipeline import Transcriber
    from stt.settings import load_settings

    settings = load_settings()
    engine = load_torch_engine(BUNDLED_FOLDER / "ko-mini", device="cpu")
    batcher = Batcher()
    transcriber = Transcriber(batcher, settings)
    with tempfile.TemporaryDirectory() as folder:
        long, short = Path(folder) / "long.wav", Path(folder) / "short.wav"
        write_recording(long, hours * 3600)
        write_recording(short, 2)

        async def latency() -> float:
            started = time.perf_counter()
            with short.open("rb") as file:
                await transcriber.transcribe(file, engine)
            return time.perf_counter() - started

        await transcriber.transcribe(warming_clip(), engine)
        window = np.zeros(round(settings.window_seconds * 16_000), np.float32)
        window_times = []
        for _ in range(5):
            started = time.perf_counter()
            await batcher.submit(engine, window)
            window_times.append(time.perf_counter() - started)
        alone = [await latency() for _ in range(count)]
        with long.open("rb") as file:
            running = asyncio.create_task(transcriber.transcribe(file, engine))
            await asyncio.sleep(1)
            beside = [await latency() for _ in range(count) if not running.done()]
            still_running = not running.done()
            running.cancel()
            await asyncio.wait([running])
    transcriber.close()
    batcher.close()
    one_window = float(np.median(window_times))
    print(describe())
    print(f"\nOne window of {settings.window_seconds:g} s: {one_window * 1000:.0f} ms.")
    print("\n| 2 s clip | median | 95th percentile | worst |")
    print("|---|---|---|---|")
    for name, values in (("alone", alone), (f"beside {hours:g} h", beside)):
        milliseconds = 1000 * np.array(values)
        print(
            f"| {name} | {np.median(milliseconds):.0f} ms | "
            f"{np.percentile(milliseconds, 95):.0f} ms | {milliseconds.max():.0f} ms |"
        )
    extra = (np.median(beside) - np.median(alone)) / one_window
    print(
        f"\nThe median wait is {extra:.1f} windows; the long recording still ran: {still_running}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--count", type=int, default=40)
    options = parser.parse_args()
    prepare_process()
    asyncio.run(measure(options.hours, options.count))


if __name__ == "__main__":
    main()
