"""The reader processes: one template, and workers forked from it.

``python -m stt.audio.worker FD MODULE:FUNCTION`` is the template. It imports the decoders and reads
a clip to warm them up, which takes seconds; then it forks a worker whenever the pool needs one,
which takes milliseconds and little memory. The service with all its threads is never forked.

The template and its workers have no keys or tokens in their environment, write no files, dump no
core and have a memory limit. They ignore the signals that a terminal or a service manager sends to
a whole group, and end with the service. This is no sandbox (they run as the same user), but a
decoder that hangs, crashes or takes all memory harms only itself.

Protocol of the control socket: ``FORK`` with the worker's end of a connection gets a process id, or
0 on failure; ``END`` and a process id gets no answer; ``WAIT`` and a process id gets an exit
status. Protocol of a connection: `REQUEST` with a file descriptor gets messages, each a `HEADER`
and its payload: blocks and estimates of the length, then the outcome. A recording may use only so
much processor time, most of it in proportion to its sound; the kernel ends a decoder that takes
more.
"""

import gc
import importlib
import json
import os
import resource
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from enum import IntEnum
from functools import partial
from pathlib import Path
from typing import BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from stt.audio.reading import Blocks, ReadAudio, warming_clip
from stt.errors import AudioError, InvalidAudio
from stt.types import SAMPLE_RATE

FORK, END, WAIT = b"F", b"E", b"W"
PROCESS = struct.Struct("<q")
"""A process id; in the answer to ``WAIT`` an exit status, negative for a signal."""
REQUEST = struct.Struct("<di?")
"""Maximum length of the recording, in seconds; number of the audio track, or 0 for the best;
whether channels are kept apart."""
HEADER = struct.Struct("<BI")
"""The `Kind` of a message and its payload's length in bytes."""

SECONDS = struct.Struct("<d")
N_CHANNELS = struct.Struct("<B")

SEND_BYTES = 4 * SAMPLE_RATE * np.dtype(np.float32).itemsize
"""Blocks are joined until they have this size: each time the service wakes, it may have to wait for
a core, and what it does with a block costs as much for a short one."""
MEMORY_BYTES = 128 * 2**20
"""What a worker may allocate beyond the template's memory. A second of the largest recording takes
12 MB; FFmpeg's index of four hours of sound and pictures, 40 MB."""
CPU_SECONDS = 2
"""Processor time of a recording before its first block, and between two of them."""
CPU_RATIO = 0.1
"""Further processor time, for each second of sound; MP3 takes 0.001, FLAC with eight
channels 0.03."""
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
"""Options of prctl(2)."""


class Kind(IntEnum):
    """What a message contains."""

    BLOCK = 0
    """Samples, float32."""
    DONE = 1
    """The recording is complete; JSON of a `stt.notices.Report`."""
    ERROR = 2
    """JSON with the code and message of an `AudioError`."""
    FAILED = 3
    """The traceback of any other exception."""
    LENGTH = 4
    """A `SECONDS`: how long the whole recording probably is."""
    CHANNELS = 5
    """A `N_CHANNELS`: how many channels the blocks behind it have, one after the other."""


def main(control_fd: int, target: str) -> None:
    """Run the template until the service ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    module, _, name = target.partition(":")
    read: ReadAudio = getattr(importlib.import_module(module), name)
    importlib.import_module("av")
    for _ in read(warming_clip(), max_seconds=60):
        pass
    _restrict()
    gc.collect()
    gc.freeze()  # a collection would write to, and so copy, every page in every worker
    with socket.socket(fileno=control_fd) as control:
        _serve(control, read)


def _serve(control: socket.socket, read: ReadAudio) -> None:
    workers: set[int] = set()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 64, 1)
        if message[:1] == FORK:
            process = _fork(control, descriptors[0], read)
            workers.add(process)
            control.send(PROCESS.pack(process))
        elif message:
            (process,) = PROCESS.unpack(message[1:])
            status = 0
            if process in workers:
                workers.remove(process)
                # Workers are reaped only here, so the id cannot belong to another process yet.
                os.kill(process, signal.SIGKILL)
                _, status = os.waitpid(process, 0)
            if message[:1] == WAIT:
                control.send(PROCESS.pack(os.waitstatus_to_exitcode(status)))
        else:  # the service has ended; PR_SET_PDEATHSIG ends the workers
            return


def _fork(control: socket.socket, connection_fd: int, read: ReadAudio) -> int:
    template = os.getpid()
    try:
        process = os.fork()
    except OSError:
        process = 0
    else:
        if process == 0:
            status = 1
            try:
                control.close()
                _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
                if os.getppid() == template:
                    with socket.socket(fileno=connection_fd) as connection:
                        _work(connection, read)
                status = 0
            finally:
                os._exit(status)
    os.close(connection_fd)
    return process


def _work(connection: socket.socket, read: ReadAudio) -> None:
    """Read one recording after the other until the service closes the connection."""
    while True:
        request, descriptors, _, _ = socket.recv_fds(connection, REQUEST.size, 1)
        if not descriptors:
            return
        max_seconds, track, split = REQUEST.unpack(request)
        with os.fdopen(descriptors[0], "rb") as source:
            begin = partial(read, source, max_seconds=max_seconds, track=track or None, split=split)
            _answer(connection, source, max_seconds, begin)


def _answer(
    connection: socket.socket,
    source: BinaryIO,
    max_seconds: float,
    begin: Callable[[], Blocks],
) -> None:
    outbox = _Outbox(connection)
    begun, seconds, size = time.process_time(), 0.0, source.seek(0, 2)
    _limit_processor_time()
    try:
        blocks = begin()
        for block in blocks:
            seconds += block.shape[-1] / SAMPLE_RATE
            if time.process_time() - begun > CPU_SECONDS + CPU_RATIO * seconds:
                raise InvalidAudio(
                    "Decoding this file takes too much work for its length. It may be damaged; "
                    "convert it, for example to FLAC, and send the result."
                )
            expected = blocks.expected_seconds
            if expected <= seconds:  # no header tells
                expected = min(max_seconds, seconds * size / max(1, source.tell()))
            outbox.add(np.asarray(block, np.float32), expected)
            _limit_processor_time()
    except AudioError as error:
        outcome = {"code": error.code, "message": error.message}
        outbox.end(Kind.ERROR, json.dumps(outcome).encode())
    except Exception:
        outbox.end(Kind.FAILED, traceback.format_exc().encode())
    else:
        outbox.end(Kind.DONE, json.dumps(asdict(blocks.report)).encode())


class _Outbox:
    """Joins the blocks of one recording, and sends `SEND_BYTES` or more at a time."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._blocks: list[NDArray[np.float32]] = []
        self._expected_seconds = 0.0
        self._n_channels = 0
        """How many channels the service expects in a block; 0 before it was told."""

    def add(self, block: NDArray[np.float32], expected_seconds: float) -> None:
        """Add ``[n]`` or ``[n_channels, n]`` samples and an estimate of the whole length."""
        if self._blocks and self._blocks[0].shape[:-1] != block.shape[:-1]:
            self._send(self._joined())
        self._blocks.append(block)
        self._expected_seconds = expected_seconds
        if sum(each.nbytes for each in self._blocks) >= SEND_BYTES:
            self._send(self._joined())

    def end(self, kind: Kind, payload: bytes) -> None:
        """Send the rest and the outcome."""
        self._send(self._joined() + _message(kind, payload))

    def _joined(self) -> bytes:
        """The messages of the blocks that wait."""
        if not self._blocks:
            return b""
        joined, self._blocks = np.concatenate(self._blocks, axis=-1), []
        message = _message(Kind.LENGTH, SECONDS.pack(self._expected_seconds))
        if joined.ndim > 1 and len(joined) != self._n_channels:
            self._n_channels = len(joined)
            message += _message(Kind.CHANNELS, N_CHANNELS.pack(self._n_channels))
        return message + _message(Kind.BLOCK, joined.tobytes())

    def _send(self, message: bytes) -> None:
        try:
            self._connection.sendall(message)
        except OSError:  # the service has closed the connection
            sys.exit()


def _message(kind: Kind, payload: bytes) -> bytes:
    return HEADER.pack(kind, len(payload)) + payload


def _limit_processor_time() -> None:
    """Let the kernel end this process if it computes much longer without a block."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    limit = int(time.process_time()) + 1 + CPU_SECONDS
    resource.setrlimit(
        resource.RLIMIT_CPU, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard)
    )


def _restrict() -> None:
    """Limit this process and its forks to what decoding needs."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
    limits = {
        resource.RLIMIT_DATA: pages * resource.getpagesize() + MEMORY_BYTES,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for limit, value in limits.items():
        _, hard = resource.getrlimit(limit)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    # Decoders complain about files on stderr, which would break the service's log.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def _prctl(option: int, value: int) -> None:
    import ctypes

    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _run() -> NoReturn:
    main(int(sys.argv[1]), sys.argv[2])
    sys.exit()


if __name__ == "__main__":
    _run()
