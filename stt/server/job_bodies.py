"""JSON bodies of the routes of jobs, and how they are made."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field

from stt import errors
from stt.errors import InvalidParameter
from stt.jobs.records import Job, State
from stt.server.problems import STATUSES, problem_body
from stt.server.schemas import Problem

BY_CODE = errors.errors_by_code(errors.SttError)


class JobSummary(BaseModel):
    """A job without its text."""

    id: str
    object: str = "job"
    state: State = Field(description="The last three never change again.")
    language: str = Field(description="Code of the language.")
    name: str = Field(
        description="Name of the uploaded file, in NFC and without folders; may be empty."
    )
    created_at: datetime
    started_at: datetime | None = Field(description="When its first run began.")
    ended_at: datetime | None
    progress_seconds: float = Field(description="Seconds of audio transcribed so far.")
    duration_seconds: float | None = Field(
        description="Length of the recording: an estimate while it is read, exact at the end."
    )
    remaining_seconds: float | None = Field(
        description="Estimated time until the end, while it is running."
    )
    error: Problem | None = Field(description="Why it failed.")

    @classmethod
    def of(cls, job: Job) -> "JobSummary":
        """The body of a job."""
        return cls(**_fields(job))


class JobBody(JobSummary):
    """A job."""

    text: str = Field(description="The text so far; at the end all of it.")

    @classmethod
    def of(cls, job: Job) -> "JobBody":
        """The body of a job."""
        return cls(**_fields(job), text=job.progress.text)


class JobList(BaseModel):
    """A page of jobs, the newest first."""

    object: str = "list"
    data: list[JobSummary]
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last one.")


def _fields(job: Job) -> dict[str, Any]:
    progress = job.progress
    error = None
    if job.fault is not None:
        kind = BY_CODE.get(job.fault.code)
        status = STATUSES.get(kind, 500) if kind is not None else 500
        error = problem_body(status, job.fault.code, job.fault.message, job.request_id)
    return {
        "id": job.id,
        "state": job.state,
        "language": job.order.language,
        "name": job.order.name,
        "created_at": _time(job.created),
        "started_at": None if job.started is None else _time(job.started),
        "ended_at": None if job.ended is None else _time(job.ended),
        "progress_seconds": round(progress.done_seconds, 3),
        "duration_seconds": round(progress.expected_seconds, 3) or None,
        "remaining_seconds": progress.remaining_seconds,
        "error": error,
    }


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def cursor_of(job: Job) -> str:
    """Names the place after a job in the list."""
    return urlsafe_b64encode(f"{job.created!r} {job.id}".encode()).decode()


def parse_cursor(cursor: str) -> tuple[float, str]:
    """The time and id of that job.

    Raises:
        InvalidParameter: no answer has this cursor.
    """
    try:
        created, job_id = urlsafe_b64decode(cursor).decode().split(" ")
        return float(created), job_id
    except (binascii.Error, ValueError):
        raise InvalidParameter(
            "cursor is not one of ours; send next_cursor of the page before."
        ) from None
