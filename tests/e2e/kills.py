"""Kills a service with SIGKILL while it runs jobs, starts it again, and counts what became of them.

``python -m tests.e2e.kills JOBS KILLS`` prints the figures.
"""

import json
import random
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import requests
import soundfile

from tests.e2e.server import Server

SAMPLES = Path(__file__).parents[2] / "samples"
FLAGS = (
    "--demo", "--languages", "KR", "--port", "0", "--host", "127.0.0.1", "--jobs-lease-seconds",
    "1", "--window-seconds", "4", "--context-seconds", "0.5", "--cut-search-seconds", "0.5",
)  # fmt: skip
"""Short windows, so that little audio has many."""
HOTWORDS = "서울,내일"
"""Of every other job: beam search, whose state depends on everything before."""
END_SECONDS = 300


@dataclass(frozen=True)
class Outcome:
    """What became of the jobs."""

    n_accepted: int
    """Jobs that were answered with 202."""
    n_unanswered: int
    """Requests during which the service was killed."""
    n_kills: int
    lost: list[str]
    """Accepted jobs that have no result."""
    twice: list[str]
    """Jobs whose end was logged or announced more than once."""
    different: list[str]
    """Jobs whose text is not that of an undisturbed run."""
    n_stored_at_kills: list[int]
    """Windows that were on the disk at each kill."""
    n_resumed: int
    """Windows that the last process did not compute again."""


def recording(folder: Path, index: int, n_samples: int) -> Path:
    """Several samples behind each other, in an order of its own."""
    path = folder / f"{index}.wav"
    names = sorted(path.name for path in SAMPLES.glob("ko-*.flac"))
    chosen = random.Random(index).choices(names, k=n_samples)
    read = [soundfile.read(SAMPLES / name, dtype="float32") for name in chosen]
    soundfile.write(path, np.concatenate([samples for samples, _ in read]), read[0][1])
    return path


def kill_while_running(n_jobs: int, n_kills: int, n_samples: int, seed: int = 0) -> Outcome:
    """Hand in jobs, kill the service again and again, and wait for the end of all jobs."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [recording(folder, index, n_samples) for index in range(n_jobs)]
        return _Torture(folder / "state", files, chance).run(n_kills)


class _Torture:
    def __init__(self, state: Path, files: list[Path], chance: random.Random) -> None:
        self._state, self._files, self._chance = state, files, chance
        self._accepted: dict[str, int] = {}
        """Index of the file, by job."""
        self._to_send = list(range(len(files)))
        self._n_unanswered = 0
        self._ends: Counter[str] = Counter()

    def run(self, n_kills: int) -> Outcome:
        stored = []
        for _ in range(n_kills):
            with self._server() as server:
                sending = threading.Thread(target=self._send, args=(server.url,))
                sending.start()
                stored.append(self._wait_for_windows())
                server.process.kill()
                server.process.wait(30)
                sending.join()
            self._read_log(server)
        with self._server() as server:
            self._send(server.url)
            texts = self._wait_for_ends(server)
            server.wait_until_ready()  # all jobs may have ended before
            different = self._compare(server, texts)
            resumed = _metric(server, "stt_job_windows_resumed_total")
            assert server.stop() == 0
        self._read_log(server)
        return Outcome(
            len(self._accepted), self._n_unanswered, n_kills,
            lost=[job for job in self._accepted if job not in texts],
            twice=[job for job, n in self._ends.items() if n > 1],
            different=different, n_stored_at_kills=stored, n_resumed=resumed,
        )  # fmt: skip

    def _server(self) -> Server:
        return Server(*FLAGS, env={"STT_STATE_DIR": str(self._state), "STT_LOG_FORMAT": "json"})

    def _send(self, url: str) -> None:
        """Hand in what is not accepted yet, until the service dies."""
        while self._to_send:
            index = self._to_send[0]
            form = {"hotwords": HOTWORDS} if index % 2 else {}
            try:
                with self._files[index].open("rb") as file:
                    answer = requests.post(
                        f"{url}/v1/jobs", files={"file": file}, data=form, timeout=60
                    )
            except requests.ConnectionError:
                self._n_unanswered += 1
                return
            assert answer.status_code == 202, answer.text
            self._accepted[answer.json()["id"]] = index
            self._to_send.pop(0)

    def _wait_for_windows(self) -> int:
        """Wait until some more windows are stored; returns how many there are."""
        wanted = self._count() + self._chance.randint(1, 6)
        deadline = time.monotonic() + 60
        while (n := self._count()) < wanted and time.monotonic() < deadline:
            time.sleep(0.005)
            if not self._to_send and self._all_ended():
                return n
        time.sleep(self._chance.random() * 0.1)
        return self._count()

    def _query(self, query: str) -> int:
        try:
            with sqlite3.connect(self._state / "jobs.sqlite3", timeout=10) as connection:
                return int(connection.execute(query).fetchone()[0])
        except sqlite3.OperationalError:  # not there yet
            return 0

    def _count(self) -> int:
        return self._query("SELECT count(*) FROM windows")

    def _all_ended(self) -> bool:
        return not self._query("SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')")

    def _wait_for_ends(self, server: Server) -> dict[str, str]:
        """The texts of all jobs that have succeeded, by job."""
        deadline = time.monotonic() + END_SECONDS
        while not self._all_ended():
            assert time.monotonic() < deadline, "\n".join(server.log[-20:])
            time.sleep(0.1)
        texts = {}
        for job in self._accepted:
            answer = server.get(f"/v1/jobs/{job}/result?response_format=verbose_json")
            if answer.status_code == 200:
                texts[job] = _without_times(answer.json())
        return texts

    def _compare(self, server: Server, texts: dict[str, str]) -> list[str]:
        """The jobs whose answer is not that of ``POST /transcribe``."""

        def is_different(job: str) -> bool:
            index = self._accepted[job]
            form = {"hotwords": HOTWORDS} if index % 2 else {}
            for _ in range(5):  # a busy machine may be too slow for a request, not for a job
                answer = server.transcribe(
                    self._files[index], response_format="verbose_json", **form
                )
                if answer.status_code == 200:
                    break
            assert answer.status_code == 200, answer.text
            return _without_times(answer.json()) != texts[job]

        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(is_different, texts))
        return [job for job, differs in zip(texts, found, strict=True) if differs]

    def _read_log(self, server: Server) -> None:
        for line in server.log:
            entry = json.loads(line) if line.startswith("{") else {}
            if entry.get("message") in ("job succeeded", "job failed"):
                self._ends[entry["job"]] += 1


def _without_times(body: dict[str, object]) -> str:
    """All but what a run's speed changes."""
    kept = {key: value for key, value in body.items() if key != "processing_time_seconds"}
    assert body["text"], body
    return json.dumps(kept, ensure_ascii=False, sort_keys=True)


def _metric(server: Server, name: str) -> int:
    for line in server.get("/metrics").text.splitlines():
        if line.startswith(f"{name} "):
            return int(float(line.split()[1]))
    raise AssertionError(f"no metric {name}")


if __name__ == "__main__":
    started = time.monotonic()
    print(kill_while_running(int(sys.argv[1]), int(sys.argv[2]), n_samples=10))
    print(f"{time.monotonic() - started:.0f} s")
