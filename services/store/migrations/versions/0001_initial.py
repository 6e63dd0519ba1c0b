"""Create every table of the store."""

from alembic import op

from services.store.schema import statements

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run the file as it is: psycopg takes several statements at once, colons and percent signs too."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(statements("0001_initial.sql"))
