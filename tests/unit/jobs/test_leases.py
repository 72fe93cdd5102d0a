"""Of two who believe that a job is theirs, one can write; whatever is accepted ends once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from stt.asked import Asked
from stt.errors import JobNotFound, JobQuotaReached, JobsUnavailable, OutOfStorage
from stt.jobs import tables
from stt.jobs.database import HEAD, Database, open_database
from stt.jobs.leases import UNSERVED_SECONDS, LeaseLost, Leases
from stt.jobs.records import Fault, Filter, Job, Order, Progress, Quota, State
from stt.jobs.store import Store
from stt.jobs.tables import METADATA

PLENTY = Quota(100, 10**9)
KOREAN = {"KR": True}


class Clock(Database):
    """A database whose clock stands still."""

    time = 1000.0

    def now(self, connection: object) -> float:
        return self.time


@pytest.fixture(params=["sqlite", "postgres"])
def database(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Clock]:
    url = request.getfixturevalue("postgres") if request.param == "postgres" else None
    database = Clock(open_database(tmp_path, url)._engine)
    yield database
    with database.writing() as connection:
        for table in METADATA.sorted_tables:
            connection.execute(table.delete())
    database.close()


def accept(database: Database, job_id: str = "a", owner: str = "", **more: str) -> Job:
    order = Order("KR", Asked(), **more)
    return Store(database).accept(Job(job_id, owner, State.QUEUED, order, 0.0), PLENTY)


def leases(database: Database) -> Leases:
    return Leases(database, lease_seconds=15, most_attempts=2)


def test_a_job_is_claimed_once(database: Clock) -> None:
    accept(database)
    assert leases(database).claim(KOREAN) is not None
    assert leases(database).claim(KOREAN) is None


def test_a_job_waits_for_a_model_of_its_language(database: Clock) -> None:
    accept(database)
    database.time += 2 * UNSERVED_SECONDS
    assert leases(database).claim({"EN": True, "KR": False}) is None


def test_a_job_in_a_language_that_is_not_served_is_claimed_after_a_while(database: Clock) -> None:
    accept(database)
    database.time += UNSERVED_SECONDS - 1
    assert leases(database).claim({"EN": True}) is None
    database.time += 1
    assert leases(database).claim({"EN": False}) is not None


def test_a_lapsed_lease_goes_to_somebody_else_and_its_old_holder_writes_nothing(
    database: Clock,
) -> None:
    accept(database, webhook_url="https://example.org")
    old, new = leases(database), leases(database)
    first = old.claim(KOREAN)
    assert first is not None
    old.keep(first.lease, "w1", b"1")
    database.time += 16
    second = new.claim(KOREAN)
    assert second is not None
    for write in (
        lambda: old.renew(first.lease, Progress()),
        lambda: old.keep(first.lease, "w2", b"2"),
        lambda: old.release(first.lease, 0),
        lambda: old.fail(first.lease, Fault("x", "x")),
        lambda: old.succeed(first.lease, b"old", Progress()),
    ):
        with pytest.raises(LeaseLost):
            write()
    assert new.fingerprints(second.lease) == {"w1"}
    assert new.window(second.lease, "w1") == b"1"
    new.succeed(second.lease, b"new", Progress(text="ab"))
    with pytest.raises(LeaseLost):
        new.succeed(second.lease, b"again", Progress())
    store = Store(database)
    assert store.result("a") == b"new"
    assert store.find("", "a").state is State.SUCCEEDED
    assert new.fingerprints(second.lease) == set()  # nobody needs them any more


def test_a_renewed_lease_does_not_lapse(database: Clock) -> None:
    accept(database)
    mine = leases(database)
    claimed = mine.claim(KOREAN)
    assert claimed is not None
    database.time += 14
    mine.renew(claimed.lease, Progress(20.0, 60.0, 4.0, "ab"))
    database.time += 14
    assert leases(database).claim(KOREAN) is None
    assert Store(database).find("", "a").progress == Progress(20.0, 60.0, 4.0, "ab")


def test_a_cancelled_job_cannot_be_ended_by_its_runner(database: Clock) -> None:
    accept(database)
    mine = leases(database)
    claimed = mine.claim(KOREAN)
    assert claimed is not None
    left = Store(database).cancel_or_remove("", "a")
    assert left is not None and left.state is State.CANCELLED
    with pytest.raises(LeaseLost):
        mine.succeed(claimed.lease, b"", Progress())
    assert Store(database).cancel_or_remove("", "a") is None  # now it is removed
    with pytest.raises(JobNotFound):
        Store(database).find("", "a")


def test_a_job_that_takes_the_service_down_is_given_up_unless_it_advances(database: Clock) -> None:
    accept(database)
    mine = leases(database)
    for stores_a_window in (False, True, False):
        claimed = mine.claim(KOREAN)
        assert claimed is not None and not claimed.gives_up
        if stores_a_window:
            mine.keep(claimed.lease, "w", b"")
        database.time += 16
    claimed = mine.claim(KOREAN)
    assert claimed is not None and not claimed.gives_up
    database.time += 16
    claimed = mine.claim(KOREAN)
    assert claimed is not None and claimed.gives_up
    mine.give_up(claimed.lease)
    fault = Store(database).find("", "a").fault
    assert fault is not None and fault.code == "job_abandoned"


def test_a_job_that_is_given_back_waits_and_does_not_count_as_attempted(database: Clock) -> None:
    accept(database)
    mine = leases(database)
    for _ in range(5):
        claimed = mine.claim(KOREAN)
        assert claimed is not None and not claimed.gives_up
        mine.release(claimed.lease, 30)
        assert mine.claim(KOREAN) is None
        database.time += 31


def test_owners_take_turns(database: Clock) -> None:
    for index in range(3):
        accept(database, f"a{index}", "ann")
        database.time += 1
    accept(database, "b0", "bob")
    mine = leases(database)
    order = [claimed.job.id for _ in range(4) if (claimed := mine.claim(KOREAN)) is not None]
    assert order == ["a0", "b0", "a1", "a2"]


def test_quotas_count_what_is_active(database: Clock) -> None:
    store, order = Store(database), Order("KR", Asked())
    two = Quota(2, 10)

    def hand_in(job_id: str, size: int) -> None:
        job = Job(job_id, "ann", State.QUEUED, order, 0.0, upload_bytes=size)
        store.accept(job, two)

    hand_in("a", 6)
    with pytest.raises(JobQuotaReached, match="0 MB"):
        hand_in("b", 5)
    hand_in("b", 4)
    with pytest.raises(JobQuotaReached, match="2 jobs"):
        hand_in("c", 0)
    store.cancel_or_remove("ann", "a")
    hand_in("c", 6)


def test_a_client_sees_its_own_jobs(database: Clock) -> None:
    accept(database, "a", "ann")
    with pytest.raises(JobNotFound):
        Store(database).find("bob", "a")
    with pytest.raises(JobNotFound):
        Store(database).cancel_or_remove("bob", "a")
    assert Store(database).list("bob", Filter()) == []
    assert [job.id for job in Store(database).list("ann", Filter())] == ["a"]


def test_ended_jobs_are_removed_after_a_while_and_active_ones_never(database: Clock) -> None:
    accept(database, "a")
    accept(database, "b")
    claimed = leases(database).claim(KOREAN)
    assert claimed is not None and claimed.job.id == "a"
    leases(database).succeed(claimed.lease, b"result", Progress())
    database.time += 100
    assert Store(database).remove_ended_before(101) == []
    assert Store(database).remove_ended_before(99) == ["a"]
    assert Store(database).result("a") is None
    assert Store(database).active_among(["a", "b"]) == {"b"}


def test_a_full_disk_is_named_and_leaves_everything_as_it_was(tmp_path: Path) -> None:
    database = open_database(tmp_path, None)
    accept(database)
    mine = leases(database)
    claimed = mine.claim(KOREAN)
    assert claimed is not None
    with database.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        # Of this connection alone, which the pool gives to the next transaction.
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(OutOfStorage):
        mine.keep(claimed.lease, "w", bytes(100_000))
    with database.reading() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    assert mine.fingerprints(claimed.lease) == set()
    mine.keep(claimed.lease, "w", bytes(100_000))
    assert mine.fingerprints(claimed.lease) == {"w"}


def test_runners_that_claim_at_the_same_time_get_different_jobs(database: Clock) -> None:
    for index in range(20):
        accept(database, f"{index:02}")

    def claim_all() -> list[str]:
        mine, found = leases(database), []
        while (claimed := mine.claim(KOREAN)) is not None:
            found.append(claimed.job.id)
        return found

    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda _: claim_all(), range(4)))
    claimed = sorted(job for part in parts for job in part)
    assert len(set(claimed)) == len(claimed)
    # Who meets another may find nothing; the next look finds the rest.
    assert sorted(claimed + claim_all()) == [f"{index:02}" for index in range(20)]


def url_of(database: Database) -> str | None:
    """As in the settings."""
    if not database.is_postgres:
        return None
    return database._engine.url.render_as_string(hide_password=False)


def test_jobs_of_an_older_version_go_on(database: Clock, tmp_path: Path) -> None:
    accept(database)
    with database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE jobs DROP COLUMN layout")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    open_database(tmp_path, url_of(database)).close()
    claimed = leases(database).claim(KOREAN)
    assert claimed is not None
    assert claimed.job.order == Order("KR", Asked())


def test_tables_of_a_newer_version_are_left_alone(database: Clock, tmp_path: Path) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    try:
        with pytest.raises(JobsUnavailable, match="newer version"):
            open_database(tmp_path, url_of(database))
    finally:
        with database.writing() as connection:
            connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{HEAD}'")


def test_the_last_migration_is_the_one_that_is_known() -> None:
    names = (Path(tables.__file__).parent / "migrations" / "versions").glob("[0-9]*.py")
    assert max(name.name.partition("_")[0] for name in names) == HEAD


def test_migrations_make_the_tables_that_the_code_uses(database: Clock) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, METADATA) == []
