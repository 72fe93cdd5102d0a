"""Where jobs are submitted and looked up, once their database is open."""

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, TypeVar
from uuid import uuid4

from stt.errors import JobQuotaReached, JobsUnavailable, OutOfStorage, SttError
from stt.jobs.database import Database, open_database
from stt.jobs.deliveries import Deliveries
from stt.jobs.fetching import Fetcher
from stt.jobs.leases import Leases
from stt.jobs.records import Job, Order, Quota, State
from stt.jobs.store import Store
from stt.jobs.uploads import Uploads
from stt.jobs.webhooks import Webhooks

logger = logging.getLogger(__name__)

T = TypeVar("T")

THREADS = 4
"""Threads for the database and the disk. SQLite has one writer anyway."""
REOPEN_SECONDS = 10.0
"""Pause between attempts to open the database."""
OPENING_SECONDS = 20.0
"""How long a request waits for the first attempt."""
SWEEP_SECONDS = 10.0
"""How often old jobs are removed and active ones counted."""
OFF = "Jobs are switched off here (STT_JOBS=false). Send the recording to POST /transcribe."
NO_FOLDER = (
    "Jobs cannot be stored: the state folder cannot be written. The operator can name another in "
    "STT_STATE_DIR. Short recordings can go to POST /transcribe."
)


class Desk:
    """Accepts jobs durably. Its methods are for the event loop."""

    def __init__(
        self,
        folder: Path,
        database_url: str | None,
        *,
        is_on: bool = True,
        lease_seconds: float,
        most_attempts: int,
        keep_seconds: float,
        quota: Quota,
        fetcher: Fetcher,
        webhooks: Webhooks,
        counted: Callable[[Mapping[str, int]], None] = lambda _: None,
    ) -> None:
        """
        Args:
            folder: The state folder; all replicas share it.
            database_url: Of a PostgreSQL database; None for SQLite in the folder.
            is_on: Whether there are jobs at all.
            lease_seconds, most_attempts: See `Leases`.
            keep_seconds: How long ended jobs are kept.
            quota: What one key may have at a time.
            fetcher: Gets recordings from elsewhere.
            webhooks: Reports the end of jobs.
            counted: Called from time to time with the number of active jobs, by state.
        """
        self._folder, self._database_url, self._is_on = folder, database_url, is_on
        self.lease_seconds = lease_seconds
        self.fetcher, self.webhooks = fetcher, webhooks
        self._counted = counted
        self._most_attempts, self._keep_seconds, self._quota = most_attempts, keep_seconds, quota
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="jobs")
        self._database: Database | None = None
        self._tried = asyncio.Event()
        self._new = asyncio.Event()
        self._fault = JobsUnavailable("The database of the jobs is being opened.", REOPEN_SECONDS)
        self._task: asyncio.Task[None] | None = None
        self.store: Store
        self.leases: Leases
        self.deliveries: Deliveries
        self.uploads: Uploads

    def start(self) -> None:
        """Open the database in the background, and remove what is old from time to time."""
        if not self._is_on:
            self._fault = JobsUnavailable(OFF, math.inf)  # a retry will not help
            self._tried.set()
            return
        self._task = asyncio.create_task(self._serve())

    async def close(self) -> None:
        """Close the database."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await asyncio.to_thread(self._threads.shutdown)
        if self._database is not None:
            self._database.close()

    @property
    def is_open(self) -> bool:
        """Whether there are jobs now."""
        return self._database is not None

    @property
    def threads(self) -> ThreadPoolExecutor:
        """Threads for calls that block."""
        return self._threads

    async def call(self, function: Callable[[], T]) -> T:
        """Call in a thread, to the end even if the caller is cancelled.

        Raises:
            JobsUnavailable: there are no jobs, or not yet.
        """
        if not self.is_open:
            with suppress(TimeoutError):
                async with asyncio.timeout(OPENING_SECONDS):
                    await self._tried.wait()
            if not self.is_open:
                raise JobsUnavailable(self._fault.message, self._fault.retry_after_seconds)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, function)

    async def accept(
        self, owner: str, order: Order, source: BinaryIO | None, request_id: str | None
    ) -> Job:
        """Store a job and its recording. They are on the disk when this returns.

        Raises:
            UrlNotAllowed: the service may not call one of its URLs.
            JobQuotaReached: the owner has too many.
            OutOfStorage: the disk is full; nothing is stored.
            JobsUnavailable: there are no jobs, or not now.
        """

        if order.url is not None:
            self.fetcher.check(order.url)
        if order.webhook_url is not None:
            self.webhooks.check(order.webhook_url)

        def accept() -> Job:
            job_id = uuid4().hex
            size = self.uploads.store(job_id, source) if source is not None else 0
            job = Job(
                job_id, owner, State.QUEUED, order, 0.0, request_id=request_id, upload_bytes=size
            )
            try:
                return self.store.accept(job, self._quota)
            except (JobQuotaReached, OutOfStorage):
                self.uploads.remove(job_id)
                raise  # after other errors the job may be stored; a sweep finds out

        job = await self.call(accept)
        self._new.set()
        return job

    async def wait_for_jobs(self, seconds: float) -> None:
        """Wait until a job is submitted here, but no longer than this."""
        self._new.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._new.wait()

    def forget_upload(self, job_id: str) -> None:
        """Remove the recording of a job that has ended, without waiting for it."""
        with suppress(RuntimeError):  # closed; the next sweep does it
            self._threads.submit(self.uploads.remove, job_id)

    async def _serve(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._open)
            except SttError as error:
                self._fault = JobsUnavailable(error.message, REOPEN_SECONDS)
                logger.error("no jobs: %s", error.message, exc_info=error.__cause__)
            except OSError:
                self._fault = JobsUnavailable(NO_FOLDER, REOPEN_SECONDS)
                logger.exception("no jobs: the state folder cannot be written")
            self._tried.set()
            if self.is_open:
                break
            await asyncio.sleep(REOPEN_SECONDS)
        while True:
            try:
                counts = await self.call(self.store.count)
                self._counted({state.value: n for state, n in counts.items()})
                await self.call(self._sweep)
            except (SttError, OSError) as error:
                logger.warning("old jobs could not be removed: %s", error)
            await asyncio.sleep(SWEEP_SECONDS)

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.uploads = Uploads(self._folder)
        database = open_database(self._folder, self._database_url)
        self.store = Store(database)
        self.leases = Leases(database, self.lease_seconds, self._most_attempts)
        self.deliveries = Deliveries(database)
        self._database = database

    def _sweep(self) -> None:
        for job_id in self.store.remove_ended_before(self._keep_seconds):
            self.uploads.remove(job_id)
        self.uploads.sweep(self.store.active_among)
