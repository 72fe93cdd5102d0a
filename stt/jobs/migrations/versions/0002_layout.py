"""The size of subtitles that a job asks for."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add it; earlier jobs asked for none."""
    op.add_column("jobs", sa.Column("layout", sa.Text, nullable=False, server_default="{}"))
