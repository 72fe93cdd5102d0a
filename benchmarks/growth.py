"""Resident memory over many uploads of random length: it should be level once it is warm.

``uv run --group training python -m benchmarks.growth --uploads 2000 --plot growth.png``

Every length is new to the libraries below, which like to keep something for each that they see.
"""

import argparse
import random
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path

import httpx
import numpy as np

from benchmarks import report
from benchmarks.load import FORMATS, Upload, make_upload, send
from benchmarks.resources import Family, Sample
from benchmarks.servers import Server, demo
from benchmarks.setting import describe

EVERY = 20
"""Uploads from one sample to the next."""


def uploads(count: int, max_seconds: float, seed: int):  # type: ignore[no-untyped-def]
    """Speech of random lengths, in all formats."""
    rng = random.Random(seed)
    for _ in range(count):
        seconds = rng.uniform(0.1, max_seconds)
        yield make_upload(rng.choice(list(FORMATS)), seconds, rng.randrange(10**6))


def measure(server: Server, options: argparse.Namespace) -> list[Sample]:
    """Send them all, some at a time; a sample every so many."""
    family, began = Family(server.process_id), time.monotonic()
    samples = [family.look(0, 0)]
    coming = uploads(options.uploads, options.max_seconds, options.seed)
    with (
        httpx.Client(base_url=server.url, timeout=300) as client,
        ThreadPoolExecutor(options.clients) as senders,
    ):

        def post(upload: Upload) -> None:
            send(client, upload).raise_for_status()

        while some := list(islice(coming, EVERY)):
            list(senders.map(post, some))
            n_done = samples[-1].n_answers + len(some)
            samples.append(family.look(time.monotonic() - began, n_done))
            if n_done % 200 == 0:
                print(f"{n_done} uploads, {samples[-1].server:.0f} MB", file=sys.stderr, flush=True)
    return samples


def growth(samples: Sequence[Sample], after: int) -> tuple[float, float]:
    """MB for a thousand uploads by a line through those after so many; and last less first."""
    warm = [each for each in samples if each.n_answers >= after]
    counts, memory = [each.n_answers for each in warm], [each.server for each in warm]
    return float(np.polyfit(counts, memory, 1)[0] * 1000), memory[-1] - memory[0]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--uploads", type=int, default=2000)
    parser.add_argument("--after", type=int, default=400, help="uploads until it counts as warm")
    parser.add_argument("--max-seconds", type=float, default=10.0, help="of the longest one")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path, help="write a picture here (PNG)")
    options = parser.parse_args(arguments)
    report.check_plot(options.plot)
    if options.uploads < options.after + 2 * EVERY:
        parser.error(f"--uploads must be at least {options.after + 2 * EVERY}, for a line")
    with closing(Server(demo({}))) as server:
        samples = measure(server, options)
    slope, difference = growth(samples, options.after)
    warm = next(each for each in samples if each.n_answers >= options.after)
    print(describe() + "\n")
    print(
        f"Resident when ready {samples[0].server:.0f} MB, after {warm.n_answers} uploads "
        f"{warm.server:.0f} MB, after {samples[-1].n_answers} {samples[-1].server:.0f} MB "
        f"({difference:+.0f} MB); from {warm.n_answers} on {slope:+.1f} MB for 1,000 uploads. "
        f"Descriptors {samples[0].own_descriptors} and {samples[-1].own_descriptors}."
    )
    if options.plot:
        lines = {"service": [(each.n_answers, each.server) for each in samples]}
        title = f"Uploads of random length, up to {options.max_seconds:g} s"
        report.plot_lines(options.plot, title, ("uploads", "resident, MB"), lines)


if __name__ == "__main__":
    main()
