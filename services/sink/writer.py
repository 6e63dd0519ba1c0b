"""The sink's side of the database: one batch, one transaction, with the offsets in it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import psycopg
from psycopg import errors

from services.common import database
from services.common.database import Connection
from services.common.errors import FatalError, TransientError
from services.common.topics import TICKS
from services.sink import bars
from services.sink.batch import Batch, Partition, Record, Refused
from services.sink.tables import TABLES

Bury = Callable[[Sequence[Refused]], Awaitable[None]]

# What a row is refused with: values out of range, constraints, keys too long for an index.
_REFUSALS = (psycopg.DataError, psycopg.IntegrityError, errors.ProgramLimitExceeded, OverflowError)


class FencedError(TransientError):
    """Another consumer has written this partition since we last looked; what we hold must not be written."""


class Written(NamedTuple):
    """What a batch came to: new or improved rows by topic, and rows that were there already."""

    stored: dict[str, int]
    duplicates: int


class Writer:
    """Writes batches on one autocommit connection.

    Raises TransientError when the database is away or asks to try again, FatalError when it contradicts the
    schema. After either the connection is of no more use: make another writer and ``resume``.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cluster_id = ""
        self._stored: dict[Partition, int] = {}

    async def prepare(self) -> None:
        """Create the temporary tables into which rows are copied; FatalError if the schema is not ours."""
        async with _errors():
            await database.require_schema(self._connection)
            await self._connection.execute(bars.STAGE_SECONDS)
            for table in TABLES.values():
                await self._connection.execute(table.stage)

    async def resume(self, cluster_id: str) -> Mapping[Partition, int]:
        """Return, and from now on write against, the offsets at which the cluster's partitions go on."""
        async with _errors():
            cursor = await self._connection.execute(
                "SELECT topic, partition, next_offset FROM stream_offsets WHERE cluster_id = %s", [cluster_id]
            )
            self._cluster_id = cluster_id
            self._stored = {
                Partition(topic, partition): offset for topic, partition, offset in await cursor.fetchall()
            }
        return self._stored

    async def write(self, batch: Batch, bury: Bury) -> Written:
        """Store the batch's rows, its bars and its offsets, all or nothing; FencedError if we lost a partition.

        Rows the database refuses are handed to `bury` before the commit, so that they are lost by no crash;
        after a crash in between they are buried twice.
        """
        stored: dict[str, int] = {}
        refused: list[Refused] = []
        async with _errors(), self._connection.transaction():
            for partition in sorted(batch.read):
                await self._advance(partition, batch.read[partition])
            for topic, records in batch:
                stored[topic] = await self._store(topic, records, refused)
            if refused:
                await bury(refused)
        self._stored = {**self._stored, **batch.read}
        received = sum(map(len, batch.records.values()))
        return Written(stored, received - len(refused) - sum(stored.values()))

    async def _advance(self, partition: Partition, following: int) -> None:
        expected = self._stored.get(partition)
        key = [self._cluster_id, *partition]
        if expected is None:
            cursor = await self._connection.execute(
                "INSERT INTO stream_offsets (next_offset, cluster_id, topic, partition)"
                " VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
                [following, *key],
            )
        else:
            cursor = await self._connection.execute(
                "UPDATE stream_offsets SET next_offset = %s"
                " WHERE cluster_id = %s AND topic = %s AND partition = %s AND next_offset = %s",
                [following, *key, expected],
            )
        if cursor.rowcount != 1:
            raise FencedError(
                f"expected offset {expected} stored for {partition.topic}/{partition.partition}: "
                "another sink has written this partition"
            )

    async def _store(self, topic: str, records: Sequence[Record], refused: list[Refused]) -> int:
        try:
            async with self._connection.transaction():
                return await self._store_all(topic, records)
        except _REFUSALS as error:
            if len(records) == 1:
                record = records[0]
                reason = f"the database refused it: {' '.join(str(error).split())}"
                refused.append(Refused(record.raw, record.partition, record.offset, reason))
                return 0
        middle = len(records) // 2
        first = await self._store(topic, records[:middle], refused)
        return first + await self._store(topic, records[middle:], refused)

    async def _store_all(self, topic: str, records: Sequence[Record]) -> int:
        table = TABLES[topic]
        async with self._connection.cursor() as cursor:
            async with cursor.copy(table.copy) as copy:
                copy.set_types(list(table.columns.values()))
                for record in records:
                    await copy.write_row(table.row(record.message))
            if topic == TICKS.name:
                await cursor.execute(bars.LOCK_SYMBOLS)
            row = await (await cursor.execute(table.store)).fetchone()
            assert row is not None
            if topic == TICKS.name and row[0]:
                for statement in bars.COMPUTE:
                    await cursor.execute(statement)
            return int(row[0])


@asynccontextmanager
async def _errors() -> AsyncIterator[None]:
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError) as error:
        raise TransientError(f"the database did not take a batch: {' '.join(str(error).split())}") from error
    except psycopg.Error as error:
        raise FatalError(f"the database contradicts the schema: {' '.join(str(error).split())}") from error
