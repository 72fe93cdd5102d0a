"""The webhooks that are still to be sent."""

from dataclasses import dataclass

from sqlalchemy import delete, select, update

from stt.jobs.database import Database
from stt.jobs.records import Job
from stt.jobs.store import job_of
from stt.jobs.tables import DELIVERIES, JOBS

CLAIM_SECONDS = 360.0
"""Longer than any attempt. If whoever claimed a delivery has died, another takes it then."""


@dataclass(frozen=True)
class Delivery:
    """One attempt that is due."""

    job: Job
    url: str
    n_attempts: int
    """Attempts so far, with this one."""


class Deliveries:
    """Every method is one transaction and blocks: call it in a thread. Errors as `Database`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self) -> Delivery | None:
        """A delivery that is due and that nobody attempts; None if there is none."""
        due = select(DELIVERIES).order_by(DELIVERIES.c.not_before).limit(1)
        with self._database.reading() as connection:
            now = self._database.now(connection)
            row = connection.execute(due.where(DELIVERIES.c.not_before <= now)).mappings().first()
        if row is None:
            return None
        with self._database.writing() as connection:
            claimed = connection.execute(
                update(DELIVERIES)
                .where(DELIVERIES.c.job_id == row["job_id"])
                .where(DELIVERIES.c.not_before == row["not_before"])
                .values(not_before=now + CLAIM_SECONDS, attempts=row["attempts"] + 1)
            ).rowcount
            query = select(JOBS).where(JOBS.c.id == row["job_id"])
            job = connection.execute(query).mappings().one_or_none()
        if not claimed or job is None:
            return None
        return Delivery(job_of(job), row["url"], row["attempts"] + 1)

    def settle(self, delivery: Delivery, next_time: float | None) -> None:
        """Note when to try again, in seconds since 1970; None: never."""
        of_job = DELIVERIES.c.job_id == delivery.job.id
        with self._database.writing() as connection:
            if next_time is None:
                connection.execute(delete(DELIVERIES).where(of_job))
            else:
                connection.execute(update(DELIVERIES).where(of_job).values(not_before=next_time))
