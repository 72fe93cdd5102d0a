"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("asked", sa.Text, nullable=False),
        sa.Column("track", sa.Integer),
        sa.Column("response_format", sa.String(16), nullable=False),
        sa.Column("granularities", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("url", sa.Text),
        sa.Column("webhook_url", sa.Text),
        sa.Column("request_id", sa.Text),
        sa.Column("upload_bytes", sa.BigInteger, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("started", sa.Double),
        sa.Column("ended", sa.Double),
        sa.Column("not_before", sa.Double, nullable=False),
        sa.Column("lease_token", sa.Integer, nullable=False),
        sa.Column("lease_until", sa.Double, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("done_seconds", sa.Double, nullable=False),
        sa.Column("expected_seconds", sa.Double, nullable=False),
        sa.Column("remaining_seconds", sa.Double),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("fault_code", sa.Text),
        sa.Column("fault_message", sa.Text),
    )
    op.create_index("jobs_by_state", "jobs", ["state", "not_before"])
    op.create_index("jobs_by_owner", "jobs", ["owner", "created", "id"])
    op.create_table(
        "windows",
        sa.Column("job_id", sa.String(32), primary_key=True),
        sa.Column("fingerprint", sa.String(32), primary_key=True),
        sa.Column("frames", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "results",
        sa.Column("job_id", sa.String(32), primary_key=True),
        sa.Column("result", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "deliveries",
        sa.Column("job_id", sa.String(32), primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("not_before", sa.Double, nullable=False),
    )
