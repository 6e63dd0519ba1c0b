"""``pairstream export``: stored rows as CSV or Parquet, however many there are."""

import argparse
import asyncio
import time
from pathlib import Path
from typing import NamedTuple

from services.cli import arguments
from services.cli.export.file import ExportFile, created
from services.cli.progress import Show, progress
from services.cli.run_to_end import run_to_end
from services.common.errors import FatalError
from services.common.settings import DatabaseSettings, load
from services.contracts.intervals import INTERVALS
from services.local.terminal import write
from services.store import database, relations, schema
from services.store.database import Connection

_PAGE_ROWS = 50_000


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("table", choices=("ticks", "bars", "signals", "alerts"))
    owner = parser.add_mutually_exclusive_group()
    owner.add_argument("--symbol", type=arguments.symbol, help="of ticks and bars; default: every one")
    owner.add_argument("--pair", type=arguments.pair, help="of signals and alerts; default: every one")
    owner.add_argument("--subject", help="of alerts: a pair, a symbol, a service; default: every one")
    parser.add_argument("--interval", choices=INTERVALS, default="1m", help="of bars; default: %(default)s")
    arguments.add_period(parser)
    parser.add_argument(
        "--output", metavar="FILE", type=Path, required=True, help="a new .csv, .csv.gz or .parquet file"
    )
    parser.add_argument("--force", action="store_true", help="write over a file that exists")
    parser.set_defaults(run=_run)


def _run(flags: argparse.Namespace) -> None:
    settings = load(DatabaseSettings)
    tables = {"bars": relations.BARS[flags.interval], "ticks": relations.TICKS}
    tables |= {"signals": relations.SIGNALS, "alerts": relations.ALERTS}
    table = tables[flags.table]
    given = {"symbol": flags.symbol, "pair": flags.pair, "subject": flags.subject}
    name, owner = next(((name, one) for name, one in given.items() if one is not None), (table.of, None))
    # A pair is one of the subjects.
    if name != table.of and (name, table.of) != ("pair", "subject"):
        raise FatalError(f"--{name}: expected --{table.of} with {flags.table}")
    wanted = ExportRequest(table, owner, flags.start, flags.end)
    run_to_end(export(settings, wanted, flags.output, flags.force))


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
