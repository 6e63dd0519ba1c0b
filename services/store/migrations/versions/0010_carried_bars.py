"""Know which bars of datasets are carried, and of how many bars each is made."""

from alembic import op

from services.store.schema import statements

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Run the file as it is."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(statements("0010_carried_bars.sql"))
