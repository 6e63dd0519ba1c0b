"""Signals of a pair over a range, as arrays; signals without a number are counted apart."""

from typing import Any, NamedTuple

import numpy as np
from psycopg import sql

from services.api.queries.reader import StoreReader, since_epoch
from services.common import clock
from services.quant.analysis.entries import Seconds
from services.store.arrays import load_arrays

_LAST = sql.SQL("SELECT max(ts) FROM signals WHERE pair = %(pair)s AND ts < %(end)s")

_PAST = sql.SQL("""
SELECT min(ts), max(ts), count(*),
    count(*) FILTER (WHERE quality = 'stale'), count(*) FILTER (WHERE quality = 'not_enough_data'),
    count(DISTINCT (method, "window")),
    array_agg(ts ORDER BY ts) FILTER (WHERE is_known), array_agg(zscore ORDER BY ts) FILTER (WHERE is_known),
    array_agg(spread ORDER BY ts) FILTER (WHERE is_known),
    array_agg(is_reverting ORDER BY ts) FILTER (WHERE is_known)
FROM (
    SELECT *, (reversion IS NOT DISTINCT FROM 'reverting')::integer::float8 AS is_reverting,
        quality = 'ok' AND zscore IS NOT NULL AND spread IS NOT NULL AS is_known
    FROM signals WHERE pair = %(pair)s AND ts >= %(start)s AND ts < %(end)s ORDER BY ts LIMIT %(limit)s
) AS selected
""")

_DAY = 24 * clock.HOUR


class SignalHistory(NamedTuple):
    """The seconds of a pair that are `known` and can be relied on, among the `signals` from `first_us` to `last_us`.

    `stale` and `collecting` seconds are left out, and those without a z-score. `fits` counts the methods and windows.
    """

    first_us: int | None
    last_us: int | None
    signals: int
    stale: int
    collecting: int
    fits: int
    known: Seconds


async def read_past(
    store: StoreReader, pair: str, start_us: int | None, end_us: int | None, limit: int
) -> SignalHistory:
    """Return the first `limit` signals from `start_us` to before `end_us`; without a start those of the last day there.

    TransientError as the store.
    """
    values: dict[str, Any] = {"pair": pair, "limit": limit, "end": _moment(end_us, "infinity")}
    async with store.reading() as connection, connection.cursor(binary=True) as cursor:
        load_arrays(cursor)
        values["start"] = _moment(start_us, "-infinity")
        if start_us is None:
            await cursor.execute(_LAST, values)
            (last_us,) = await cursor.fetchone() or (None,)
            if last_us is not None:
                values["start"] = clock.to_datetime(since_epoch(last_us) - _DAY + 1)
        await cursor.execute(_PAST, values)
        found = await cursor.fetchone()
    assert found is not None
    first_us, last_us, signals, stale, collecting, fits, at_us, *numbers = found
    zscore, spread, reverting = (np.array([]) if one is None else one for one in numbers)
    at_us = np.array([], np.int64) if at_us is None else at_us
    known = Seconds(at_us, zscore, spread, reverting.astype(bool))
    return SignalHistory(since_epoch(first_us), since_epoch(last_us), signals, stale, collecting, fits, known)


def _moment(us: int | None, otherwise: str) -> Any:
    return otherwise if us is None else clock.to_datetime(us)
