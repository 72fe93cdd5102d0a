"""Runs jobs: claims one, transcribes it, and stores each window and the end."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from contextvars import Context
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from stt.errors import BUG_MESSAGE, OutOfStorage, RetryLater, SttError, UnsupportedLanguage
from stt.inference.fairness import JOB, current_client
from stt.jobs import results
from stt.jobs.desk import Desk
from stt.jobs.leases import Claimed, LeaseLost
from stt.jobs.records import Fault, Job, Progress, State
from stt.jobs.results import Result
from stt.jobs.run import Run
from stt.observability import logs
from stt.recognition.pipeline import Earlier, Words
from stt.types import FrameGrid, Word

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""How often to look for jobs that other replicas accepted or lost."""
STORAGE_SECONDS = 30.0
"""How long a job waits after the disk was full."""
LOST_UPLOAD_SECONDS = 10.0
"""How long it waits after its recording could not be opened."""
BUG = Fault(SttError.code, BUG_MESSAGE)

OpenEarlier = Callable[[str, FrameGrid], Earlier]
"""Finds what was computed before with a model, by its name and grid."""


@dataclass(frozen=True)
class Begun:
    """A recording that is being transcribed."""

    words: Words
    model: str
    device: str
    cpu_threads: int


class Recognise(Protocol):
    """Transcribes the recording of a job as the service transcribes any other."""

    def languages(self) -> Mapping[str, bool]:
        """Codes of the languages that are served, and whether their models can be used now."""
        ...

    def __call__(
        self, job: Job, source: BinaryIO, earlier: OpenEarlier
    ) -> AbstractAsyncContextManager[Begun]:
        """Begin; the words come within the block. Raises an `SttError`, as the words do."""
        ...


class Runner:
    """Runs some jobs at a time, until it is closed."""

    def __init__(
        self,
        desk: Desk,
        recognise: Recognise,
        *,
        at_once: int,
        ended: Callable[[str], None] = lambda _: None,
        resumed: Callable[[int], None] = lambda _: None,
    ) -> None:
        """
        Args:
            desk: Has the jobs.
            recognise: Transcribes.
            at_once: How many jobs to run at a time.
            ended: Called with the state of each job that this runner has ended.
            resumed: Called with the number of windows that a run did not have to compute.
        """
        self._desk, self._recognise = desk, recognise
        self._at_once = at_once
        self._ended, self._resumed = ended, resumed
        self._tasks: list[asyncio.Task[None]] = []
        self._is_stopping = False

    def start(self) -> None:
        """Begin to run jobs, in the running event loop."""
        self._tasks = [
            asyncio.create_task(self._work(), context=Context()) for _ in range(self._at_once)
        ]

    def stop(self) -> None:
        """Run nothing more, and give back what runs: it continues elsewhere, or here later."""
        if self._is_stopping:
            return  # a second cancellation would hit those who give their job back
        self._is_stopping = True
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        """Stop, and wait until all jobs are given back."""
        self.stop()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _work(self) -> None:
        """Run one job after the other."""
        while True:
            try:
                claimed = await self._claim()
                if claimed is None:
                    await self._desk.wait_for_jobs(POLL_SECONDS)
                    continue
                await asyncio.create_task(self._run(claimed), context=Context())
            except SttError as error:
                logger.warning("jobs wait: %s", error.message, exc_info=error.__cause__)
                await asyncio.sleep(POLL_SECONDS)
            except Exception:
                logger.exception("the job runner failed; trying again")
                await asyncio.sleep(POLL_SECONDS)

    async def _claim(self) -> Claimed | None:
        languages = self._recognise.languages()
        if not languages or not self._desk.is_open:
            return None
        return await self._desk.call(lambda: self._desk.leases.claim(languages))

    async def _run(self, claimed: Claimed) -> None:
        """Run a job to its end, or give it back."""
        job = claimed.job
        logs.request_id.set(job.request_id)
        current_client.set(f"key {job.owner}{JOB}" if job.owner else JOB)
        run = Run(self._desk, claimed)
        try:
            if claimed.gives_up:
                await self._desk.call(lambda: self._desk.leases.give_up(claimed.lease))
                self._note(run, State.FAILED)
                return
            if job.order.language not in self._recognise.languages():
                raise UnsupportedLanguage(
                    f"Language {job.order.language} is no longer served here. Submit the "
                    "recording in one that GET /languages lists, or ask the operator to add it to "
                    "STT_LANGUAGES."
                )
            await run.while_leased(self._transcribe(run))
            self._note(run, State.SUCCEEDED)
        except LeaseLost:
            logger.info("job %s was cancelled or taken over", job.id, extra={"job": job.id})
        except asyncio.CancelledError:
            await run.give_back(0.0)
            raise
        except FileNotFoundError:
            logger.error("the recording of a job cannot be opened", extra={"job": job.id})
            await run.give_back(LOST_UPLOAD_SECONDS, counts=True)
        except RetryLater as error:
            await run.give_back(error.retry_after_seconds, reason=error.message)
        except OutOfStorage as error:
            await run.give_back(STORAGE_SECONDS, reason=error.message)
        except SttError as error:
            await self._fail(run, Fault(error.code, error.message), error.__cause__)
        except Exception as error:
            logger.exception("a job failed", extra={"job": job.id})
            await self._fail(run, BUG, error)

    async def _fail(self, run: Run, fault: Fault, cause: BaseException | None) -> None:
        try:
            await self._desk.call(lambda: self._desk.leases.fail(run.lease, fault))
        except LeaseLost:
            return
        self._note(run, State.FAILED, code=fault.code)

    def _note(self, run: Run, state: State, **more: object) -> None:
        """Log and count the end of a job, and remove its recording."""
        job_id = run.lease.job_id
        extra = {"job": job_id, "audio_seconds": round(run.progress.done_seconds, 1), **more}
        logger.info("job %s", state, extra=extra)
        self._ended(state)
        self._desk.forget_upload(job_id)

    async def _transcribe(self, run: Run) -> None:
        job = run.job
        path = self._desk.uploads.path(job.id)
        if job.order.url is not None and not path.exists():
            await self._desk.fetcher(job.order.url, path)
        source = await self._desk.call(lambda: path.open("rb"))
        started = time.perf_counter()
        spoken: list[Word] = []
        with source:
            async with self._recognise(job, source, run.open_earlier) as begun:
                run.follow(begun.words, spoken)
                async with aclosing(begun.words):
                    async for word in begun.words:
                        spoken.append(word)
        transcript = begun.words.transcript(spoken)
        duration, seconds = transcript.duration_seconds, time.perf_counter() - started
        result = Result(
            transcript, job.order.language, begun.model, begun.device, begun.cpu_threads, seconds
        )
        progress = Progress(duration, duration, None, transcript.text)
        await self._desk.call(
            lambda: self._desk.leases.succeed(run.lease, results.to_bytes(result), progress)
        )
        self._resumed(run.n_found)
