"""Last trades of seconds, read from the sink's tables on the embedded PostgreSQL."""

import asyncio

import psycopg

from services.common.clock import SECOND, to_datetime
from services.common.settings import DatabaseSettings
from services.store import database, last_trades
from services.store.last_trades import LastTrade

START_US = 1_767_225_600_000_000
_BARS = """
INSERT INTO ohlc_1s SELECT symbol, date_trunc('second', ts), 1, 1, 1, max(price), 1, 1, count(*), min(trade_id),
    max(trade_id) FROM ticks GROUP BY symbol, date_trunc('second', ts)
"""


def test_each_second_has_its_last_trade_or_the_close_of_its_bar(database_url: str) -> None:
    """Trades of one moment are told apart by their ids, and the ticks of the first second are gone."""
    trades = [(1, 0), (2, 100), (3, 1_200_000), (4, 1_200_000), (5, 3_999_999), (6, 4_000_000)]
    with psycopg.connect(database_url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ticks VALUES ('BTCUSDT', %s, %s, 'binance', %s, %s, 1, false, false)",
            [
                (to_datetime(START_US + us), number, to_datetime(START_US + us), float(number))
                for number, us in trades
            ],
        )
        cursor.execute(_BARS)
        cursor.execute("DELETE FROM ticks WHERE ts < %s", [to_datetime(START_US + SECOND)])

    async def run() -> list[LastTrade]:
        async with database.connect(DatabaseSettings(database_url=database_url), "test") as connection:
            pages = last_trades.read(connection, "BTCUSDT", START_US, START_US + 4 * SECOND)
            return [one async for page in pages for one in page]

    assert asyncio.run(run()) == [
        LastTrade(START_US, 1, 2, 2.0, None),
        LastTrade(START_US + SECOND, 3, 4, 4.0, START_US + 1_200_000),
        LastTrade(START_US + 3 * SECOND, 5, 5, 5.0, START_US + 3_999_999),
    ]
