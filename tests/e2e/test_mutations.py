"""Tens of thousands of mutated uploads: no crash, no hang, no 5xx, no growth.

``uv run pytest -m slow -s tests/e2e/test_mutations.py``; STT_MUTATIONS=0.1 runs a tenth.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import islice

import numpy as np
import psutil
import pytest
import requests

from stt.audio.pool import ReaderPool
from stt.errors import SttError
from stt.server.problems import STATUSES
from stt.settings import load_settings
from tests.e2e.server import Server
from tests.hostile import Hostile
from tests.mutations import mutated

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

SHARE = float(os.environ.get("STT_MUTATIONS", "1"))
BY_HTTP, BY_POOL = round(20_000 * SHARE), round(20_000 * SHARE)
KNOWN = {error.code: status for error, status in STATUSES.items()}
GROWTH_MB = 30.0
"""Limit over the run after warm-up; leaking one upload in ten would be five times that."""


class ResourceMonitor:
    """Samples memory and file descriptors of a service and its child processes."""

    def __init__(self, service: psutil.Process, every: int) -> None:
        self._service = service
        self._every = every
        self._seen: list[tuple[int, float, float, int]] = []

    def look(self, n_done: int) -> None:
        """Take a sample every so many files."""
        if n_done % self._every == 0:
            below = self._service.children(recursive=True)
            # The template is the child that has children, the workers, which come and go.
            template = sum(each.memory_info().rss for each in below if each.children())
            self._seen.append(
                (n_done, self._service.memory_info().rss / 1e6, template / 1e6,
                 self._service.num_fds())
            )  # fmt: skip

    def growth(self) -> tuple[float, float, int]:
        """Growth of service and template (MB) and descriptors over the last three quarters."""
        late = np.array(self._seen[len(self._seen) // 4 :])
        n_done = late[-1, 0] - late[0, 0]
        service, template = (np.polyfit(late[:, 0], late[:, index], 1)[0] for index in (1, 2))
        return service * n_done, template * n_done, int(late[-1, 3] - late[:, 3].min())

    def __str__(self) -> str:
        first, last = self._seen[0], self._seen[-1]
        return (
            f"service {first[1]:.0f} -> {last[1]:.0f} MB, template {first[2]:.0f} -> "
            f"{last[2]:.0f} MB, descriptors {first[3]} -> {last[3]}; service at every eighth "
            f"{[round(self._seen[len(self._seen) * n // 8][1]) for n in range(8)]}"
        )


def run(
    files: Iterable[Hostile], send: Callable[[bytes], str], monitor: ResourceMonitor, threads: int
) -> Counter[str]:
    """Send all files, a few at a time; count the outcomes and print them."""
    found: Counter[str] = Counter()
    slowest, started = (0.0, ""), time.perf_counter()

    def timed(each: Hostile) -> tuple[str, float, str]:
        begun = time.perf_counter()
        return send(each.data), time.perf_counter() - begun, each.name

    files, n_done = iter(files), 0
    with ThreadPoolExecutor(threads) as senders:
        while some := list(islice(files, 50)):  # all at once would look like growth
            for code, seconds, name in senders.map(timed, some):
                found[code] += 1
                slowest = max(slowest, (seconds, name))
            n_done += len(some)
            monitor.look(n_done)
    seconds = time.perf_counter() - started
    print(
        f"\n{found.total()} files in {seconds:.0f} s: {dict(found)}; {monitor}; slowest {slowest}"
    )
    assert slowest[0] < 30
    return found


def test_mutated_files_in_the_decode_processes() -> None:
    pool = ReaderPool(load_settings())

    def send(data: bytes) -> str:
        try:
            for _ in pool.read(BytesIO(data), max_seconds=600):
                pass
        except SttError as error:
            return error.code
        return "ok"

    monitor = ResourceMonitor(psutil.Process(), every=200)
    found = run(mutated(BY_POOL, seed=10), send, monitor, threads=2)
    pool.close()
    assert found.total() == BY_POOL
    assert set(found) <= {"ok", "invalid_audio", "unsupported_format", "audio_too_long"}
    service, template, descriptors = monitor.growth()
    assert service < GROWTH_MB
    assert template < GROWTH_MB
    assert descriptors <= 4


def test_mutated_uploads_by_http() -> None:
    # Ten minutes of real audio would be no hang, but slow on a shared machine.
    flags = ("--demo", "--port", "0", "--max-audio-seconds", "60")
    with Server(*flags) as server, requests.Session() as session:
        server.wait_until_ready()

        def send(data: bytes) -> str:
            response = session.post(
                server.url + "/transcribe", files={"file": ("clip", data)}, timeout=60
            )
            if response.status_code == 200:
                assert isinstance(response.json()["text"], str)
                return "ok"
            body = response.json()
            assert response.status_code == KNOWN[body["code"]] < 500, body
            return str(body["code"])

        monitor = ResourceMonitor(psutil.Process(server.process.pid), every=50)
        found = run(mutated(BY_HTTP, seed=11), send, monitor, threads=4)
        assert found.total() == BY_HTTP
        assert set(found) <= {"ok", "invalid_audio", "unsupported_format", "audio_too_long"}
        assert server.wait_until_ready(5)["status"] == "ok"
        service, template, descriptors = monitor.growth()
        assert service < GROWTH_MB
        assert template < GROWTH_MB
        assert descriptors <= 8
        assert server.stop() == 0
        assert [line for line in server.log if '"level": "error"' in line] == []
