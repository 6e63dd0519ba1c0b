"""Losses of readers in the database: one row for each report of one."""

from psycopg import sql

from services.contracts.messages import TapeEvent
from services.store.database import EPOCH_US

KIND = "messages_lost"
COLUMNS = {"reader": "text", "topic": "text", "partition": "int4", "at": "int8", "messages": "int8"}


def row(event: TapeEvent) -> tuple[object, ...]:
    """Return the row of a loss; a missing field is null, which the table refuses."""
    return (event.reader, event.topic, event.partition, event.at_us - EPOCH_US, event.messages)


STORE = sql.SQL("""
WITH stored AS (
    INSERT INTO {table} ({columns}) SELECT {columns} FROM {staged} ON CONFLICT DO NOTHING RETURNING 1
)
SELECT count(*) FROM stored
""")
