"""The jobs as clients see them: accept, find, list, cancel, remove."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, delete, func, insert, or_, select, text, update

from stt.asked import Asked
from stt.errors import JobNotFound, JobQuotaReached
from stt.formats.layout import Layout
from stt.jobs.database import Database
from stt.jobs.records import ACTIVE, Fault, Filter, Job, Order, Progress, Quota, State
from stt.jobs.tables import DELIVERIES, JOBS, RESULTS, WINDOWS

QUOTA_SECONDS = 60.0
"""When a client at its quota should try again; how long its jobs take is not known."""


class Store:
    """Every method is one transaction and blocks: call it in a thread. Errors as `Database`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def accept(self, job: Job, quota: Quota) -> Job:
        """Store a new job, whose upload is stored already. Returns it with its time.

        Raises:
            JobQuotaReached: its owner has too many.
        """
        with self._database.writing() as connection:
            if self._database.is_postgres:  # else the transaction has the file for itself
                lock = text("SELECT pg_advisory_xact_lock(hashtext(:owner))")
                connection.execute(lock, {"owner": f"stt jobs {job.owner}"})
            _check(connection, job, quota)
            now = self._database.now(connection)
            connection.execute(insert(JOBS).values(**_columns(job), created=now, not_before=now))
        return replace(job, created=now)

    def find(self, owner: str, job_id: str) -> Job:
        """
        Raises:
            JobNotFound: there is none with this id, or it belongs to somebody else.
        """
        with self._database.reading() as connection:
            return _find(connection, owner, job_id)

    def list(self, owner: str, chosen: Filter) -> Sequence[Job]:
        """The newest jobs of an owner, in order."""
        query = select(JOBS).where(JOBS.c.owner == owner)
        if chosen.state is not None:
            query = query.where(JOBS.c.state == chosen.state)
        if chosen.created_after is not None:
            query = query.where(JOBS.c.created > chosen.created_after)
        if chosen.created_before is not None:
            query = query.where(JOBS.c.created < chosen.created_before)
        if chosen.after is not None:
            created, job_id = chosen.after
            query = query.where(
                or_(JOBS.c.created < created, and_(JOBS.c.created == created, JOBS.c.id < job_id))
            )
        query = query.order_by(JOBS.c.created.desc(), JOBS.c.id.desc()).limit(chosen.limit)
        with self._database.reading() as connection:
            return [job_of(row) for row in connection.execute(query).mappings()]

    def result(self, job_id: str) -> bytes | None:
        """What the last run of a succeeded job stored."""
        query = select(RESULTS.c.result).where(RESULTS.c.job_id == job_id)
        with self._database.reading() as connection:
            return connection.execute(query).scalar_one_or_none()

    def cancel_or_remove(self, owner: str, job_id: str) -> Job | None:
        """End an active job, or remove an ended one; returns what is left of it.

        Raises:
            JobNotFound: as `find`.
        """
        with self._database.writing() as connection:
            cancelled = connection.execute(
                update(JOBS)
                .where(JOBS.c.id == job_id, JOBS.c.owner == owner, JOBS.c.state.in_(ACTIVE))
                .values(
                    state=State.CANCELLED,
                    ended=self._database.now(connection),
                    lease_token=JOBS.c.lease_token + 1,
                    remaining_seconds=None,
                )
            ).rowcount
            job = _find(connection, owner, job_id)
            if cancelled:
                announce(connection, job, self._database.now(connection))
                return job
            _remove(connection, [job_id])
            return None

    def remove_ended_before(self, seconds_ago: float) -> Sequence[str]:
        """Remove the jobs that ended so long ago; returns their ids."""
        with self._database.reading() as connection:
            limit = self._database.now(connection) - seconds_ago
            query = select(JOBS.c.id).where(JOBS.c.state.not_in(ACTIVE), JOBS.c.ended < limit)
            ids = connection.execute(query).scalars().all()
        if ids:
            with self._database.writing() as connection:
                _remove(connection, ids)
        return ids

    def active_among(self, ids: Sequence[str]) -> set[str]:
        """Which of these jobs still need their upload."""
        query = select(JOBS.c.id).where(JOBS.c.id.in_(ids), JOBS.c.state.in_(ACTIVE))
        with self._database.reading() as connection:
            return set(connection.execute(query).scalars())

    def count(self) -> Mapping[State, int]:
        """The active jobs of all owners, by state."""
        query = (
            select(JOBS.c.state, func.count())
            .where(JOBS.c.state.in_(ACTIVE))
            .group_by(JOBS.c.state)
        )
        with self._database.reading() as connection:
            found = {State(state): n for state, n in connection.execute(query)}
        return {state: found.get(state, 0) for state in ACTIVE}


def announce(connection: Connection, job: Job, now: float) -> None:
    """Note that the webhook of a job that has just ended is to be sent, and drop its windows."""
    connection.execute(delete(WINDOWS).where(WINDOWS.c.job_id == job.id))
    if job.order.webhook_url is not None:
        delivery = {"job_id": job.id, "url": job.order.webhook_url}
        connection.execute(insert(DELIVERIES).values(**delivery, attempts=0, not_before=now))


def job_of(row: RowMapping) -> Job:
    """A job from its row."""
    code = row["fault_code"]
    return Job(
        id=row["id"],
        owner=row["owner"],
        state=State(row["state"]),
        order=Order(
            row["language"],
            Asked(**json.loads(row["asked"])),
            row["track"],
            row["response_format"],
            row["granularities"],
            Layout(**json.loads(row["layout"])),
            row["name"],
            row["url"],
            row["webhook_url"],
        ),
        created=row["created"],
        started=row["started"],
        ended=row["ended"],
        request_id=row["request_id"],
        upload_bytes=row["upload_bytes"],
        progress=Progress(
            row["done_seconds"], row["expected_seconds"], row["remaining_seconds"], row["text"]
        ),
        fault=None if code is None else Fault(code, row["fault_message"]),
    )


def _columns(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "owner": job.owner,
        "state": job.state,
        "language": job.order.language,
        "asked": json.dumps(asdict(job.order.asked)),
        "track": job.order.track,
        "response_format": job.order.response_format,
        "granularities": job.order.granularities,
        "layout": json.dumps(asdict(job.order.layout)),
        "name": job.order.name,
        "url": job.order.url,
        "webhook_url": job.order.webhook_url,
        "request_id": job.request_id,
        "upload_bytes": job.upload_bytes,
        "lease_token": 0,
        "lease_until": 0.0,
        "attempts": 0,
        "done_seconds": 0.0,
        "expected_seconds": 0.0,
        "text": "",
    }


def _check(connection: Connection, job: Job, quota: Quota) -> None:
    held = select(func.count(), func.coalesce(func.sum(JOBS.c.upload_bytes), 0)).where(
        JOBS.c.owner == job.owner, JOBS.c.state.in_(ACTIVE)
    )
    n_jobs, n_bytes = map(int, connection.execute(held).one())  # PostgreSQL sums to a Decimal
    if n_jobs >= quota.jobs:
        raise JobQuotaReached(
            f"{n_jobs} jobs are queued or running; the limit is {quota.jobs}. Wait until one has "
            "ended, or cancel one.",
            QUOTA_SECONDS,
        )
    if n_bytes + job.upload_bytes > quota.stored_bytes:
        raise JobQuotaReached(
            f"The recordings of the jobs would take {(n_bytes + job.upload_bytes) / 1e6:.0f} MB; "
            f"the limit is {quota.stored_bytes / 1e6:.0f} MB. Wait until jobs have ended, or "
            "cancel some.",
            QUOTA_SECONDS,
        )


def _find(connection: Connection, owner: str, job_id: str) -> Job:
    query = select(JOBS).where(JOBS.c.id == job_id, JOBS.c.owner == owner)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise JobNotFound(
            "There is no such job. It may have been removed, or belong to another key. "
            "GET /v1/jobs lists yours."
        )
    return job_of(row)


def _remove(connection: Connection, ids: Sequence[str]) -> None:
    for table, column in ((JOBS, JOBS.c.id), *((t, t.c.job_id) for t in (RESULTS, DELIVERIES))):
        connection.execute(delete(table).where(column.in_(ids)))
