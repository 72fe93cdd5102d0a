"""Transcribes recordings as jobs of a service, several at a time, and follows them to their end."""

import io
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from stt.commands.inputs import Recording
from stt.commands.jobs import JobGone, JobService, JobState, ServiceBusy
from stt.commands.progress import CountingFile, Progress
from stt.commands.recognition import Recognition, RecognitionFailed
from stt.commands.submitted import Submitted
from stt.errors import ConfigurationError

logger = logging.getLogger(__name__)

SHORTEST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
"""Between two looks at the same jobs. Pauses grow while nothing ends."""
GROWTH = 1.3


@dataclass
class _Followed:
    """A recording whose job has not ended."""

    recording: Recording
    job_id: str
    noted: bool
    """Whether the next run will find it."""
    started: float = field(default_factory=time.monotonic)
    n_shown: int = 0
    """Bytes of the bar that it has taken."""


class Following:
    """One run over many recordings."""

    def __init__(
        self,
        service: JobService,
        submitted: Submitted,
        *,
        at_once: int,
        keep: bool = False,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """
        Args:
            service: Where the jobs are.
            submitted: Remembers them until they are fetched.
            at_once: Jobs that are queued or running there at a time.
            keep: Leave jobs at the service, for others to fetch their results.
            sleep: Waits for a number of seconds.
        """
        self._service, self._submitted = service, submitted
        self._at_once, self._keep, self._sleep = at_once, keep, sleep
        self._followed: list[_Followed] = []
        self._busy_until = 0.0
        """By `time.monotonic`."""

    def run(
        self,
        recordings: Sequence[Recording],
        deliver: Callable[[Recording, Recognition, Progress], None],
        track: int | None = None,
    ) -> Progress:
        """Transcribe the recordings; failures are logged, and the run continues.

        Args:
            recordings: The recordings.
            deliver: Does something with each result; once it returns, the job is removed.
            track: Number of the audio track of all recordings; None chooses one for each.

        Raises:
            ConfigurationError: the service has no jobs.
        """
        waiting = deque(recordings)
        pause, started = SHORTEST_PAUSE_SECONDS, time.monotonic()
        # The bar counts each recording twice: as it is sent, and as it is transcribed.
        n_bytes = 2 * sum(each.size for each in recordings)
        try:
            with Progress(len(recordings), n_bytes) as progress:
                while waiting or self._followed:
                    while waiting and self._has_room():
                        try:
                            self._begin(waiting[0], track, progress)
                            waiting.popleft()
                        except ServiceBusy as busy:
                            self._busy_until = time.monotonic() + busy.seconds
                    n_before = len(self._followed)
                    for each in tuple(self._followed):
                        if self._has_ended(each, track, deliver, progress):
                            self._followed.remove(each)
                    progress.work_seconds = time.monotonic() - started
                    if len(self._followed) < n_before:
                        pause = SHORTEST_PAUSE_SECONDS
                    elif self._followed:
                        self._sleep(pause)
                        pause = min(GROWTH * pause, LONGEST_PAUSE_SECONDS)
        except KeyboardInterrupt:
            self._explain()
            raise
        return progress

    def _has_room(self) -> bool:
        # With no job of ours there, all that is left is to wait for the service.
        free = not self._followed or time.monotonic() >= self._busy_until
        return free and len(self._followed) < self._at_once

    def _begin(self, recording: Recording, track: int | None, progress: Progress) -> None:
        """Submit a recording, unless an earlier run has."""
        progress.show(recording.name)
        counting = CountingFile(progress.advance)
        try:
            followed = self._resume(recording, track) or self._submit(recording, track, counting)
        except (ConfigurationError, ServiceBusy):
            progress.advance(-counting.furthest)
            raise
        except Exception as error:
            progress.failed(recording.name, error)
            progress.advance(2 * recording.size - counting.furthest)
            return
        progress.advance(max(0, recording.size - counting.furthest))
        self._followed.append(followed)

    def _resume(self, recording: Recording, track: int | None) -> _Followed | None:
        """The job of an earlier run, if the service still has it."""
        job_id = self._submitted.find(recording, track)
        if job_id is None:
            return None
        try:
            self._service.look(job_id, recording.name)
        except JobGone:
            self._submitted.remove(recording, track)
            return None
        logger.info("%s: continuing with job %s", recording.name, job_id)
        return _Followed(recording, job_id, noted=True)

    def _submit(self, recording: Recording, track: int | None, counting: CountingFile) -> _Followed:
        wait = not self._followed
        with recording.open() as file:
            source = counting.open(file)
            job = self._service.submit(source, recording.name, track, wait=wait)
        return _Followed(recording, job.id, self._submitted.add(recording, track, job.id))

    def _has_ended(
        self,
        each: _Followed,
        track: int | None,
        deliver: Callable[[Recording, Recognition, Progress], None],
        progress: Progress,
    ) -> bool:
        recording, name = each.recording, each.recording.name
        try:
            job = self._service.look(each.job_id, name)
            self._show(each, job, progress)
            if not job.is_final:
                return False
            if job.state == "succeeded":
                self._fetch(each, deliver, progress)
        except BrokenPipeError:
            raise
        except JobGone:
            self._submitted.remove(recording, track)
            progress.failed(name, RecognitionFailed(
                f"Job {each.job_id} is no longer at the service: it was removed, or has expired. "
                "Run the command again to send the recording again."
            ))  # fmt: skip
            return True
        except Exception as error:
            progress.failed(name, error)
            logger.info("%s: run the same command again to look for job %s", name, each.job_id)
            return True
        if job.state != "succeeded":
            progress.failed(name, RecognitionFailed(job.error or f"The job was {job.state}."))
        self._submitted.remove(recording, track)
        if not self._keep:
            self._service.remove(each.job_id, name)
        return True

    def _fetch(
        self,
        each: _Followed,
        deliver: Callable[[Recording, Recognition, Progress], None],
        progress: Progress,
    ) -> None:
        name = each.recording.name
        recognition = self._service.result(each.job_id, name)
        deliver(each.recording, recognition, progress)
        seconds = recognition.transcript.duration_seconds
        progress.count(seconds)
        progress.done(name, seconds, time.monotonic() - each.started)

    def _show(self, each: _Followed, job: JobState, progress: Progress) -> None:
        n_bytes = each.recording.size if job.is_final else int(job.fraction * each.recording.size)
        progress.advance(max(0, n_bytes - each.n_shown))
        each.n_shown = max(n_bytes, each.n_shown)
        progress.show(each.recording.name)

    def _explain(self) -> None:
        """Say after an interruption which jobs continue, and how to come back to them."""
        if not self._followed:
            return
        text = io.StringIO()
        text.write(f"These jobs continue at {self._service.url}:\n")
        for each in self._followed:
            text.write(f"  {each.job_id}  {each.recording.name}\n")
        if all(each.noted for each in self._followed):
            text.write("Run the same command again to fetch their results.")
        else:
            text.write(
                "Run the same command again to fetch the results of files. For the others:\n"
                f"  curl {self._service.url}v1/jobs/ID/result"
            )
        logger.warning("%s", text.getvalue())
