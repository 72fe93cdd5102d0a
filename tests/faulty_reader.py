"""A reader that misbehaves as its file says."""

import ctypes
import os
import signal
import socket
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from stt.audio.reading import Recording
from stt.errors import InvalidAudio
from stt.notices import Report
from stt.types import Waveform


def read_audio(
    source: BinaryIO, *, max_seconds: float, track: int | None = None, split: bool = False
) -> Recording:
    """Obey the first line of a file."""
    return Recording(obey(source))


def obey(source: BinaryIO) -> Generator[Waveform, None, Report]:
    """Obey the first line, then return the rest with a sample for each byte."""
    source.seek(0)
    command, _, rest = source.read().partition(b"\n")
    if command == b"sleep":
        time.sleep(3600)
    elif command == b"sleep later":
        for _ in range(20):
            yield np.zeros(16_000, np.float32)
        time.sleep(3600)
    elif command == b"abort":
        os.abort()
    elif command == b"segfault":
        ctypes.string_at(0)
    elif command == b"exit":
        os._exit(3)
    elif command == b"raise":
        raise RuntimeError("a bug\n\x1b[31min red")
    elif command == b"invalid":
        raise InvalidAudio("The file is wrong.")
    elif command == b"swallow":
        hoard = []
        while True:
            hoard.append(np.ones(2**20, np.float32))
    elif command == b"write":
        Path(rest.decode()).write_bytes(bytes(10_000))
    elif command == b"shout":
        os.write(2, rest)
    elif command == b"lie":
        connection = next(
            int(link.name)
            for link in Path("/proc/self/fd").iterdir()
            if int(link.name) > 2 and str(link.readlink()).startswith("socket:")
        )
        socket.socket(fileno=connection).sendall(rest)
    elif command == b"endless":
        while True:
            yield np.zeros(16_000, np.float32)
    elif command == b"tell":
        facts = [*sys.modules, *os.environ, f"SIGINT {signal.getsignal(signal.SIGINT)!r}"]
        yield np.frombuffer("\n".join(facts).encode(), np.uint8).astype(np.float32)
    elif command == b"toil":
        while True:
            end = time.process_time() + 0.5
            while time.process_time() < end:
                pass
            yield np.zeros(1_600, np.float32)
    elif command == b"spin":
        while True:
            pass
    yield np.frombuffer(rest, np.uint8).astype(np.float32)
    return Report()
