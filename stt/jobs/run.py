"""One run of a job: its lease, and how far it is."""

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any

from stt.errors import SttError
from stt.jobs.desk import Desk
from stt.jobs.kept import KeptWindows
from stt.jobs.leases import Claimed, LeaseLost
from stt.jobs.records import Progress
from stt.recognition.pipeline import Words
from stt.recognition.segments import in_turns
from stt.types import FrameGrid, Transcript, Word

logger = logging.getLogger(__name__)

REPORT_SECONDS = 1.0
"""How often a run stores how far it is, if that has changed."""
RENEWALS = 3
"""Attempts to renew a lease before it lapses."""


class Run:
    """Belongs to one task."""

    def __init__(self, desk: Desk, claimed: Claimed) -> None:
        self._desk = desk
        self.job, self.lease = claimed.job, claimed.lease
        self._kept: KeptWindows | None = None
        self._words: Words | None = None
        self._spoken: list[Word] = []
        self._started = self._renewed = time.monotonic()

    @property
    def n_found(self) -> int:
        """Windows that an earlier run computed."""
        return self._kept.n_found if self._kept else 0

    @property
    def progress(self) -> Progress:
        """How far the job is. Joins all words, so do not call it for each."""
        if self._kept is None or self._words is None:
            return self.job.progress
        done, expected = self._kept.done_seconds, self._words.expected_seconds
        remaining = None
        if self._kept.computed_seconds and expected > done:
            speed = self._kept.computed_seconds / (time.monotonic() - self._started)
            remaining = round((expected - done) / speed, 1)
        text = in_turns(Transcript(tuple(self._spoken), done)).text
        return Progress(done, max(done, expected), remaining, text)

    def open_earlier(self, model: str, grid: FrameGrid) -> KeptWindows:
        """See `stt.jobs.runner.OpenEarlier`."""
        desk = self._desk
        self._kept = KeptWindows(desk.leases, self.lease, desk.threads, model, grid)
        return self._kept

    def follow(self, words: Words, spoken: list[Word]) -> None:
        """Report these from now on; ``spoken`` grows."""
        self._words, self._spoken = words, spoken

    async def while_leased(self, work: Coroutine[Any, Any, None]) -> None:
        """Await the work, and renew the lease meanwhile.

        Raises:
            LeaseLost: the job is somebody else's by now, or nobody's.
            Exception: what the work raises.
        """
        working = asyncio.create_task(work)
        renewing = asyncio.create_task(self._renew_forever())
        try:
            await asyncio.wait((working, renewing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            working.cancel()
            renewing.cancel()
            await asyncio.wait((working, renewing))
        if not working.cancelled():
            working.result()
        elif not renewing.cancelled():
            renewing.result()

    async def give_back(self, seconds: float, reason: str = "", *, counts: bool = False) -> None:
        """Let the job be run again, after these seconds; see `Leases.release`."""
        extra = {"job": self.job.id, "audio_seconds": round(self.progress.done_seconds, 1)}
        logger.info("job given back%s", f": {reason}" if reason else "", extra=extra)
        try:
            await self._desk.call(
                lambda: self._desk.leases.release(self.lease, seconds, counts=counts)
            )
        except LeaseLost:
            pass
        except SttError as error:  # the lease lapses by itself
            logger.warning("a job waits until its lease lapses: %s", error.message, extra=extra)

    async def _renew_forever(self) -> None:
        lease_seconds = self._desk.lease_seconds
        pause, reported = min(REPORT_SECONDS, lease_seconds / RENEWALS), self.progress
        while True:
            await asyncio.sleep(pause)
            progress = self.progress
            due = time.monotonic() - self._renewed > lease_seconds / RENEWALS - pause
            if not due and progress.done_seconds == reported.done_seconds:
                continue
            try:
                await self._renew(progress)
                reported = progress
            except SttError as error:
                if time.monotonic() - self._renewed > lease_seconds:
                    raise LeaseLost from error
                logger.warning("a lease is not renewed yet: %s", error.message)

    async def _renew(self, progress: Progress) -> None:
        asked = time.monotonic()
        await self._desk.call(lambda: self._desk.leases.renew(self.lease, progress))
        self._renewed = asked
