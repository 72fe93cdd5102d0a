"""The frames of a job's finished windows, so that the next run computes only the rest."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from hashlib import blake2b
from io import BytesIO
from typing import Any, TypeVar

import numpy as np

from stt.engines.wants import F, Want
from stt.frames import AnyFrames, packed, unpacked
from stt.jobs.leases import Leases
from stt.jobs.records import Lease
from stt.recognition.chunking import Window
from stt.types import SAMPLE_RATE, FrameGrid

T = TypeVar("T")


class KeptWindows:
    """The `stt.recognition.pipeline.Earlier` of one run of a job."""

    def __init__(
        self, leases: Leases, lease: Lease, threads: Executor, model: str, grid: FrameGrid
    ) -> None:
        """
        Args:
            leases: Where they are stored.
            lease: Of this run.
            threads: For calls that block.
            model: Says what computes the frames; those of another model are not used.
            grid: The model's.
        """
        self._leases, self._lease, self._threads = leases, lease, threads
        self._model, self._grid = model, grid
        self._stored: set[str] | None = None
        self.done_seconds = 0.0
        """End of the last window that is found or computed, in the recording."""
        self.n_found = 0
        """Windows that an earlier run computed."""
        self.computed_seconds = 0.0
        """Audio in the windows that this run computed."""

    async def find(self, window: Window, want: Want[F]) -> F | None:
        """See `stt.recognition.pipeline.Earlier`."""
        found = await self._in_thread(self._find, window, want)
        if found is not None:
            self.n_found += 1
            self._advance(window, found)
        return found

    async def keep(self, window: Window, want: Want[AnyFrames], frames: AnyFrames) -> None:
        """See `stt.recognition.pipeline.Earlier`.

        Raises:
            LeaseLost: the job is somebody else's by now.
            OutOfStorage: the disk is full.
            JobsUnavailable: the database failed.
        """
        await self._in_thread(self._keep, window, want, frames)
        self._advance(window, frames)
        self.computed_seconds += len(frames) * self._grid.stride_samples / SAMPLE_RATE

    def _find(self, window: Window, want: Want[F]) -> F | None:
        if self._stored is None:
            self._stored = self._leases.fingerprints(self._lease)
        if not self._stored:
            return None
        name = fingerprint(window, want, self._model)
        data = self._leases.window(self._lease, name) if name in self._stored else None
        return None if data is None else from_bytes(data, want)

    def _keep(self, window: Window, want: Want[AnyFrames], frames: AnyFrames) -> None:
        name = fingerprint(window, want, self._model)
        self._leases.keep(self._lease, name, to_bytes(frames))

    def _advance(self, window: Window, frames: AnyFrames) -> None:
        end = self._grid.seconds(window.first_frame + len(frames))
        self.done_seconds = max(self.done_seconds, end)

    async def _in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(function, *arguments))


def fingerprint(window: Window, want: Want[AnyFrames], model: str) -> str:
    """Changes with anything that the frames of a window's core depend on."""
    core = (window.first_frame, window.core.start, window.core.stop)
    digest = blake2b(repr((model, want, core)).encode(), digest_size=16)
    digest.update(window.waveform.tobytes())
    return digest.hexdigest()


def to_bytes(frames: AnyFrames) -> bytes:
    """All fields, each in numpy's file format."""
    file = BytesIO()
    for array in frames.arrays():
        np.save(file, packed(array), allow_pickle=False)
    return file.getvalue()


def from_bytes(data: bytes, want: Want[F]) -> F:
    """The frames, bit for bit."""
    file, arrays = BytesIO(data), []
    while file.tell() < len(data):
        arrays.append(unpacked(np.load(file, allow_pickle=False)))
    return want.frames(arrays)
