"""Tables of the sink: for each message its columns, their binary types, and the statement that stores it."""

from operator import attrgetter

from psycopg import sql

from services.contracts.messages import Alert, Signal, Tick
from services.contracts.topics import ALERTS, SIGNALS, TAPE_EVENTS, TICKS
from services.sink import gaps, losses
from services.sink.batch import LOSSES
from services.sink.relation import table
from services.store.database import EPOCH_US
from services.store.relations import ALERT_COLUMNS, SIGNAL_COLUMNS


def _tick(tick: Tick) -> tuple[object, ...]:
    return (
        tick.symbol,
        tick.event_us - EPOCH_US,
        tick.trade_id,
        tick.venue,
        tick.received_us - EPOCH_US,
        tick.price,
        tick.size,
        tick.buyer_is_maker,
        tick.repaired,
    )


_STORE_NEW_TICKS = sql.SQL("""
WITH stored AS (
    INSERT INTO {table} ({columns}) SELECT {columns} FROM {staged}
), touched AS (
    INSERT INTO touched_seconds
    SELECT DISTINCT symbol, date_bin('1 second', ts, '2000-01-01 00:00:00+00') FROM {staged}
)
SELECT count(*) FROM {staged}
""")

_STORE_TICKS = sql.SQL("""
WITH stored AS (
    INSERT INTO {table} ({columns}) SELECT {columns} FROM {staged} ON CONFLICT DO NOTHING RETURNING symbol, ts
), touched AS (
    INSERT INTO touched_seconds
    SELECT DISTINCT symbol, date_bin('1 second', ts, '2000-01-01 00:00:00+00') FROM stored
)
SELECT count(*) FROM stored
""")


_of_signal = attrgetter(*SIGNAL_COLUMNS)
_of_alert = attrgetter(*ALERT_COLUMNS)
_KEY = {"pair": "text", "ts": "int8"}


def _signal(signal: Signal) -> tuple[object, ...]:
    return signal.pair, signal.event_us - EPOCH_US, *_of_signal(signal)


def _alert(alert: Alert) -> tuple[object, ...]:
    return alert.subject, alert.event_us - EPOCH_US, *_of_alert(alert)


# Late trades correct a second: the highest revision stays, whichever came first. Within a revision a worker that
# restarts may compute a second again from a shorter window. Then the better row stays: quality ok before any other,
# then the one that saw more samples; between equals the earlier. Of two windows the later computed one stays: someone
# has changed the setting.
_STORE_SIGNALS = sql.SQL("""
WITH stored AS (
    INSERT INTO {table} AS old ({columns})
    SELECT DISTINCT ON (pair, ts) {columns} FROM {staged}
    ORDER BY pair, ts, revision DESC, (quality = 'ok') DESC, samples DESC
    ON CONFLICT (pair, ts) DO UPDATE
    SET {assignments}
    WHERE excluded.revision > old.revision
       OR excluded.revision = old.revision
          AND (excluded."window" <> old."window"
               OR (excluded.quality = 'ok', excluded.samples) > (old.quality = 'ok', old.samples))
    RETURNING 1
)
SELECT count(*) FROM stored
""")


_STORE_ALERTS = sql.SQL("""
WITH stored AS (
    INSERT INTO {table} ({columns}) SELECT {columns} FROM {staged}
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT count(*) FROM stored
""")

TABLES = {
    TICKS.name: table(
        "ticks",
        {
            "symbol": "text",
            "ts": "int8",
            "trade_id": "int8",
            "venue": "text",
            "received_at": "int8",
            "price": "float8",
            "size": "float8",
            "buyer_is_maker": "bool",
            "repaired": "bool",
        },
        _tick,
        _STORE_TICKS,
        _STORE_NEW_TICKS,
    ),
    SIGNALS.name: table("signals", _KEY | SIGNAL_COLUMNS, _signal, _STORE_SIGNALS, key=_KEY),
    ALERTS.name: table("alerts", {"subject": "text", "ts": "int8"} | ALERT_COLUMNS, _alert, _STORE_ALERTS),
    TAPE_EVENTS.name: table(
        "gaps",
        {
            "symbol": "text",
            "first_id": "int8",
            "last_id": "int8",
            "venue": "text",
            "start_ts": "int8",
            "end_ts": "int8",
            "found_at": "int8",
            "updated_at": "int8",
            "state": "text",
            "missing": "int8",
            "reason": "text",
        },
        gaps.row,
        gaps.STORE,
    ),
    LOSSES: table("losses", losses.COLUMNS, losses.row, losses.STORE),
}
"""The table of each topic, and of what readers lost."""
