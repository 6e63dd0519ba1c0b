"""Keep what signals say of their own numbers."""

from alembic import op

from services.store.schema import statements

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Run the file as it is."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(statements("0009_what_signals_know_of_themselves.sql"))
