"""Keep what people set up, upload and are told; make hypertables and aggregates where TimescaleDB is."""

from alembic import context, op

from services.store.schema import statements

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Run the file as it is, and what TimescaleDB makes of it."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(statements("0003_store.sql"))
    if context.config.attributes["timescaledb"]:
        connection.execute(statements("timescaledb/0003_store.sql"))
