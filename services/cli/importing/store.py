"""Store of an import: a batch of a file, its bars, and how far the file was read, in one transaction."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncCursor, sql

from services.cli.importing.tick_files import Ticks
from services.common import clock
from services.common.cancellation import checkpoint
from services.contracts.topics import TICKS
from services.sink.tables import TABLES
from services.store import schema
from services.store.bars import plain
from services.store.bars.timescale import TimeSpan, aggregated, refresh
from services.store.binary_copy import SIGNATURE, TRAILER, binary_rows
from services.store.database import EPOCH_US, Connection
from services.store.relations import errors

# Beside the clusters' offsets, because an import is a stream too: what it has read is remembered until its end.
_CLUSTER = "import"
_TICKS = TABLES[TICKS.name]
_COPY = sql.SQL("COPY staged_ticks ({}, nth) FROM STDIN (FORMAT binary)").format(
    sql.SQL(", ").join(map(sql.Identifier, _TICKS.columns))
)

# Distance in time within which the same trade id is the same trade.
_NEAR_US = clock.SECOND
# Of rows with one id the first stays, in the store or in the batch. Another time is another key, so without
# this a venue's trade could be stored twice. Runs keep the answer short when a whole file is there already.
_FIND_KNOWN = sql.SQL("""
WITH others AS (
    SELECT symbol, trade_id, ts, price, size, buyer_is_maker, -1 AS nth FROM ticks
    WHERE symbol = ANY (%(symbols)s) AND ts BETWEEN %(first)s AND %(last)s
    UNION ALL
    SELECT symbol, trade_id, ts, price, size, buyer_is_maker, nth FROM staged_ticks
), known AS (
    SELECT mine.nth,
           bool_or((mine.ts, mine.price, mine.size, mine.buyer_is_maker)
                   IS DISTINCT FROM (others.ts, others.price, others.size, others.buyer_is_maker)) AS conflicting
    FROM staged_ticks AS mine
    JOIN others ON others.symbol = mine.symbol AND others.trade_id = mine.trade_id AND others.nth < mine.nth
    GROUP BY mine.nth
), removed AS (
    DELETE FROM staged_ticks USING known WHERE staged_ticks.nth = known.nth AND conflicting
), numbered AS (
    SELECT nth, conflicting, nth - row_number() OVER (PARTITION BY conflicting ORDER BY nth) AS run FROM known
)
SELECT conflicting, min(nth), max(nth) FROM numbered GROUP BY conflicting, run ORDER BY 2
""")


class ImportRun(NamedTuple):
    """Rows of a batch that were not stored, from the `first` to the `last`: repeated, or contradicting others."""

    conflicting: bool
    first: int
    last: int


class ImportedRows(NamedTuple):
    """Outcome of a batch: how many rows are new, and which are not."""

    stored: int
    known: list[ImportRun]


class ImportStore:
    """Writes batches on one autocommit connection.

    Raises TransientError when the database is away, FatalError when it contradicts the schema.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._aggregated = False
        self._held: list[TimeSpan] = []

    async def prepare(self) -> None:
        """Create the temporary tables into which rows are copied; FatalError if the schema is not ours."""
        with errors():
            await schema.require(self._connection)
            self._aggregated = await aggregated(self._connection)
            await self._connection.execute(plain.STAGE_SECONDS)
            await self._connection.execute(_TICKS.stage)
            await self._connection.execute("ALTER TABLE staged_ticks ADD COLUMN nth int4")

    async def through(self, file: str) -> int:
        """Return the line up to which the unfinished import of `file` has come, 0 if there is none."""
        with errors():
            cursor = await self._connection.execute(
                "SELECT next_offset FROM stream_offsets WHERE cluster_id = %s AND topic = %s",
                [_CLUSTER, file],
            )
            row = await cursor.fetchone()
        return 0 if row is None else int(row[0])

    async def write(self, ticks: Sequence[Ticks], seen: NDArray[np.bool_]) -> ImportedRows:
        """Store what is not there yet, all or nothing, and the bars of the time from the first to the last.

        `seen` says which rows have an id that has been written before: not found near its time, such a row has another.
        """
        first_us = min(int(one.rows["event_us"].min()) for one in ticks)
        last_us = max(int(one.rows["event_us"].max()) for one in ticks)
        with errors():
            async with self._connection.transaction():
                written = await self._write(ticks, seen, first_us, last_us)
            # Also where nothing is new: whoever stored it may have been killed before he came to this.
            self._held = await refresh(self._connection, [*self._held, TimeSpan(first_us, last_us + 1)])
        return written

    async def _write(
        self, ticks: Sequence[Ticks], seen: NDArray[np.bool_], first_us: int, last_us: int
    ) -> ImportedRows:
        bounds = {
            "symbols": [one.symbol for one in ticks],
            "first": clock.to_datetime(max(first_us - _NEAR_US, 0)),
            "last": clock.to_datetime(last_us + _NEAR_US),
        }
        async with self._connection.cursor() as cursor:
            async with cursor.copy(_COPY) as copy:
                for part in _packed(ticks):
                    await copy.write(part)
            await cursor.execute(plain.LOCK_SYMBOLS)
            await cursor.execute(_FIND_KNOWN, bounds)
            known = [ImportRun(*row) for row in await cursor.fetchall()]
            known += await _elsewhere(cursor, seen, known)
            if sum(run.last - run.first + 1 for run in known) == sum(len(one.rows) for one in ticks):
                return ImportedRows(0, known)
            row = await (await cursor.execute(_TICKS.store)).fetchone()
            assert row is not None
            if row[0] and not self._aggregated:
                for statement in plain.COMPUTE:
                    await cursor.execute(statement)
            return ImportedRows(int(row[0]), known)

    async def remember(self, file: str, through: int) -> None:
        """Store the line up to which `file` is imported. After a kill before this, later lines are stored again."""
        with errors():
            await self._connection.execute(
                "INSERT INTO stream_offsets (cluster_id, topic, partition, next_offset) VALUES (%s, %s, 0, %s)"
                " ON CONFLICT (cluster_id, topic, partition) DO UPDATE SET next_offset = excluded.next_offset",
                [_CLUSTER, file, through],
            )

    async def finish(self, file: str) -> None:
        """Forget the finished import of `file`, so that a repeated import reads it again."""
        with errors():
            while self._held:
                checkpoint()
                self._held = await refresh(self._connection, self._held)
            await self._connection.execute(
                "DELETE FROM stream_offsets WHERE cluster_id = %s AND topic = %s", [_CLUSTER, file]
            )


async def _elsewhere(
    cursor: AsyncCursor[Any], seen: NDArray[np.bool_], known: Sequence[ImportRun]
) -> list[ImportRun]:
    """Take out the rows whose id has been written with a time far from theirs, and return them."""
    left = seen.copy()
    for run in known:
        left[run.first : run.last + 1] = False
    rows = np.flatnonzero(left).tolist()
    if rows:
        await cursor.execute("DELETE FROM staged_ticks WHERE nth = ANY (%s)", [rows])
    return [ImportRun(True, row, row) for row in rows]


def _packed(ticks: Iterable[Ticks]) -> Iterator[bytes]:
    yield SIGNATURE
    nth = 0
    for one in ticks:
        rows = one.rows
        columns: dict[str, bytes | tuple[str, NDArray[np.generic]]] = {
            "symbol": one.symbol.encode(),
            "ts": (">i8", rows["event_us"] - EPOCH_US),
            "trade_id": (">i8", rows["trade_id"]),
            "venue": one.venue.encode(),
            "received_at": (">i8", rows["received_us"] - EPOCH_US),
            "price": (">f8", rows["price"]),
            "size": (">f8", rows["size"]),
            "buyer_is_maker": ("?", rows["buyer_is_maker"]),
            "repaired": ("?", rows["repaired"]),
            "nth": (">i4", np.arange(nth, nth + len(rows))),
        }
        yield binary_rows(columns, len(rows))
        nth += len(rows)
    yield TRAILER
