"""The tables. A change here needs a migration in ``migrations/versions``."""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

METADATA = MetaData()

JOBS = Table(
    "jobs",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("language", String(16), nullable=False),
    Column("asked", Text, nullable=False),  # `stt.asked.Asked` as JSON
    Column("track", Integer),
    Column("response_format", String(16), nullable=False),
    Column("granularities", Text, nullable=False),
    Column("layout", Text, nullable=False),  # `stt.formats.layout.Layout` as JSON
    Column("name", Text, nullable=False),
    Column("url", Text),
    Column("webhook_url", Text),
    Column("request_id", Text),
    Column("upload_bytes", BigInteger, nullable=False),
    Column("created", Double, nullable=False),
    Column("started", Double),
    Column("ended", Double),
    Column("not_before", Double, nullable=False),
    Column("lease_token", Integer, nullable=False),
    Column("lease_until", Double, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("done_seconds", Double, nullable=False),
    Column("expected_seconds", Double, nullable=False),
    Column("remaining_seconds", Double),
    Column("text", Text, nullable=False),
    Column("fault_code", Text),
    Column("fault_message", Text),
    Index("jobs_by_state", "state", "not_before"),
    Index("jobs_by_owner", "owner", "created", "id"),
)
"""Times are seconds since 1970, ``attempts`` the runs since one last stored a window."""

WINDOWS = Table(
    "windows",
    METADATA,
    Column("job_id", String(32), primary_key=True),
    Column("fingerprint", String(32), primary_key=True),
    Column("frames", LargeBinary, nullable=False),
)
"""The frames of the finished windows of active jobs."""

RESULTS = Table(
    "results",
    METADATA,
    Column("job_id", String(32), primary_key=True),
    Column("result", LargeBinary, nullable=False),
)
"""The results of succeeded jobs; see `stt.jobs.results`."""

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("job_id", String(32), primary_key=True),
    Column("url", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", Double, nullable=False),
)
"""The webhooks that are still to be sent, of jobs that have ended."""
