"""The window of a stored signal: the samples that its line was fitted on."""

from typing import Any, NamedTuple

import numpy as np
from psycopg import sql

from services.api.queries.reader import StoreReader
from services.common import clock
from services.contracts.pairs import Pair
from services.quant.analysis.recomputation import Prices
from services.quant.estimators.registry import MOVING
from services.store.arrays import load_arrays

SAMPLES_MAX = 50_000
"""Most samples for a method without a window, which uses all samples since its start."""

_SIGNAL = sql.SQL("""
SELECT ts AS event_us, y_price, x_price, method, "window", samples, hedge_ratio, spread, zscore, quality, reason,
    filled
FROM signals WHERE pair = %(pair)s AND ts = %(at)s
""")
_NEAREST = sql.SQL("""
(SELECT ts AS event_us FROM signals WHERE pair = %(pair)s AND ts < %(at)s ORDER BY ts DESC LIMIT 1)
UNION ALL (SELECT ts FROM signals WHERE pair = %(pair)s AND ts > %(at)s ORDER BY ts LIMIT 1)
""")
# A stale second enters no window, and a pair that is measured another way begins a new one.
_WINDOW = sql.SQL("""
SELECT array_agg(ts ORDER BY ts), array_agg(y_price ORDER BY ts), array_agg(x_price ORDER BY ts),
    array_agg(samples::float8 ORDER BY ts)
FROM (
    SELECT * FROM signals
    WHERE pair = %(pair)s AND ts < %(at)s AND quality <> 'stale' AND method = %(method)s AND "window" = %(window)s
    ORDER BY ts DESC LIMIT %(limit)s
) AS newest
""")

# A filled sample is no signal: of each leg the last trade before the end of its second, unless that is too old.
_FILLED = sql.SQL("""
SELECT array_agg(ts ORDER BY ts), array_agg(y_price ORDER BY ts), array_agg(x_price ORDER BY ts)
FROM (
    SELECT seconds.ts, y.price AS y_price, x.price AS x_price
    FROM generate_series(1, 2 * %(missing)s) AS back (number)
    CROSS JOIN LATERAL (SELECT %(until)s::timestamptz - back.number * interval '1 second' AS ts) AS seconds
    CROSS JOIN LATERAL (
        SELECT price FROM ticks WHERE symbol = %(y)s AND ticks.ts < seconds.ts
            AND ticks.ts >= seconds.ts - %(stale_s)s * interval '1 second' ORDER BY ticks.ts DESC, trade_id DESC LIMIT 1
    ) AS y
    CROSS JOIN LATERAL (
        SELECT price FROM ticks WHERE symbol = %(x)s AND ticks.ts < seconds.ts
            AND ticks.ts >= seconds.ts - %(stale_s)s * interval '1 second' ORDER BY ticks.ts DESC, trade_id DESC LIMIT 1
    ) AS x
    ORDER BY seconds.ts DESC LIMIT %(missing)s
) AS newest
""")


class SignalWindow(NamedTuple):
    """Samples, oldest first; `is_whole` if they are all that the signal's method has seen.

    Samples that were filled of ticks are among them as far as their ticks are stored.
    """

    at_us: "np.ndarray[Any, np.dtype[np.int64]]"
    legs: tuple[Prices, Prices]
    is_whole: bool


async def read_signal(store: StoreReader, pair: str, at_us: int) -> dict[str, Any] | None:
    """Return the closed signal of `pair` at `at_us`, None if none is stored; TransientError as the store."""
    found = await store.select(_SIGNAL, {"pair": pair, "at": clock.to_datetime(at_us)})
    return found[0] if found else None


async def nearest(store: StoreReader, pair: str, at_us: int) -> list[str]:
    """Return the times of the signals before and after `at_us`, where there are any."""
    found = await store.select(_NEAREST, {"pair": pair, "at": clock.to_datetime(at_us)})
    return [row["event_time"] for row in found]


async def read_window(
    store: StoreReader, pair: str, signal: dict[str, Any], stale_after_s: float
) -> SignalWindow:
    """Return the window that `signal` was judged by; TransientError as the store."""
    is_moving = signal["method"] in MOVING
    values = {
        "pair": pair,
        "at": clock.to_datetime(signal["event_us"]),
        "method": signal["method"],
        "window": signal["window"],
        "limit": SAMPLES_MAX if is_moving else signal["samples"],
    }
    async with store.reading() as connection, connection.cursor(binary=True) as cursor:
        load_arrays(cursor)
        await cursor.execute(_WINDOW, values)
        found = await cursor.fetchone()
        assert found is not None
        stored = 0 if found[0] is None else len(found[0])
        missing = 0 if is_moving or not signal["filled"] else signal["samples"] - stored
        filled = None
        if 0 < missing <= SAMPLES_MAX:
            legs = Pair.parse(pair)
            first_us = int(found[0][0]) if stored else signal["event_us"]
            more = {"missing": missing, "until": clock.to_datetime(first_us), "stale_s": stale_after_s}
            await cursor.execute(_FILLED, {**more, "y": legs.y, "x": legs.x})
            filled = await cursor.fetchone()
    at_us, y, x, samples = (np.array([]) if column is None else column for column in found)
    if is_moving and len(began := np.flatnonzero(samples == 0)):
        first = began[-1]
        at_us, y, x = at_us[first:], y[first:], x[first:]
        return SignalWindow(at_us.astype(np.int64), (y, x), True)
    if filled is not None and filled[0] is not None:
        at_us, y, x = (np.concatenate(both) for both in zip(filled, (at_us, y, x), strict=True))
    # Of less than a window every sample counts, whatever the method.
    is_whole = len(y) == signal["samples"] and not (is_moving and len(y) >= signal["window"])
    return SignalWindow(at_us.astype(np.int64), (y, x), is_whole)
