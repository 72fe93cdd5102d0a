"""Audio of accepted recordings that is still to be computed, shared fairly between clients.

A recording has only a few windows in the queue at a time, and its size says little about its
length: hours of silence are a few hundred kilobytes. So each counts with the seconds that are left,
as far as its header tells or the part that has been read.
"""

import threading
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from stt.audio.level import SPEECH_DBFS
from stt.audio.reading import Blocks, ReadAudio
from stt.errors import Overloaded
from stt.inference.fairness import current_client, is_full
from stt.inference.scheduler import MAX_RETRY_SECONDS, Scheduler
from stt.notices import Report
from stt.settings import Settings
from stt.types import SAMPLE_RATE, Waveform


class Backlog:
    """All recordings in progress; thread-safe.

    The limit is what the model can compute within the deadline of a request, by its measured speed:
    more could only be answered with 504. One recording of the greatest length always has room.
    """

    def __init__(self, settings: Settings) -> None:
        self._deadline_seconds = settings.request_timeout_seconds
        self._longest_seconds = settings.max_audio_seconds
        self._lock = threading.Lock()
        self._open: set[CountedBlocks] = set()

    def counting(self, read: ReadAudio, scheduler: Scheduler) -> ReadAudio:
        """The same function; what it reads counts for the client of its caller."""

        def read_counting(
            source: BinaryIO, *, max_seconds: float, track: int | None = None, split: bool = False
        ) -> "CountedBlocks":
            blocks = read(source, max_seconds=max_seconds, track=track, split=split)
            return CountedBlocks(blocks, current_client.get(), self, scheduler)

        return read_counting

    def seconds(self) -> dict[str, float]:
        """What is left of all recordings, by client."""
        with self._lock:
            return self._sum()

    def check(self, client: str, rtfx: float) -> None:
        """Check whether a client may add a recording.

        Args:
            client: The client.
            rtfx: Seconds of audio that the model computes in a second.

        Raises:
            Overloaded: too much is left of its own recordings, and of all together.
        """
        self._check(self.seconds(), client, rtfx)

    def seconds_until_place(self, client: str, rtfx: float) -> float:
        """When a recording of this client, or of any if it has none, will probably be done."""
        with self._lock:
            own = [each.left_seconds for each in self._open if each.client == client]
            left = own or [each.left_seconds for each in self._open]
            n_open = len(self._open)
        return min(MAX_RETRY_SECONDS, min(left, default=0.0) * n_open / rtfx)

    def add(self, blocks: "CountedBlocks", rtfx: float) -> None:
        """Count a recording whose first block has been read; raises as `check`."""
        with self._lock:
            self._open.discard(blocks)
            self._check(self._sum(), blocks.client, rtfx)
            self._open.add(blocks)

    def remove(self, blocks: "CountedBlocks") -> None:
        """Stop counting a recording."""
        with self._lock:
            self._open.discard(blocks)

    def _sum(self) -> dict[str, float]:
        left: dict[str, float] = {}
        for each in self._open:
            left[each.client] = left.get(each.client, 0.0) + each.left_seconds
        return left

    def _check(self, left: dict[str, float], client: str, rtfx: float) -> None:
        limit = max(self._longest_seconds, rtfx * self._deadline_seconds)
        if not is_full(left, client, limit, least=0.0):
            return
        own, total, n_clients = left.get(client, 0.0), sum(left.values()), len(left)
        seconds = min((total - limit) / rtfx, (own - limit / n_clients) * n_clients / rtfx)
        raise Overloaded(
            f"{own / 60:.0f} minutes of your recordings are still to be transcribed, of "
            f"{total / 60:.0f} minutes in all; the limit is {limit / 60:.0f} minutes. Try again "
            "later.",
            retry_after_seconds=min(MAX_RETRY_SECONDS, max(1.0, seconds)),
        )


class CountedBlocks:
    """The `Blocks` of a recording that counts while it is read."""

    def __init__(self, blocks: Blocks, client: str, backlog: Backlog, scheduler: Scheduler) -> None:
        self._blocks, self._backlog, self._scheduler = blocks, backlog, scheduler
        self.client = client
        self._read_seconds = 0.0
        self._sounding_seconds = 0.0

    @property
    def left_seconds(self) -> float:
        """What is still to be read; a few windows of the rest are still to be computed.

        Channels that are kept apart count as often as they have sounded together so far.
        """
        left = max(0.0, self._blocks.expected_seconds - self._read_seconds)
        return left * (self._sounding_seconds / self._read_seconds if self._read_seconds else 1.0)

    @property
    def expected_seconds(self) -> float:
        """See `Blocks.expected_seconds`."""
        return self._blocks.expected_seconds

    @property
    def report(self) -> Report:
        """See `Blocks.report`."""
        return self._blocks.report

    def __iter__(self) -> Iterator[Waveform]:
        return self

    def __next__(self) -> Waveform:
        try:
            block = next(self._blocks)
            is_first = not self._read_seconds
            seconds = block.shape[-1] / SAMPLE_RATE
            self._sounding_seconds += seconds * n_sounding(block)
            self._read_seconds += seconds
            if is_first:
                self._backlog.add(self, self._scheduler.rtfx)
        except BaseException:
            self._backlog.remove(self)
            raise
        return block

    def close(self) -> None:
        """See `Blocks.close`."""
        self._backlog.remove(self)
        self._blocks.close()


def n_sounding(block: NDArray[np.float32]) -> int:
    """How many channels of a block have sound, at least 1; a mixed recording always counts as 1."""
    if block.ndim == 1:
        return 1
    powers = np.einsum("ij,ij->i", block, block) / max(1, block.shape[1])
    return max(1, int((powers > 10 ** (SPEECH_DBFS / 10)).sum()))
