"""Run by Alembic, within the transaction of `stt.jobs.database`."""

from alembic import context

from stt.jobs.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
