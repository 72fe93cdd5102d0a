"""What is known of a job."""

from dataclasses import dataclass
from enum import StrEnum

from stt.asked import Asked
from stt.formats.layout import LAYOUT, Layout


class State(StrEnum):
    """Where a job is; the last three never change again."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the job has ended."""
        return self not in ACTIVE


ACTIVE = (State.QUEUED, State.RUNNING)


@dataclass(frozen=True)
class Order:
    """What a client asks for."""

    language: str
    """Code of its language."""
    asked: Asked
    track: int | None = None
    response_format: str = "json"
    """Format of the result, unless the request for it names another."""
    granularities: str = ""
    """What the result has times for, separated by commas, by default."""
    layout: Layout = LAYOUT
    """Size of its subtitles, by default."""
    name: str = ""
    """Name of the uploaded file, for people who look at a list; may be empty."""
    url: str | None = None
    """Where the recording is fetched from; None if it was uploaded."""
    webhook_url: str | None = None
    """URL that is called once the job has ended."""


@dataclass(frozen=True)
class Fault:
    """Why a job failed."""

    code: str
    """Code of the `stt.errors.SttError`, or ``internal_error``."""
    message: str


@dataclass(frozen=True)
class Progress:
    """How far a job is."""

    done_seconds: float = 0.0
    """Audio whose frames are computed."""
    expected_seconds: float = 0.0
    """Length of the recording, as far as it shows by now: an estimate, or 0."""
    remaining_seconds: float | None = None
    """Estimated time until the end, by the speed so far; None before there is one."""
    text: str = ""
    """The words that are settled; after the end all words."""


@dataclass(frozen=True)
class Job:
    """A job as it is stored. Times are seconds since 1970."""

    id: str
    owner: str
    """`stt.server.keys.Key.id` of the client's key; "" if the service has no keys."""
    state: State
    order: Order
    created: float
    started: float | None = None
    """When its first run began."""
    ended: float | None = None
    request_id: str | None = None
    """Id of the request that created it."""
    upload_bytes: int = 0
    progress: Progress = Progress()
    fault: Fault | None = None


@dataclass(frozen=True)
class Lease:
    """The right to run a job. It lapses unless it is renewed, and then somebody else gets it."""

    job_id: str
    token: int
    """Counts the leases of this job. The holder of an old one can no longer write: a fencing token
    (Kleppmann, How to do distributed locking, 2016)."""


@dataclass(frozen=True)
class Quota:
    """What one key may have at a time."""

    jobs: int
    """How many may be queued or running."""
    stored_bytes: int
    """Total size of their uploads."""


@dataclass(frozen=True)
class Filter:
    """Which jobs to list. Times are seconds since 1970."""

    state: State | None = None
    created_after: float | None = None
    created_before: float | None = None
    limit: int = 20
    after: tuple[float, str] | None = None
    """Time and id of the last job of the page before."""
