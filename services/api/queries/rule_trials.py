"""Stored signals of a pair as observations, for the trial of a rule."""

from typing import Any

from psycopg import sql

from services.api.queries.reader import StoreReader
from services.common import clock
from services.contracts.metrics import REVERSION
from services.rules.observation import OF_SIGNALS, Observation
from services.store.relations import STORED_AS

_COLUMNS = [STORED_AS.get(name, name) for name in OF_SIGNALS]
_SIGNALS = sql.SQL("""
SELECT (extract(epoch FROM ts) * 1000000)::int8, quality, reason, reversion, {columns}
FROM signals WHERE pair = %(pair)s AND ts >= %(start)s AND ts < %(end)s ORDER BY ts LIMIT %(limit)s
""").format(columns=sql.SQL(", ").join(map(sql.Identifier, _COLUMNS)))


async def read(
    store: StoreReader, pair: str, start_us: int, end_us: int, limit: int
) -> list[tuple[Any, ...]]:
    """Return the first `limit` signals from `start_us` to before `end_us`; TransientError as the store."""
    values = {
        "pair": pair,
        "start": clock.to_datetime(start_us),
        "end": clock.to_datetime(end_us),
        "limit": limit,
    }
    async with store.reading() as connection:
        return await (await connection.execute(_SIGNALS, values)).fetchall()


def observation(row: tuple[Any, ...]) -> Observation:
    """Return what a row says, as `of_signal` does of a message."""
    event_us, quality, reason, reversion, *measured = row
    if quality != "ok":
        return Observation(event_us, {"stale": float(quality == "stale")}, False, 0, None, reason or quality)
    values = {
        name: float(value) for name, value in zip(OF_SIGNALS, measured, strict=True) if value is not None
    }
    values |= {"stale": 0.0, "reversion": REVERSION[reversion or "unproven"]}
    return Observation(event_us, values, True, 0, reversion)
