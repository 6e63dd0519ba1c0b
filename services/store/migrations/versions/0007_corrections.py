"""Keep corrections of signals and retractions of alerts."""

from alembic import op

from services.store.schema import statements

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Run the file as it is."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(statements("0007_corrections.sql"))
