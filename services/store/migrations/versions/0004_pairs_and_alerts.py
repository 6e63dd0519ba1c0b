"""Mirror all of a pair's configuration, remember removed pairs, and keep what people did about alerts."""

from alembic import op

from services.store.schema import statements

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Run the file as it is."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(statements("0004_pairs_and_alerts.sql"))
