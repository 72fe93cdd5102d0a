"""Processes that stay up and do one thing at a time when asked to.

What is measured shares nothing with its rivals but the machine: each engine has its own process,
libraries, threads and memory, and only one of them computes at a time, so that they can take turns
in one run and see the same neighbours.
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
    """What was asked for cannot be measured here; the message says why, and what to install."""


class Worker:
    """``make(*arguments)`` in a process of its own; `ask` calls a method of what it made."""

    def __init__(self, make: Callable[..., object], *arguments: object) -> None:
        """
        Raises:
            Unavailable: it could not be made.
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
        """What the method returns.

        Raises:
            RuntimeError: it raised, or its process has ended.
        """
        self._connection.send((method, arguments))
        return self._receive()

    def _receive(self) -> Any:
        try:
            failed, outcome = self._connection.recv()
        except EOFError:
            self._process.join(10)
            raise RuntimeError(
                f"its process ended (exit code {self._process.exitcode}); was there memory enough?"
            ) from None
        if failed:
            raise RuntimeError(outcome)
        return outcome

    def close(self) -> None:
        """End the process."""
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
    """Why something cannot be measured here, in a line."""
    if isinstance(error, ImportError) and error.name:
        package = error.name.partition(".")[0]
        return f"the package {package} is not installed (`uv pip install {package}`)"
    return " ".join(str(error).split())[:300] or type(error).__name__


def use_threads(count: int) -> None:
    """Keep this process to so many cores; called before torch or OpenVINO are imported.

    Both count the cores that they may use, so neither needs to be told by a name of its own.
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
    """The most that was ever resident."""


def memory_of(process_id: int | None = None) -> Memory:
    """Memory of a process and its children, or of this one."""
    process = psutil.Process(process_id)
    family = [process, *(process.children(recursive=True) if process_id else [])]
    resident = peak = 0.0
    for member in family:
        try:
            now = member.memory_info().rss / 1e6
            status = Path(f"/proc/{member.pid}/status")
            text = status.read_text(encoding="ascii") if status.exists() else ""
        except (psutil.NoSuchProcess, OSError):
            continue  # a child that has ended since
        found = re.search(r"^VmHWM:\s+(\d+) kB$", text, re.MULTILINE)
        resident += now
        peak += int(found[1]) * 1024 / 1e6 if found else now
    return Memory(resident, peak)
