"""Watch over the disk of a database on this machine: warns when it is nearly full, deletes old ticks when full."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, NoReturn

import psycopg
import structlog
from psycopg import sql

from services.common.cancellation import pause
from services.common.disk_space import DiskSpace
from services.common.errors import TransientError, reason_of
from services.common.heartbeat import HeartbeatState
from services.sink import retention
from services.sink.settings import SinkSettings
from services.store import database, relations
from services.store.bars.timescale import aggregated
from services.store.database import Connection

_EVERY_S = 10.0
# Each time a tenth of what may go. What is dropped makes room in the table, not on the disk: ticks are dropped again
# only when more than this part of the disk is gone since.
_PART = 10
_AGAIN = 0.001
_OLDEST = sql.SQL("SELECT min(ts) FROM ticks WHERE symbol = %s")
_OLDEST_CHUNK = """
SELECT range_end FROM timescaledb_information.chunks WHERE hypertable_name = 'ticks' ORDER BY range_end LIMIT 1
"""

log = structlog.get_logger()


class DroppedTicks(NamedTuple):
    """Deleted ticks: all from before `before`, `rows` of them (None: whole chunks, uncounted)."""

    before: datetime
    rows: int | None


class DiskGuard:
    """Keeps ingest going on a disk that fills; bars stay, and so does whatever bars may yet be made of."""

    def __init__(
        self,
        directory: Path,
        heartbeat: HeartbeatState,
        drop: Callable[[], Awaitable[DroppedTicks | None]],
        measure: Callable[[Path], DiskSpace] = DiskSpace.of,
    ) -> None:
        """`directory` is on the disk of the database; `drop` drops some ticks, None if none is old enough."""
        self._directory = directory
        self._heartbeat = heartbeat
        self._drop = drop
        self._measure = measure
        self._before_free: int | None = None
        self._said: str | None = None

    async def run(self) -> NoReturn:
        """Look at the disk every 10 s, until cancelled."""
        while True:
            await self.look()
            await pause(_EVERY_S)

    async def look(self) -> None:
        """Measure the disk, say what there is to say, and drop ticks if it is full."""
        space = self._measure(self._directory)
        self._heartbeat.is_alarming = space.state == "full"
        if space.state != self._said:
            self._said = space.state
            if space.state != "enough":
                log.warning("the disk is nearly full", space=str(space), directory=str(self._directory))
        if space.state == "enough":
            self._heartbeat.notice, self._before_free = None, None
        elif space.state == "little":
            self._heartbeat.notice = f"the disk is nearly full: {space}; free space, or keep fewer ticks"
        elif self._before_free is None or space.free < self._before_free - _AGAIN * space.total:
            await self._make_room(space)

    async def _make_room(self, space: DiskSpace) -> None:
        try:
            dropped = await self._drop()
        except (TransientError, psycopg.Error) as error:
            self._heartbeat.notice = f"the disk is full: {space}"
            log.warning(
                "the disk is full, and old ticks could not be deleted, trying again", error=reason_of(error)
            )
            return
        self._before_free = space.free
        if dropped is None:
            self._heartbeat.notice = (
                f"the disk is full: {space}, and no tick is old enough to be dropped: free space"
            )
            log.error(
                "the disk is full, and no tick is old enough to be deleted: free space", space=str(space)
            )
            return
        self._heartbeat.counters["dropped_ticks"] += dropped.rows or 0
        before = f"{dropped.before:%Y-%m-%d %H:%M:%S} UTC"
        self._heartbeat.notice = (
            f"the disk is full: {space}; ticks from before {before} were dropped, bars stay"
        )
        log.error(
            "oldest ticks deleted: the disk is full", before=before, rows=dropped.rows, space=str(space)
        )


async def make_room(settings: SinkSettings) -> DroppedTicks | None:
    """Drop the oldest ticks of the store; None if all are as young as those of which bars may yet be made."""
    async with database.connect(settings, "pairstream-sink-disk") as connection:
        return await drop_oldest(connection, settings.lateness + settings.slack)


async def drop_oldest(connection: Connection, youngest: timedelta) -> DroppedTicks | None:
    """Drop some of the ticks that are older than `youngest`: a tenth, by time, or on TimescaleDB the oldest chunk.

    An autocommit connection. None if there are none so old.
    """
    limit = datetime.now(UTC) - youngest
    if await aggregated(connection):
        row = await (await connection.execute(_OLDEST_CHUNK)).fetchone()
        if row is None or row[0] > limit:
            return None
        await connection.execute("SELECT drop_chunks('ticks', %s::timestamptz)", [row[0]])
        return DroppedTicks(row[0], None)
    oldest = [
        row[0]
        for symbol in await relations.owners(connection, relations.TICKS)
        async for row in await connection.execute(_OLDEST, [symbol])
        if row[0] is not None
    ]
    if not oldest or min(oldest) >= limit:
        return None
    span = limit - min(oldest)
    before = min(oldest) + max(span / _PART, min(span, timedelta(hours=1)))
    rows = await retention.sweep(connection, {relations.TICKS.name: datetime.now(UTC) - before})
    # Else nothing could be written in their place.
    await connection.execute("VACUUM ticks")
    return DroppedTicks(before, rows)
