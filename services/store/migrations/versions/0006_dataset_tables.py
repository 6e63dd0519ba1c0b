"""Give each dataset tables of its own."""

from alembic import op

from services.store.schema import statements

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Run the file as it is."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(statements("0006_dataset_tables.sql"))
