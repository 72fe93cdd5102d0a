"""The database of the jobs: SQLite in the state folder, or PostgreSQL for several replicas."""

import errno
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from stt.errors import ConfigurationError, JobsUnavailable, OutOfStorage

FILE = "jobs.sqlite3"
HEAD = "0002"
"""The last migration."""
BUSY_SECONDS = 30.0
"""Longest wait for another process that writes."""
CONNECT_SECONDS = 5
RETRY_SECONDS = 5.0
FULL = "The service cannot store the job: its disk is full. Try again later."
SQLITE_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC}
POSTGRES_FULL = "53100"
"""``disk_full`` (PostgreSQL's appendix A)."""
MIGRATION_LOCK = 0x5354544A
"""Number of the advisory lock under which PostgreSQL's tables are migrated."""


class Database:
    """Connections for transactions. Every method blocks: call it in a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def is_postgres(self) -> bool:
        """Whether it is PostgreSQL; else SQLite."""
        return self._engine.dialect.name == "postgresql"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that changes nothing; raises as `writing`."""
        with translated(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is on the disk once the block has ended.

        Raises:
            OutOfStorage: the disk is full.
            JobsUnavailable: the database cannot be reached, or failed.
        """
        with translated(), self._engine.connect() as connection:
            writer = connection.execution_options(stt_writes=True)
            with writer.begin():
                yield writer

    def now(self, connection: Connection) -> float:
        """Seconds since 1970, by the one clock that all replicas see; in whole microseconds."""
        if not self.is_postgres:
            return round(time.time(), 6)
        clock = text("SELECT extract(epoch FROM clock_timestamp())")
        return round(float(connection.execute(clock).scalar_one()), 6)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


@contextmanager
def translated() -> Iterator[None]:
    """Translates the errors of the drivers."""
    try:
        yield
    except DBAPIError as error:
        raise _translate(error) from error
    except SQLAlchemyError as error:
        raise _unavailable() from error


def _translate(error: DBAPIError) -> OutOfStorage | JobsUnavailable:
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code in SQLITE_FULL or getattr(error.orig, "sqlstate", None) == POSTGRES_FULL:
        return OutOfStorage(FULL)
    return _unavailable()


def _unavailable() -> JobsUnavailable:
    return JobsUnavailable(
        "The database of the jobs does not answer. Try again later; the log has the cause.",
        RETRY_SECONDS,
    )


def open_database(folder: Path, url: str | None) -> Database:
    """Open the database, and bring its tables up to date.

    Args:
        folder: The state folder.
        url: Of a PostgreSQL database; None for SQLite in the folder.

    Raises:
        ConfigurationError: the URL is not one of PostgreSQL, or the extra is missing.
        JobsUnavailable: the database cannot be opened or reached, for now.
        OutOfStorage: the disk is full.
    """
    engine = postgres_engine(url) if url else sqlite_engine(folder / FILE)
    database = Database(engine)
    try:
        with translated():
            _migrate(engine)
    except BaseException:
        database.close()
        raise
    return database


def sqlite_engine(path: Path) -> Engine:
    """SQLite as it loses nothing: a write-ahead log that is synchronised at each commit."""
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=QueuePool,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver's own transactions begin too late
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # One that reads first and writes later could fail halfway, whatever the timeout.
        writes = connection.get_execution_options().get("stt_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def postgres_engine(url: str) -> Engine:
    """PostgreSQL, through psycopg.

    Raises:
        ConfigurationError: see `open_database`.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.get_backend_name() != "postgresql":
        raise ConfigurationError(
            "STT_JOBS_DATABASE is not the URL of a PostgreSQL database; expected "
            "postgresql://USER:PASSWORD@HOST/NAME."
        )
    try:
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_SECONDS},
        )
    except ModuleNotFoundError:
        raise ConfigurationError(
            "STT_JOBS_DATABASE needs the extra `postgres`: pip install 'stt-ctc[postgres]'."
        ) from None


def _migrate(engine: Engine) -> None:
    """Upgrade the tables to this version; one replica at a time."""
    with engine.connect() as connection:
        if _version(connection) == HEAD:
            return  # without Alembic, whose import takes a while
    with engine.connect() as connection:
        writer = connection.execution_options(stt_writes=True)  # locks SQLite's file
        with writer.begin():
            if engine.dialect.name == "postgresql":
                lock = text("SELECT pg_advisory_xact_lock(:number)")
                writer.execute(lock, {"number": MIGRATION_LOCK})
            _upgrade(writer)


def _version(connection: Connection) -> str | None:
    """The last migration of the tables."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    query = text("SELECT version_num FROM alembic_version")
    found: str | None = connection.execute(query).scalar_one_or_none()
    return found


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise JobsUnavailable(
            "The tables of the jobs belong to a newer version of the service. Run that version, or "
            "give this one another database or state folder.",
            RETRY_SECONDS,
        ) from error


def is_full(error: OSError) -> bool:
    """Whether a file could not be written for lack of room."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
