"""Keep alerts of any rule: what it measures, of what, how severe, and the numbers that caused it."""

from alembic import op

from services.store.schema import statements

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Run the file as it is."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(statements("0011_alerts_of_rules.sql"))
