"""Writer of the sink: one batch and its offsets in one transaction of the database."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import psycopg
from msgspec import Struct
from psycopg import errors, sql

from services.common.clock import SECOND
from services.common.errors import AwayError, FatalError, TransientError, reason_of
from services.contracts.topics import TICKS
from services.sink.batch import PartitionBatch, ReadRecords, RefusedMessage, SinkBatch
from services.sink.tables import TABLES
from services.store import offsets, schema
from services.store.bars import plain
from services.store.bars.timescale import TimeSpan, aggregated, catch_up, refresh
from services.store.database import Connection

DeadLetterSink = Callable[[Sequence[RefusedMessage]], Awaitable[None]]

# Errors that refuse a row: values out of range, constraints, keys too long for an index.
_REFUSALS = (psycopg.DataError, psycopg.IntegrityError, errors.ProgramLimitExceeded, OverflowError)


class FencedError(TransientError):
    """Another consumer has written this partition since we last looked; what we hold must not be written."""


class WriteResult(NamedTuple):
    """Result of a batch: new or improved rows by topic, and rows that were there already."""

    stored: dict[str, int]
    duplicates: int


class SinkWriter:
    """Writes batches on one autocommit connection.

    On plain PostgreSQL a batch's transaction has its bars in it. On TimescaleDB bars are aggregates that show
    new ticks by themselves; ticks below what is aggregated already (late, repaired) show once their buckets are
    refreshed, which no transaction may do: that follows the commit. Killed in between, or hindered by others for
    too long, the policies make up for it within minutes for ticks that are no later than the lateness their
    offsets cover, and for all others `resume` does, whichever sink goes on with the partitions.

    Raises TransientError when the database is away or asks to try again, FatalError when it contradicts the
    schema. After either the connection is of no more use: make another writer and ``resume``.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cluster_id = ""
        self._stored: dict[PartitionBatch, int] = {}
        self._aggregated = False
        self._all_new = True
        self._touched: list[TimeSpan] = []

    async def prepare(self) -> None:
        """Create the temporary tables into which rows are copied; FatalError if the schema is not ours."""
        async with _errors():
            await schema.require(self._connection)
            self._aggregated = await aggregated(self._connection)
            await self._connection.execute(plain.STAGE_SECONDS)
            for table in TABLES.values():
                await self._connection.execute(table.stage)

    async def resume(self, cluster_id: str) -> Mapping[PartitionBatch, int]:
        """Return the stored offsets of the cluster's partitions, and write against them from now on."""
        async with _errors():
            await catch_up(self._connection)
            self._stored = await offsets.stored(self._connection, cluster_id)
        self._cluster_id = cluster_id
        return self._stored

    async def write(self, batch: SinkBatch, dead_letter: DeadLetterSink) -> WriteResult:
        """Store the batch's rows, its bars and its offsets, all or nothing; FencedError if we lost a partition.

        Rows the database refuses are handed to `dead_letter` before the commit, so that they are lost by no crash;
        after a crash in between they are dead letters twice.
        """
        stored: dict[str, int] = {}
        refused: list[RefusedMessage] = []
        async with _errors(), self._connection.transaction():
            await self._advance(batch.read)
            for topic, records in batch:
                stored[topic] = await self._store(topic, records, range(len(records)), refused)
            if refused:
                await dead_letter(refused)
        self._stored = {**self._stored, **batch.read}
        await self.refresh()
        received = sum(map(len, batch.records.values()))
        written = WriteResult(stored, received - len(refused) - sum(stored.values()))
        # Rows that came twice seldom come alone, and half of the time it takes to store new ones is to look.
        self._all_new = written.duplicates == 0
        return written

    @property
    def refreshed(self) -> bool:
        """Tell whether the continuous aggregates show everything that was written."""
        return not self._touched

    async def refresh(self) -> None:
        """Refresh the aggregates below late rows; those that others hold wait for the next time."""
        if not self.refreshed:
            async with _errors():
                self._touched = await refresh(self._connection, self._touched)

    async def _advance(self, read: Mapping[PartitionBatch, int]) -> None:
        lost = await offsets.advance(self._connection, self._cluster_id, self._stored, read)
        for partition in lost:
            raise FencedError(
                f"expected offset {self._stored.get(partition)} stored for {partition.topic}/"
                f"{partition.partition}: another sink has written this partition"
            )

    async def _store(
        self, topic: str, records: ReadRecords, part: range, refused: list[RefusedMessage]
    ) -> int:
        try:
            async with self._connection.transaction():
                return await self._store_all(topic, records.messages[part.start : part.stop])
        except _REFUSALS as error:
            if self._all_new and isinstance(error, errors.UniqueViolation):
                self._all_new = False
                return await self._store(topic, records, part, refused)
            if len(part) == 1:
                reason = f"the database refused it: {reason_of(error)}"
                refused.append(records.refused(part.start, reason))
                return 0
        middle = len(part) // 2
        first = await self._store(topic, records, part[:middle], refused)
        return first + await self._store(topic, records, part[middle:], refused)

    async def _store_all(self, topic: str, messages: Sequence[Struct]) -> int:
        table = TABLES[topic]
        store = table.store_new if self._all_new else table.store
        async with self._connection.cursor() as cursor:
            async with cursor.copy(table.copy) as copy:
                copy.set_types(list(table.columns.values()))
                for message in messages:
                    if piece := copy.formatter.write_row(table.row(message)):
                        await copy.write(piece)
            if topic == TICKS.name:
                # One round trip for all of it.
                following = plain.FIND_TOUCHED if self._aggregated else plain.COMPUTE
                await cursor.execute(sql.SQL(";").join([plain.LOCK_SYMBOLS, store, *following]))
                cursor.nextset()
            else:
                await cursor.execute(store)
            ((count,),) = await cursor.fetchall()
            if topic == TICKS.name and self._aggregated:
                cursor.nextset()
                self._touched += [TimeSpan(us, us + SECOND) for (us,) in await cursor.fetchall()]
            return int(count)


@asynccontextmanager
async def _errors() -> AsyncIterator[None]:
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError) as error:
        reason = f"the database did not take a batch: {reason_of(error)}"
        # Only who answers has a code for it.
        raise (TransientError(reason) if error.sqlstate else AwayError("the database", reason)) from error
    except psycopg.Error as error:
        raise FatalError(f"the database contradicts the schema: {reason_of(error)}") from error
