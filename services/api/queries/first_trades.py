"""First stored trade of each symbol."""

from collections.abc import Iterable

from psycopg import sql

from services.api.queries.reader import StoreReader

_FIRST = sql.SQL("""
SELECT given.symbol, first.ts AS first_us FROM unnest(%(symbols)s::text[]) AS given (symbol)
CROSS JOIN LATERAL (SELECT ts FROM ticks WHERE symbol = given.symbol ORDER BY ts LIMIT 1) AS first
""")


async def first_trades(store: StoreReader, symbols: Iterable[str]) -> dict[str, int]:
    """Return the event time of the first stored trade (us) of each of `symbols` that has one."""
    rows = await store.select(_FIRST, {"symbols": list(symbols)})
    return {row["symbol"]: row["first_us"] for row in rows}
