"""A real server process, as a user starts it."""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import requests

ROOT = Path(__file__).parents[2]
START_SECONDS = 120
ANSWER_SECONDS = 60
"""Timeout of any response; generous, for busy machines."""


class Server:
    """``with Server("--demo") as server: requests.get(server.url + "/health")``."""

    def __init__(
        self,
        *flags: str,
        env: dict[str, str] | None = None,
        command: Sequence[str] = ("server_stt.py",),
    ) -> None:
        environment = {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "STT_DRAIN_DELAY_SECONDS": "0",
            **(env or {}),
        }
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.log: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, *command, *flags],
            cwd=ROOT,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        threading.Thread(target=self._read_log, daemon=True).start()
        self.url = ""

    def __enter__(self) -> "Server":
        found = self.wait_for_log(r"listening on http://[^:]+:(\d+)")
        self.url = f"http://127.0.0.1:{found.group(1)}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)

    def wait_for_log(self, pattern: str, seconds: float = START_SECONDS) -> re.Match[str]:
        """Wait for the next log line that matches."""
        deadline = time.monotonic() + seconds
        while True:
            line = self._lines.get(timeout=max(0.01, deadline - time.monotonic()))
            assert line is not None, "the server ended:\n" + "\n".join(self.log)
            if found := re.search(pattern, line):
                return found

    @property
    def wyoming_port(self) -> int:
        """The port for Wyoming, of a server that is ready."""
        (port,) = re.findall(r"listening on tcp://[^:]+:(\d+)", "\n".join(self.log))
        return int(port)

    def wait_until_ready(self, seconds: float = START_SECONDS) -> dict[str, object]:
        """The body of /health, once it is 200."""
        deadline = time.monotonic() + seconds
        try:
            while (response := self.get("/health", seconds)).status_code != 200:
                assert time.monotonic() < deadline, response.text
                time.sleep(0.1)
        except requests.ConnectionError as error:
            status, log = self.process.poll(), "\n".join(self.log)
            raise AssertionError(f"no answer, exit status {status}:\n{log}") from error
        body: dict[str, object] = response.json()
        return body

    def get(self, path: str, seconds: float = ANSWER_SECONDS) -> requests.Response:
        """GET."""
        return requests.get(self.url + path, timeout=seconds)

    def transcribe(self, file: Path, **form: str) -> requests.Response:
        """POST /transcribe, as the service's first clients do."""
        with file.open("rb") as handle:
            return requests.post(
                self.url + "/transcribe", files={"file": handle}, data=form, timeout=120
            )

    def stop(self) -> int:
        """Send SIGTERM and return the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def signal(self, number: int) -> None:
        """Send a signal without waiting."""
        self.process.send_signal(number)

    def _read_log(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.log.append(line.rstrip())
            self._lines.put(line)
        self._lines.put(None)
