"""``pairstream export``: stored rows as CSV or Parquet, however many there are."""

import asyncio
import time
from pathlib import Path
from typing import NamedTuple

from services.cli.export.file import ExportFile, created
from services.cli.progress import Show, progress
from services.common.errors import FatalError
from services.common.settings import DatabaseSettings
from services.local.terminal import write
from services.store import database, relations, schema
from services.store.database import Connection

_PAGE_ROWS = 50_000


class ExportRequest(NamedTuple):
    """Rows to export: of `owner` (None: of all), from `start_us` to before `end_us` (epoch, us)."""

    table: relations.Relation
    owner: str | None = None
    start_us: int | None = None
    end_us: int | None = None


async def export(settings: DatabaseSettings, wanted: ExportRequest, output: Path, replace: bool) -> None:
    """Write the rows to `output`, owner after owner, each in the order of time.

    FatalError if there are none, or if the file cannot be written.
    """
    began = time.monotonic()
    with created(output, replace) as file, relations.errors():
        async with database.connect(settings, "pairstream-export") as connection:
            await schema.require(connection)
            await _Exporter(connection, file).export(wanted)
        if not file.rows:
            of = f" of {wanted.owner}" if wanted.owner else ""
            raise FatalError(f"expected rows in {wanted.table.name}{of} in that time, received none")
    rate = file.rows / (time.monotonic() - began)
    write(f"{output}: {file.rows:,} rows, {rate:,.0f} a second")


class _Exporter:
    def __init__(self, connection: Connection, file: ExportFile) -> None:
        self._connection = connection
        self._file = file

    async def export(self, wanted: ExportRequest) -> None:
        table = wanted.table
        owners = [wanted.owner] if wanted.owner else await relations.owners(self._connection, table)
        for owner in owners:
            period = await relations.period(self._connection, table, owner)
            if period is None:
                continue
            first = max(period[0], wanted.start_us or 0)
            last = period[1] if wanted.end_us is None else min(period[1], wanted.end_us)
            with progress(f"{table.name} {owner}", max(last - first, 0)) as show:
                async with relations.rows(
                    self._connection, table, owner, wanted.start_us, wanted.end_us
                ) as cursor:
                    await self._copy(cursor, first, show)

    async def _copy(self, cursor: relations.Cursor, first_us: int, show: Show) -> None:
        assert cursor.description is not None
        self._file.begin([(column.name, column.type_code) for column in cursor.description])
        page = await cursor.fetchmany(_PAGE_ROWS)
        while page:
            # The server looks for the next rows while these are written.
            _, following = await asyncio.gather(
                asyncio.to_thread(self._file.write, page), cursor.fetchmany(_PAGE_ROWS)
            )
            show(page[-1][1] - first_us, f"{self._file.rows:,} rows")
            page = following
