"""Keep how a dataset was read, what was found in its files, and what each symbol has."""

from alembic import op

from services.store.schema import statements

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Run the file as it is."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(statements("0005_datasets.sql"))
