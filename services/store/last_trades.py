"""Last stored trade of each second of a symbol, or the close of the second's bar where its ticks are gone."""

from collections.abc import AsyncGenerator
from typing import NamedTuple

from psycopg import sql
from psycopg.types.numeric import Int8BinaryLoader

from services.common.clock import to_datetime
from services.store.database import EPOCH_US, Connection

_PAGE = 2_000
# One probe of the ticks' key for each bar: of all ticks in between only the last is looked at.
_QUERY = sql.SQL("""
SELECT bars.ts, bars.first_id, bars.last_id, bars.close, last.ts, last.price
FROM ohlc_1s AS bars
LEFT JOIN LATERAL (
    SELECT ts, price FROM ticks
    WHERE symbol = bars.symbol AND ts >= bars.ts AND ts < bars.ts + interval '1 second' AND trade_id = bars.last_id
    LIMIT 1
) AS last ON true
WHERE bars.symbol = %(symbol)s AND bars.ts >= %(start)s AND bars.ts < %(end)s
ORDER BY bars.ts
""")


class LastTrade(NamedTuple):
    """Last trade of a second, whose ids begin at `first_id`; without a time of its own it is the close of a bar."""

    second_us: int
    first_id: int
    trade_id: int
    price: float
    event_us: int | None


async def read(
    connection: Connection, symbol: str, start_us: int, end_us: int
) -> AsyncGenerator[list[LastTrade]]:
    """Yield the seconds that begin from `start_us` to before `end_us` (epoch), a page at a time, in their order."""
    bounds = {"symbol": symbol, "start": to_datetime(start_us), "end": to_datetime(end_us)}
    async with connection.transaction(), connection.cursor("last_trades") as cursor:
        cursor.adapters.register_loader("timestamptz", Int8BinaryLoader)
        await cursor.execute(_QUERY, bounds, binary=True)
        while rows := await cursor.fetchmany(_PAGE):
            yield [
                LastTrade(
                    second + EPOCH_US,
                    first_id,
                    last_id,
                    close if at is None else price,
                    None if at is None else at + EPOCH_US,
                )
                for second, first_id, last_id, close, at, price in rows
            ]
