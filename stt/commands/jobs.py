"""Jobs of a running service: ``--url http://host:8400 --job``.

Every request is retried while the service restarts or the connection is down, since the job
continues meanwhile.
"""

import json
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

import httpx

from stt.asked import Asked
from stt.commands.recognition import Recognition, RecognitionFailed
from stt.commands.remote import (
    MAX_PAUSE_SECONDS,
    connect,
    detail,
    form_fields,
    read_answer,
    reason,
    retry_after,
)
from stt.errors import ConfigurationError

logger = logging.getLogger(__name__)

PATH = "v1/jobs"
TRANSFER_SECONDS = 120.0
"""Longest silence during a request: all of them are short, except for the upload itself."""
PATIENCE_SECONDS = 900.0
"""How long a service may be away or busy before a recording is given up here."""
FIRST_PAUSE_SECONDS = 1.0
RETRIED = frozenset({408, 429, 502, 503, 504})


@dataclass(frozen=True)
class JobState:
    """A job as the service describes it."""

    id: str
    state: str
    """``queued``, ``running``, ``succeeded``, ``failed`` or ``cancelled``."""
    fraction: float
    """How much of it is transcribed, from 0 to 1, as far as that is known."""
    error: str | None
    """Why it failed."""

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        return self.state in ("succeeded", "failed", "cancelled")


class ServiceBusy(Exception):
    """The service takes no more jobs for now."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds
        """How long to wait."""


class JobGone(Exception):
    """The service does not know the job, or no longer has it."""


class JobService:
    """Sends recordings to a service as jobs, and asks for them."""

    def __init__(
        self,
        url: str,
        lang: str | None = None,
        api_key: str | None = None,
        asked: Asked | None = None,
        *,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            url: Scheme, host, and the path that the service is mounted under, if any.
            lang: Sent unchanged; None lets the service choose.
            api_key: The key, for a service that requires one.
            asked: What is asked of the decoding.
            sleep: Waits for a number of seconds.
            clock: Seconds from any start.

        Raises:
            ConfigurationError: the URL or the key is invalid, or nothing listens there.
        """
        self._client = connect(url, api_key)
        self._client.timeout = httpx.Timeout(TRANSFER_SECONDS)
        self.url = str(self._client.base_url)
        self.fields = form_fields(lang, asked or Asked())
        self._sleep, self._clock = sleep, clock
        self._answered = clock()
        """When the service last answered."""

    def submit(
        self, source: BinaryIO, name: str, track: int | None = None, *, wait: bool = True
    ) -> JobState:
        """Submit a recording; when this returns, the service has stored it.

        If the connection breaks before the answer, the recording is sent again, so that the service
        may have it twice. The result of the other job expires there.

        Args:
            source: Seekable; stays open.
            name: The recording's name, for messages and the service.
            track: Number of the audio track; None lets the service choose.
            wait: For a service that takes no more jobs.

        Raises:
            ServiceBusy: it takes no more, and ``wait`` is false.
            RecognitionFailed: the service refuses it, or does not come back.
            ConfigurationError: the service has no jobs.
        """
        fields = self.fields | ({"track": str(track)} if track else {})
        file = (name.rsplit("/", 1)[-1], source, "application/octet-stream")
        response = self._request("POST", PATH, name, wait=wait, data=fields, files={"file": file})
        if response.status_code in (404, 405):
            raise ConfigurationError(
                f"The service at {self.url} offers no jobs; it may be an older version. Leave out "
                "--job to wait for each recording."
            )
        return read_job(_content(response, 202))

    def look(self, job_id: str, name: str) -> JobState:
        """How far a job is.

        Raises:
            JobGone: the service does not know it.
            RecognitionFailed: the service does not come back.
        """
        return read_job(_content(self._request("GET", f"{PATH}/{job_id}", name), 200))

    def result(self, job_id: str, name: str) -> Recognition:
        """The result of a job that has succeeded; raises as `look`."""
        query = {"response_format": "verbose_json"}
        response = self._request("GET", f"{PATH}/{job_id}/result", name, params=query)
        return read_answer(_content(response, 200))

    def remove(self, job_id: str, name: str) -> None:
        """Remove a job that has ended, with its result; it does not matter if that fails."""
        try:
            response = self._request("DELETE", f"{PATH}/{job_id}", name)
        except RecognitionFailed as error:
            logger.warning("%s: job %s was not removed. %s", name, job_id, error.message)
            return
        if response.status_code not in (200, 204, 404):
            logger.warning("%s: job %s was not removed. %s", name, job_id, detail(response))

    def _request(
        self, method: str, path: str, name: str, *, wait: bool = True, **options: Any
    ) -> httpx.Response:
        """Send a request until the service answers it, one way or the other.

        Raises:
            ServiceBusy: it says 429, and ``wait`` is false.
            RecognitionFailed: it has not answered any for `PATIENCE_SECONDS`.
        """
        pause = FIRST_PAUSE_SECONDS
        while True:
            asked = None
            try:
                response = self._client.request(method, path, **options)
            except httpx.HTTPError as error:
                trouble = f"The service did not answer: {reason(error)}."
            else:
                if response.status_code not in RETRIED:
                    self._answered = self._clock()
                    return response
                trouble, asked = detail(response), retry_after(response)
                if asked is None and response.status_code == 503 and _is_ours(response):
                    self._answered = self._clock()
                    return response  # a retry would not help
                if response.status_code == 429 and not wait:
                    raise ServiceBusy(asked or pause)
            # Not all clients of a service that restarts should come back at once.
            seconds = asked or pause * random.uniform(1, 1.5)  # noqa: S311
            if self._clock() + seconds > self._answered + PATIENCE_SECONDS:
                raise RecognitionFailed(trouble)
            logger.info("%s: %s Trying again in %.0f s.", name, trouble, seconds)
            self._sleep(seconds)
            pause = min(2 * pause, MAX_PAUSE_SECONDS)


def _is_ours(response: httpx.Response) -> bool:
    """Whether the service itself has answered, not a proxy before it."""
    return "json" in response.headers.get("Content-Type", "")


def _content(response: httpx.Response, expected: int) -> bytes:
    if response.status_code == expected:
        return response.content
    if response.status_code == 404:
        raise JobGone(detail(response))
    raise RecognitionFailed(detail(response))


def read_job(body: bytes) -> JobState:
    """Read the description of a job.

    Raises:
        RecognitionFailed: it is none.
    """
    try:
        job: dict[str, Any] = json.loads(body)
        error = job.get("error")
        return JobState(
            str(job["id"]),
            str(job["state"]),
            _fraction(job),
            None if error is None else str(error["detail"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise RecognitionFailed(
            "The service's answer is not of the expected form. Is it another version?"
        ) from error


def _fraction(job: dict[str, Any]) -> float:
    if job["state"] == "succeeded":
        return 1.0
    done, whole = job.get("progress_seconds"), job.get("duration_seconds")
    return min(1.0, done / whole) if done and whole else 0.0
