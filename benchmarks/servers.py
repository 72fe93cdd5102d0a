"""The service and the naive app as real processes on loopback."""

import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.setting import ROOT
from benchmarks.workers import START_SECONDS, Memory, memory_of


@dataclass(frozen=True)
class Side:
    """How to start a server and which paths to probe."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    listening: str
    """Pattern of the log line with the port."""
    ready_path: str
    """Returns 200 once recordings can be sent."""
    alive_path: str
    """Path for a liveness probe."""


def ours(folder: Path, settings: Mapping[str, str]) -> Side:
    """This service with one checkpoint; ``settings`` are environment variables."""
    return Side(
        "ours",
        (str(ROOT / "server_stt.py"), "--host", "127.0.0.1", "--port", "0"),
        {"STT_LANGUAGES": "KR", "STT_MODELS": f"KR={folder}", **settings},
        listening=r"listening on http://[^:]+:(\d+)",
        ready_path="/readyz",
        alive_path="/livez",
    )


def demo(settings: Mapping[str, str]) -> Side:
    """This service with its bundled models; ``settings`` are environment variables."""
    return Side(
        "the service",
        (str(ROOT / "server_stt.py"), "--demo", "--host", "127.0.0.1", "--port", "0"),
        settings,
        listening=r"listening on http://[^:]+:(\d+)",
        ready_path="/readyz",
        alive_path="/livez",
    )


def naive(folder: Path, threads: int) -> Side:
    """The naive app."""
    return Side(
        "naive",
        ("-m", "uvicorn", "benchmarks.naive_app:app", "--port", "0", "--app-dir", str(ROOT)),
        {"MODEL": str(folder), "OMP_NUM_THREADS": str(threads)},
        listening=r"running on http://[^:]+:(\d+)",
        ready_path="/health",
        alive_path="/health",
    )


class Server:
    """A running, ready server."""

    def __init__(self, side: Side) -> None:
        """
        Raises:
            RuntimeError: It did not become ready; the message has the end of its log.
        """
        self.side = side
        self.log: list[str] = []
        """Lines of standard error."""
        self._ports: queue.Queue[str | None] = queue.Queue()
        started = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, *side.command],
            cwd=tempfile.gettempdir(),  # away from the .env of the project
            env={**os.environ, "PYTHONUNBUFFERED": "1", **side.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read_log, daemon=True).start()
        try:
            self.url = f"http://127.0.0.1:{self._port()}"
            self._wait_until_ready(started + START_SECONDS)
        except BaseException:
            self.close()
            raise
        self.start_seconds = time.perf_counter() - started

    def _read_log(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self.log.append(line.rstrip())
            if found := re.search(self.side.listening, line):
                self._ports.put(found[1])
        self._ports.put(None)

    def _port(self) -> str:
        port = self._ports.get(timeout=START_SECONDS)
        if port is None:
            raise self._ended()
        return port

    def _wait_until_ready(self, deadline: float) -> None:
        with httpx.Client(base_url=self.url, timeout=30) as client:
            while time.perf_counter() < deadline and self._process.poll() is None:
                with suppress(httpx.HTTPError):
                    if client.get(self.side.ready_path).status_code == 200:
                        return
                time.sleep(0.05)
        raise self._ended()

    def _ended(self) -> RuntimeError:
        return RuntimeError(f"{self.side.name} did not start:\n" + "\n".join(self.log[-20:]))

    @property
    def process_id(self) -> int:
        """Of the main process."""
        return self._process.pid

    def stop(self, signal_number: int, timeout_seconds: float = 60) -> int:
        """Send a signal and return the exit status."""
        self._process.send_signal(signal_number)
        return self._process.wait(timeout_seconds)

    def memory(self) -> Memory:
        """Memory of the process and its children."""
        return memory_of(self._process.pid)

    def close(self) -> None:
        """Stop the server."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
