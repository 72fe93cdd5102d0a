"""Worker processes that run one call at a time.

Each engine has its own process, libraries, threads and memory. Only one computes at a time, so that
engines can take turns in one run and see the same load from other programs.
"""

import os
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

START_SECONDS = 900


class Unavailable(Exception):
    """Something cannot be measured on this machine. The message says why and what to install."""


class Worker:
    """Runs ``make(*arguments)`` in its own process; `ask` calls a method of the object made."""

    def __init__(self, make: Callable[..., object], *arguments: object) -> None:
        """
        Raises:
            Unavailable: ``make`` raised.
        """
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, make, arguments), daemon=True)
        self._process.start()
        theirs.close()
        try:
            self._receive()
        except Exception as error:
            self.close()
            raise Unavailable(str(error)) from None

    def ask(self, method: str, *arguments: object) -> Any:
        """Call a method and return its result.

        Raises:
            RuntimeError: The method raised, or the process ended.
        """
        self._connection.send((method, arguments))
        return self._receive()

    def _receive(self) -> Any:
        try:
            failed, outcome = self._connection.recv()
        except EOFError:
            self._process.join(10)
            raise RuntimeError(
                f"the worker ended (exit code {self._process.exitcode}), perhaps out of memory"
            ) from None
        if failed:
            raise RuntimeError(outcome)
        return outcome

    def close(self) -> None:
        """Stop the process."""
        self._connection.close()
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _work(connection: Connection, make: Callable[..., object], arguments: tuple[object]) -> None:
    try:
        host = make(*arguments)
    except Exception as error:
        connection.send((True, explain(error)))
        return
    connection.send((False, None))
    while True:
        try:
            method, arguments = connection.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            outcome = (False, getattr(host, method)(*arguments))
        except Exception as error:
            traceback.print_exc()
            outcome = (True, explain(error))
        connection.send(outcome)


def explain(error: Exception) -> str:
    """One line that says why something cannot be measured."""
    if isinstance(error, ImportError) and error.name:
        package = error.name.partition(".")[0]
        return f"the package {package} is not installed (`uv pip install {package}`)"
    return " ".join(str(error).split())[:300] or type(error).__name__


def use_threads(count: int) -> None:
    """Limit this process to ``count`` cores. Call before importing torch or OpenVINO.

    Both libraries count the available cores, so neither needs a setting of its own.
    """
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        if count < len(cores):
            os.sched_setaffinity(0, cores[:count])


@dataclass(frozen=True)
class Memory:
    """Memory of one process, in MB (10^6 bytes)."""

    resident: float
    peak: float
    """The largest resident size so far."""


def memory_of(process_id: int | None = None) -> Memory:
    """Memory of a process and its children, or of this process alone."""
    process = psutil.Process(process_id)
    family = [process, *(process.children(recursive=True) if process_id else [])]
    resident = peak = 0.0
    for member in family:
        try:
            now = member.memory_info().rss / 1e6
            status = Path(f"/proc/{member.pid}/status")
            text = status.read_text(encoding="ascii") if status.exists() else ""
        except (psutil.NoSuchProcess, OSError):
            continue  # the child has ended
        found = re.search(r"^VmHWM:\s+(\d+) kB$", text, re.MULTILINE)
        resident += now
        peak += int(found[1]) * 1024 / 1e6 if found else now
    return Memory(resident, peak)
