"""A file of bars becomes a dataset: history apart from everything live, there as a whole or not at all."""

import asyncio
import hashlib
import uuid
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from psycopg import AsyncCursor

from services.common import clock, database
from services.common.database import EPOCH_US, Connection
from services.common.errors import FatalError
from services.common.settings import DatabaseSettings
from services.common.store import errors
from services.ingest.feeds.archive_rows import Damage
from services.local.importing_ohlcv import bars
from services.local.importing_report import Findings
from services.local.progress import progress
from services.local.terminal import write

_PAGE_ROWS = 10_000
_TYPES = ["int8", "text", "int8", "float8", "float8", "float8", "float8", "float8"]
_STAGE = """
CREATE TEMP TABLE staged_bars (
    line int8, symbol text, ts timestamptz, open float8, high float8, low float8, close float8, volume float8
) ON COMMIT DROP
"""
# The shortest step, because a gap makes a longer one.
_WIDTH = """
SELECT min(step) FROM (
    SELECT ts - lag(ts) OVER (PARTITION BY symbol ORDER BY ts) AS step FROM staged_bars
) AS steps WHERE step > interval '0'
"""
_DATASET = """
INSERT INTO datasets (dataset_id, name, file_name, sha256, bar_width, bars, rejected, uploaded_at)
VALUES (%s, %s, %s, %s, %s, 0, %s, now())
"""
# Of bars with one time the first in the file stays.
_BARS = """
INSERT INTO dataset_bars (dataset_id, symbol, ts, open, high, low, close, volume)
SELECT DISTINCT ON (symbol, ts) %s, symbol, ts, open, high, low, close, volume
FROM staged_bars ORDER BY symbol, ts, line
"""
_AGAIN = """
SELECT line, symbol, ts, first_line FROM (
    SELECT line, symbol, ts, min(line) OVER (PARTITION BY symbol, ts) AS first_line FROM staged_bars
) AS numbered WHERE line > first_line ORDER BY line
"""


async def import_dataset(
    settings: DatabaseSettings, path: Path, name: str, symbol: str | None, findings: Findings
) -> None:
    """Store the bars in `path` as the dataset `name`, in one transaction: an import cut short leaves nothing.

    The same file under the same name changes nothing; another file under a name that is taken is a FatalError.
    """
    async with database.connect(settings, "pairstream-import") as connection:
        with errors():
            await database.require_schema(connection)
            sha256 = await asyncio.to_thread(_sha256, path)
            if not await _is_there(connection, name, sha256):
                async with connection.transaction(), connection.cursor() as cursor:
                    words = await _Dataset(cursor, path, findings).store(name, symbol, sha256)
                write(f"{path}: dataset {name}, {words}")
            else:
                write(f"{path}: dataset {name} is there already")


async def _is_there(connection: Connection, name: str, sha256: bytes) -> bool:
    cursor = await connection.execute("SELECT sha256, file_name FROM datasets WHERE name = %s", [name])
    row = await cursor.fetchone()
    if row is not None and row[0] != sha256:
        raise FatalError(f"--dataset: expected a new name, received {name}, which holds the bars of {row[1]}")
    return row is not None


class _Dataset:
    def __init__(self, cursor: AsyncCursor[Any], path: Path, findings: Findings) -> None:
        self._cursor = cursor
        self._path = path
        self._findings = findings
        self._rejected = 0
        self._last: dict[str, int] = {}

    async def store(self, name: str, symbol: str | None, sha256: bytes) -> str:
        """Store it and return in words what it holds."""
        await self._cursor.execute(_STAGE)
        await self._stage(symbol)
        dataset = uuid.uuid4().hex
        width = await self._width()
        await self._cursor.execute(_DATASET, [dataset, name, self._path.name, sha256, width, self._rejected])
        await self._cursor.execute(_BARS, [dataset])
        count = self._cursor.rowcount
        await self._cursor.execute("UPDATE datasets SET bars = %s WHERE dataset_id = %s", [count, dataset])
        await self._cursor.execute(_AGAIN)
        for line, of, at, first in await self._cursor.fetchall():
            reason = f"{of} at {at.isoformat()} is in line {first} already, which stays"
            self._findings.add("repeated", self._path, (line, line), 1, reason)
        return f"{count:,} bars of {', '.join(sorted(self._last))}, {width} each"

    async def _stage(self, symbol: str | None) -> None:
        lines = bars(self._path, symbol)
        done = 0
        with progress(self._path.name) as show:
            async with self._cursor.copy("COPY staged_bars FROM STDIN (FORMAT binary)") as copy:
                copy.set_types(_TYPES)
                while page := await asyncio.to_thread(list, islice(lines, _PAGE_ROWS)):
                    for bar in page:
                        if isinstance(bar, Damage):
                            self._rejected += 1
                            self._findings.add(
                                "rejected", self._path, (bar.number, bar.number), 1, bar.reason
                            )
                        else:
                            self._find_disorder(bar.symbol, bar.start_us, bar.line)
                            await copy.write_row((*bar[:2], bar.start_us - EPOCH_US, *bar[3:]))
                    done += len(page)
                    show(done, f"{done:,} lines")

    def _find_disorder(self, symbol: str, start_us: int, line: int) -> None:
        last_us = self._last.get(symbol, start_us)
        if start_us < last_us:
            reason = (
                f"expected a bar of {symbol} after {clock.to_iso(last_us)}, received {clock.to_iso(start_us)}"
            )
            self._findings.add("out of order", self._path, (line, line), 1, reason)
        self._last[symbol] = start_us

    async def _width(self) -> timedelta:
        await self._cursor.execute(_WIDTH)
        row = await self._cursor.fetchone()
        if row is None or row[0] is None:
            raise FatalError(
                f"{self._path}: expected two bars at least, whose distance is their width, received less"
            )
        width: timedelta = row[0]
        return width


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
