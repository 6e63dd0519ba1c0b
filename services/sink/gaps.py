"""Gap ledger in the database: one row for each gap, from the events of the tape."""

from psycopg import sql

from services.contracts.messages import TapeEvent
from services.store.database import EPOCH_US

STATES = {
    "gap_found": "found",
    "gap_unrepaired": "unrepaired",
    "gap_refuted": "refuted",
    "gap_repaired": "repaired",
}
"""The state that each event gives its gap; events of other kinds have no row."""


def row(event: TapeEvent) -> tuple[object, ...]:
    """Return the row of a gap event; a missing field is null, which the table refuses."""
    return (
        event.symbol,
        event.first_id,
        event.last_id,
        event.venue,
        _since_epoch(event.start_us),
        _since_epoch(event.end_us),
        event.at_us - EPOCH_US,
        event.at_us - EPOCH_US,
        STATES[event.kind],
        _missing(event),
        event.reason,
    )


def _since_epoch(us: int | None) -> int | None:
    return None if us is None else us - EPOCH_US


def _missing(event: TapeEvent) -> int | None:
    if event.missing is not None or event.first_id is None or event.last_id is None:
        return event.missing
    return event.last_id - event.first_id + 1 if event.kind in ("gap_found", "gap_unrepaired") else 0


# The state of a gap is that of its latest event, and it was found at its earliest, in whatever order and how
# often they come; between two of one moment the one that leaves less to do decides.
STORE = sql.SQL("""
WITH known AS (
    SELECT {columns} FROM {staged}
    UNION ALL
    SELECT {columns} FROM {table} WHERE (symbol, first_id, last_id) IN (SELECT symbol, first_id, last_id FROM {staged})
), latest AS (
    SELECT DISTINCT ON (symbol, first_id, last_id)
        symbol, first_id, last_id, venue, start_ts, end_ts,
        min(found_at) OVER (PARTITION BY symbol, first_id, last_id) AS found_at,
        updated_at, state, missing, reason
    FROM known
    ORDER BY symbol, first_id, last_id, updated_at DESC,
        array_position(ARRAY['repaired', 'refuted', 'unrepaired', 'found'], state), missing,
        start_ts, end_ts, venue, reason
), stored AS (
    INSERT INTO {table} AS old ({columns}) SELECT {columns} FROM latest
    ON CONFLICT (symbol, first_id, last_id) DO UPDATE
    SET venue = excluded.venue, start_ts = excluded.start_ts, end_ts = excluded.end_ts,
        found_at = excluded.found_at, updated_at = excluded.updated_at, state = excluded.state,
        missing = excluded.missing, reason = excluded.reason
    WHERE old IS DISTINCT FROM excluded AND old.updated_at <= excluded.updated_at
    RETURNING 1
)
SELECT count(*) FROM stored
""")
