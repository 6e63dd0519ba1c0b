"""Mark repaired ticks, and keep a ledger of gaps."""

from alembic import op

from services.store.schema import statements

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Run the file as it is."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(statements("0002_tape.sql"))
