"""The jobs as those who run them see them: claim, renew, store windows, end.

A run may stop at any moment. Its lease then lapses, and whoever claims the job next gets a higher
token; so of two who believe that a job is theirs, only one can write.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, func, insert, or_, select, update

from stt.errors import JobAbandoned
from stt.jobs.database import Database
from stt.jobs.records import Fault, Job, Lease, Progress, State
from stt.jobs.store import announce, job_of
from stt.jobs.tables import JOBS, RESULTS, WINDOWS

MOST_PAUSE_SECONDS = 60.0
UNSERVED_SECONDS = 600.0
"""Age at which a job is failed by a replica that does not serve its language. Until then, others
may: a new language is rolled out to one replica after the other."""


def pause_seconds(n_attempts: int) -> float:
    """How long a job waits after so many runs that broke off, beyond its lease.

    It may have taken the service down, and with it the runs of innocent others.
    """
    return min(MOST_PAUSE_SECONDS, 2.0 ** (n_attempts - 1) - 1)


class LeaseLost(Exception):
    """Somebody else runs the job, or its client has cancelled it."""


@dataclass(frozen=True)
class Claimed:
    """A job to run."""

    job: Job
    lease: Lease
    gives_up: bool
    """Too many runs have broken off: end the job instead."""


class Leases:
    """Every method is one transaction and blocks: call it in a thread. Errors as `Database`."""

    def __init__(self, database: Database, lease_seconds: float, most_attempts: int) -> None:
        """
        Args:
            database: Has the tables.
            lease_seconds: How long a lease lasts unless it is renewed.
            most_attempts: Runs that may end without having stored a window.
        """
        self._database = database
        self._lease_seconds = lease_seconds
        self._most_attempts = most_attempts

    def claim(self, languages: Mapping[str, bool]) -> Claimed | None:
        """Claim a job that nobody runs; None if there is none.

        Owners take turns: the one with the fewest running jobs comes first, then the oldest job.

        Args:
            languages: Codes of those that are served, and whether their models can be used now. A
                job in any other language is claimed too once it is `UNSERVED_SECONDS` old.
        """
        with self._database.reading() as connection:
            query = self._next(languages, self._database.now(connection))
            if connection.execute(query).first() is None:
                return None  # without keeping those out who write
        with self._database.writing() as connection:
            now = self._database.now(connection)
            query = self._next(languages, now).with_for_update(skip_locked=True, of=JOBS)
            row = connection.execute(query).mappings().one_or_none()
            if row is None:
                return None
            lease = Lease(row["id"], row["lease_token"] + 1)
            claimed = connection.execute(
                update(JOBS)
                .where(JOBS.c.id == row["id"], JOBS.c.lease_token == row["lease_token"])
                .values(
                    state=State.RUNNING,
                    started=func.coalesce(JOBS.c.started, now),
                    lease_token=lease.token,
                    lease_until=now + self._lease_seconds,
                    not_before=now + self._lease_seconds + pause_seconds(row["attempts"] + 1),
                    attempts=JOBS.c.attempts + 1,
                    remaining_seconds=None,
                )
            ).rowcount
            if not claimed:
                return None
            return Claimed(job_of(row), lease, row["attempts"] >= self._most_attempts)

    @staticmethod
    def _next(languages: Mapping[str, bool], now: float) -> Select[Any]:
        others = JOBS.alias()
        n_running = (
            select(func.count())
            .where(others.c.owner == JOBS.c.owner, others.c.state == State.RUNNING)
            .where(others.c.lease_until >= now)
            .scalar_subquery()
        )
        return (
            select(JOBS)
            .where(
                or_(
                    JOBS.c.language.in_([code for code, usable in languages.items() if usable]),
                    and_(
                        JOBS.c.language.not_in(list(languages)),
                        JOBS.c.created <= now - UNSERVED_SECONDS,
                    ),
                )
            )
            .where(
                or_(
                    JOBS.c.state == State.QUEUED,
                    and_(JOBS.c.state == State.RUNNING, JOBS.c.lease_until < now),
                )
            )
            .where(JOBS.c.not_before <= now)
            .order_by(n_running, JOBS.c.created, JOBS.c.id)
            .limit(1)
        )

    def renew(self, lease: Lease, progress: Progress) -> None:
        """Keep the lease, and say how far the job is.

        Raises:
            LeaseLost: it is too late.
        """
        with self._database.writing() as connection:
            until = self._database.now(connection) + self._lease_seconds
            self._update(connection, lease, lease_until=until, **_columns(progress))

    def release(self, lease: Lease, seconds: float, *, counts: bool = False) -> None:
        """Give the job back, to be run again after these seconds.

        Args:
            lease: As for all methods; raises as `renew`.
            seconds: From now.
            counts: Whether this run counts towards the attempts.
        """
        with self._database.writing() as connection:
            self._update(
                connection,
                lease,
                state=State.QUEUED,
                not_before=self._database.now(connection) + seconds,
                lease_until=0.0,
                remaining_seconds=None,
                **({} if counts else {"attempts": 0}),
            )

    def succeed(self, lease: Lease, result: bytes, progress: Progress) -> None:
        """End the job with its result; raises as `renew`."""
        with self._database.writing() as connection:
            values = {"result": result, "job_id": lease.job_id}
            self._end(connection, lease, State.SUCCEEDED, **_columns(progress))
            connection.execute(insert(RESULTS).values(**values))

    def fail(self, lease: Lease, fault: Fault) -> None:
        """End the job without one; raises as `renew`."""
        with self._database.writing() as connection:
            self._end(
                connection,
                lease,
                State.FAILED,
                fault_code=fault.code,
                fault_message=fault.message,
                remaining_seconds=None,
            )

    def give_up(self, lease: Lease) -> None:
        """End a job that was attempted too often; raises as `renew`."""
        error = JobAbandoned(
            f"The service went down {self._most_attempts} times while it ran this job, or could "
            "not open its recording. Convert it, for example to FLAC, or send it in parts."
        )
        self.fail(lease, Fault(error.code, error.message))

    def fingerprints(self, lease: Lease) -> set[str]:
        """Fingerprints of the windows that are stored."""
        query = select(WINDOWS.c.fingerprint).where(WINDOWS.c.job_id == lease.job_id)
        with self._database.reading() as connection:
            return set(connection.execute(query).scalars())

    def window(self, lease: Lease, fingerprint: str) -> bytes | None:
        """The stored frames of a window."""
        query = select(WINDOWS.c.frames).where(
            WINDOWS.c.job_id == lease.job_id, WINDOWS.c.fingerprint == fingerprint
        )
        with self._database.reading() as connection:
            return connection.execute(query).scalar_one_or_none()

    def keep(self, lease: Lease, fingerprint: str, frames: bytes) -> None:
        """Store the frames of a window; raises as `renew`."""
        values = {"job_id": lease.job_id, "fingerprint": fingerprint, "frames": frames}
        with self._database.writing() as connection:
            self._update(connection, lease, attempts=0, not_before=0.0)
            same = (WINDOWS.c.job_id == lease.job_id, WINDOWS.c.fingerprint == fingerprint)
            connection.execute(delete(WINDOWS).where(*same))
            connection.execute(insert(WINDOWS).values(**values))

    def _end(self, connection: Connection, lease: Lease, state: State, **values: Any) -> None:
        now = self._database.now(connection)
        self._update(connection, lease, state=state, ended=now, **values)
        row = connection.execute(select(JOBS).where(JOBS.c.id == lease.job_id)).mappings().one()
        announce(connection, job_of(row), now)

    @staticmethod
    def _update(connection: Connection, lease: Lease, **values: Any) -> None:
        changed = connection.execute(
            update(JOBS)
            .where(JOBS.c.id == lease.job_id, JOBS.c.lease_token == lease.token)
            .where(JOBS.c.state == State.RUNNING)
            .values(**values)
        ).rowcount
        if not changed:
            raise LeaseLost


def _columns(progress: Progress) -> dict[str, Any]:
    return {
        "done_seconds": progress.done_seconds,
        "expected_seconds": progress.expected_seconds,
        "remaining_seconds": progress.remaining_seconds,
        "text": progress.text,
    }
