"""Handles for the reader processes: starts, drives and kills them."""

import io
import json
import logging
import os
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO

import numpy as np
import psutil
from numpy.typing import NDArray

from stt.audio.worker import (
    END,
    FORK,
    HEADER,
    N_CHANNELS,
    PROCESS,
    REQUEST,
    SECONDS,
    SEND_BYTES,
    WAIT,
    Kind,
)
from stt.errors import AudioError, DecodeFailed, Overloaded, errors_by_code
from stt.notices import Code, Notice, Report
from stt.types import Waveform

logger = logging.getLogger(__name__)

START_SECONDS = 120.0
"""Limit on the template's imports before its first worker; they take seconds."""
ANSWER_SECONDS = 5.0
"""A template that neither answers nor, while it imports, computes for so long is stuck."""
MAX_MESSAGE_BYTES = 16 * 2**20
ERRORS = errors_by_code(AudioError)
KEPT_VARIABLES = ("PATH", "HOME", "TMPDIR", "LANG", "LC_", "LD_", "NUMBA_", "LIBROSA_", "TZ")
"""Prefixes of the environment variables that workers get; keys and tokens are not among them."""


class Template:
    """The process that workers are forked from."""

    def __init__(self, target: str, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._asking = threading.Lock()
        self._has_answered = self._is_stuck = False
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        _limit_wait(self._control, answer_seconds)
        with theirs:
            descriptor = theirs.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "stt.audio.worker", str(descriptor), target],
                pass_fds=[descriptor],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=worker_environment(),
                start_new_session=True,  # Ctrl+C belongs to the service
            )

    def fork(self, timeout_seconds: float) -> "Worker":
        """Start a worker that has ``timeout_seconds`` for each block.

        Raises:
            OSError: the template has died or is stuck.
            Overloaded: the operating system allows no further process.
        """
        ours, theirs = socket.socketpair()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * SEND_BYTES)
        try:
            with theirs, self._asking:
                self._check()
                socket.send_fds(self._control, [FORK], [theirs.fileno()])
                process = self._answer()
            if process == 0:
                raise Overloaded(
                    "Cannot start another reader process. Try again later.", retry_after_seconds=5.0
                )
        except BaseException:
            ours.close()
            raise
        return Worker(self, process, ours, timeout_seconds)

    def end(self, process: int) -> None:
        """Kill a worker without waiting for its death."""
        with suppress(OSError):  # whoever replaces a template that is stuck ends its workers
            self._control.send(END + PROCESS.pack(process), socket.MSG_DONTWAIT)

    def wait(self, process: int) -> int:
        """Kill a worker and return its exit status, negative for a signal."""
        with self._asking:
            self._check()
            self._control.send(WAIT + PROCESS.pack(process))
            return self._answer()

    def close(self) -> None:
        """End the template and all workers."""
        self._process.kill()
        self._process.wait()
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)  # wakes a waiting `_answer`
        self._control.close()

    def _answer(self) -> int:
        answer = self._receive()
        if not answer:
            raise ConnectionResetError("the template has closed the connection")
        self._has_answered = True
        (number,) = PROCESS.unpack(answer)
        return int(number)

    def _receive(self) -> bytes:
        end, computed = time.monotonic() + START_SECONDS, -1.0
        while True:
            try:
                return self._control.recv(PROCESS.size)
            except BlockingIOError:
                before, computed = computed, self._computed_seconds()
                if self._has_answered or computed == before or time.monotonic() > end:
                    self._is_stuck = True
                    self._check()

    def _check(self) -> None:
        if self._is_stuck:  # a late answer would be taken for the next one's
            raise TimeoutError("the template does not answer")

    def _computed_seconds(self) -> float:
        try:
            times = psutil.Process(self._process.pid).cpu_times()
        except psutil.Error as error:
            raise ConnectionResetError("the template has died") from error
        return float(times.user + times.system)


class Worker:
    """A process that reads one recording after the other."""

    def __init__(
        self, template: Template, process: int, connection: socket.socket, timeout_seconds: float
    ) -> None:
        self._timeout_seconds = timeout_seconds
        _limit_wait(connection, timeout_seconds)
        self._template = template
        self._process: int | None = process
        self._connection = connection
        self.is_free = True
        """False from `begin` until the last message has arrived."""
        self._given_up = False
        self.n_recordings = 0
        self.report = Report()
        """Of the last recording, once it is complete."""
        self.expected_seconds = 0.0
        """See `stt.audio.reading.Blocks`."""
        self._n_channels = 0
        """Channels of the blocks that follow; 0 if they are mono, without an axis of channels."""
        self._bytes_at_start = _allocated(process)

    def begin(self, descriptor: int, max_seconds: float, track: int | None, *, split: bool) -> None:
        """Send a recording; errors show in `receive`."""
        self.is_free = False
        self.expected_seconds = 0.0
        self._n_channels = 0
        self.n_recordings += 1
        request = REQUEST.pack(max_seconds, track or 0, split)
        with suppress(OSError):
            socket.send_fds(self._connection, [request], [descriptor])

    def receive(self) -> Waveform | None:
        """Return the next block, or None after the last one or `give_up`.

        Raises:
            AudioError: as `ReaderPool.read`.
        """
        try:
            kind, payload = self._receive_message()
            while kind in (Kind.LENGTH, Kind.CHANNELS):
                if kind == Kind.LENGTH:
                    (self.expected_seconds,) = SECONDS.unpack(payload.data)
                else:
                    (self._n_channels,) = N_CHANNELS.unpack(payload.data)
                kind, payload = self._receive_message()
            if kind == Kind.BLOCK:
                samples = payload.view(np.float32)
                return samples.reshape(self._n_channels, -1) if self._n_channels else samples
            if kind == Kind.FAILED:
                raise ValueError(payload.tobytes().decode(errors="replace"))
            outcome = json.loads(payload.tobytes())
            failure = None
            if kind == Kind.ERROR:
                failure = ERRORS[outcome["code"]](outcome["message"])
            else:
                self.report = _read_report(outcome)
        except BlockingIOError:
            raise self._failure(f"no block within {self._timeout_seconds:g} s") from None
        except OSError:
            if self._given_up:
                return None
            raise self._failure(self._how_it_ended()) from None
        except (ValueError, LookupError, TypeError, struct.error) as nonsense:
            # On one line: the text may come from the file.
            raise self._failure(repr(str(nonsense))) from None
        self.is_free = True
        if failure:
            raise failure
        return None

    def allocated_bytes(self) -> int:
        """Memory that the process has allocated by itself."""
        return max(0, _allocated(self._process) - self._bytes_at_start)

    def has_died(self) -> bool:
        """Whether an idle worker has died."""
        poll = select.poll()  # select() knows no descriptors above 1023
        poll.register(self._connection, select.POLLIN)
        return bool(poll.poll(0))

    def give_up(self) -> None:
        """Abandon the recording, and wake a thread that waits in `receive`."""
        self._given_up = True
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Kill the process without waiting for its death."""
        self._connection.close()
        if self._process is not None:
            self._template.end(self._process)
            self._process = None

    def _receive_message(self) -> tuple[int, NDArray[np.uint8]]:
        kind, length = HEADER.unpack(self._read(HEADER.size).data)
        if length > MAX_MESSAGE_BYTES:
            raise ValueError(f"a message of {length} bytes")
        return kind, self._read(length)

    def _read(self, length: int) -> NDArray[np.uint8]:
        data = np.empty(length, np.uint8)
        done = 0
        while done < length:
            n_read = self._connection.recv_into(data[done:].data, 0, socket.MSG_WAITALL)
            if n_read == 0:
                raise ConnectionResetError("the worker has closed the connection")
            done += n_read
        return data

    def _how_it_ended(self) -> str:
        process, self._process = self._process, None
        try:
            status = self._template.wait(process or 0)
        except OSError:
            return "the template died"
        return f"died of {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"

    def _failure(self, reason: str) -> DecodeFailed:
        logger.warning("a reader process failed: %s", reason)
        return DecodeFailed(
            "Decoding this file failed. It may be damaged; convert it, for example to FLAC, and "
            "send the result."
        )


def _limit_wait(connection: socket.socket, seconds: float) -> None:
    """Set the kernel's timeouts: one system call for each read, while Python's add a poll."""
    whole, fraction = divmod(seconds, 1)
    timeout = struct.pack("@ll", int(whole), int(fraction * 1e6))
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        connection.setsockopt(socket.SOL_SOCKET, option, timeout)


def _allocated(process: int | None) -> int:
    """What RLIMIT_DATA counts; 0 if the process has ended."""
    try:
        pages = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[5]
    except OSError:
        return 0
    return int(pages) * resource.getpagesize()


def _read_report(outcome: Any) -> Report:
    warnings = [Notice(Code(each["code"]), str(each["message"])) for each in outcome["warnings"]]
    return Report(
        tuple(warnings),
        int(outcome["track"]),
        int(outcome["n_tracks"]),
        int(outcome["n_channels"]),
    )


@contextmanager
def as_descriptor(source: BinaryIO) -> Iterator[int]:
    """Open a file descriptor on the recording that has its own position."""
    file = getattr(source, "_file", source) if isinstance(source, SpooledTemporaryFile) else source
    raw = getattr(file, "raw", file)
    if isinstance(raw, io.FileIO):
        file.flush()
        original, is_copy = raw.fileno(), False
    else:
        original, is_copy = os.memfd_create("recording"), True
    try:
        if is_copy:
            source.seek(0)
            with os.fdopen(original, "wb", closefd=False) as copy:
                shutil.copyfileobj(source, copy, 2**20)
        reopened = os.open(f"/proc/self/fd/{original}", os.O_RDONLY)
        try:
            yield reopened
        finally:
            os.close(reopened)
    finally:
        if is_copy:
            os.close(original)


def worker_environment() -> dict[str, str]:
    """What a process that reads what strangers send may know: neither keys nor tokens."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(KEPT_VARIABLES)}
    return kept | {
        # The same packages as in this process.
        "PYTHONPATH": os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path),
        # fork() copies no threads, so the template must have none.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }
