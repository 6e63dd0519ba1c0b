"""Keep what readers lost, and who has acknowledged it."""

from alembic import op

from services.store.schema import statements

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Run the file as it is."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(statements("0008_losses.sql"))
