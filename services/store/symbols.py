"""Decisions on symbols in the store: a mirror of the topic ``symbols``."""

from collections.abc import Mapping

from services.contracts.listings import SymbolConfig
from services.store.database import Connection


async def stored(connection: Connection) -> dict[str, SymbolConfig]:
    """Return the decisions by symbol."""
    cursor = await connection.execute("SELECT symbol, collected FROM symbols ORDER BY symbol")
    rows = await cursor.fetchall()
    return {symbol: SymbolConfig(symbol=symbol, collected=collected) for symbol, collected in rows}


async def mirror(connection: Connection, configs: Mapping[str, SymbolConfig]) -> None:
    """Make `configs` the decisions of the store; those it has besides are removed."""
    rows = [(config.symbol, config.collected) for config in configs.values()]
    async with connection.transaction(), connection.cursor() as cursor:
        # Of two sinks the later one waits here, instead of meeting the other's rows.
        await cursor.execute("LOCK TABLE symbols IN SHARE ROW EXCLUSIVE MODE")
        await cursor.execute("DELETE FROM symbols")
        await cursor.executemany("INSERT INTO symbols (symbol, collected) VALUES (%s, %s)", rows)
