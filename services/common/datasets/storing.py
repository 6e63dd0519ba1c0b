"""Files of bars become a dataset: history apart from everything live, there as a whole or not at all."""

import asyncio
import json
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import psycopg
from psycopg import AsyncCursor

from services.common import clock, database
from services.common.copying import SIGNATURE, TRAILER, binary_rows
from services.common.database import EPOCH_US, Connection
from services.common.datasets import statements
from services.common.datasets.blocks import Bars, Read, Symbols
from services.common.datasets.disorder import Order
from services.common.datasets.reading import FileReading, reading_of
from services.common.datasets.report import KEPT, Finding, Report
from services.common.datasets.sources import Source, Upload
from services.common.datasets.widths import wider_than
from services.common.errors import FatalError
from services.common.packed import FileError
from services.common.store import errors

MOST_REJECTED = 100_000
# A file and a line in one number, which orders them.
_LINE_BITS = 40
Show = Callable[[int, str], None]


class NameTakenError(FatalError):
    """There is a dataset of this name with other bars."""


class Stored(NamedTuple):
    """The id of a dataset, and whether it is new."""

    dataset_id: str
    created: bool


async def store_dataset(
    connection: Connection, upload: Upload, report: Report, show: Show = lambda done, text: None
) -> Stored:
    """Store an upload in one transaction: one that is cut short leaves nothing.

    The same files under the same name change nothing. FileError if they are no bars, NameTakenError if the name
    is that of other bars, TransientError if the database is away, FatalError if it is not ours.
    """
    with errors():
        await database.require_schema(connection)
        fingerprint = await asyncio.to_thread(upload.fingerprint)
        if (known := await _known(connection, upload.name, fingerprint)) is not None:
            return Stored(known, created=False)
        try:
            async with connection.transaction(), connection.cursor() as cursor:
                dataset_id = await _Dataset(cursor, upload, report, show).store(fingerprint)
        except psycopg.errors.UniqueViolation:
            known = await _known(connection, upload.name, fingerprint)
            if known is None:
                raise
            return Stored(known, created=False)
    return Stored(dataset_id, created=True)


async def _known(connection: Connection, name: str, fingerprint: bytes) -> str | None:
    cursor = await connection.execute("SELECT dataset_id, sha256 FROM datasets WHERE name = %s", [name])
    row = await cursor.fetchone()
    if row is not None and row[1] != fingerprint:
        raise NameTakenError(f"expected a new name, received {name}, which other bars have")
    return None if row is None else str(row[0])


class _Dataset:
    def __init__(self, cursor: AsyncCursor[Any], upload: Upload, report: Report, show: Show) -> None:
        self._cursor = cursor
        self._upload = upload
        self._report = report
        self._show = show
        self._id = uuid.uuid4().hex
        self._symbols = Symbols()
        self._order = Order(self._symbols)
        self._staged = 0

    async def store(self, fingerprint: bytes) -> str:
        """Store it and return its id."""
        # First of all, so that of two uploads under one name the second waits for the first.
        await self._cursor.execute(
            statements.DATASET, [self._id, self._upload.name, fingerprint, json.dumps([])]
        )
        await self._cursor.execute(statements.SORT_IN_MEMORY)
        await self._cursor.execute(statements.STAGE)
        files = [await self._stage(nth, source) for nth, source in enumerate(self._upload.sources)]
        stored = await self._keep()
        width = await self._width(files)
        await self._cursor.execute(statements.SYMBOLS, {"dataset": self._id, "width": width})
        for wider in wider_than(width // timedelta(microseconds=1)):
            await self._cursor.execute(statements.WIDER_BARS, {"dataset": self._id, "wider": wider})
        await self._find_gaps(width)
        await self._cursor.execute(
            statements.DESCRIBE,
            [
                width,
                stored,
                json.dumps([one._asdict() for one in files]),
                json.dumps(self._report.counts),
                self._id,
            ],
        )
        async with self._cursor.copy(statements.FINDINGS) as copy:
            for nth, finding in enumerate(self._report.kept):
                reason = finding.reason.replace("\0", "\N{REPLACEMENT CHARACTER}")
                await copy.write_row((self._id, nth, finding.kind, finding.file, finding.line, reason))
        return self._id

    async def _stage(self, nth: int, source: Source) -> FileReading:
        done = 0
        async with self._cursor.copy(statements.COPY) as copy:
            await copy.write(SIGNATURE)
            with self._upload.opened(source, self._symbols) as file:
                reads = iter(file)
                while (step := await asyncio.to_thread(self._next, reads, source.name, nth)) is not None:
                    read, packed = step
                    await copy.write(packed)
                    done += read.bytes
                    self._show(done, f"{read.through:,} lines")
                reading = reading_of(file)
            await copy.write(TRAILER)
        return reading

    def _next(self, reads: Iterator[Read], name: str, nth: int) -> tuple[Read, bytes] | None:
        read = next(reads, None)
        if read is None:
            return None
        for line, reason in read.damages:
            self._report.add(Finding("rejected", name, line, reason))
        if self._report.counts["rejected"] > MOST_REJECTED:
            line, reason = read.damages[-1]
            raise FileError(name, f"more than {MOST_REJECTED:,} lines are no bars: {reason}", line)
        for line, reason in self._order.disorder(read.bars):
            self._report.add(Finding("out of order", name, line, reason))
        self._staged += len(read.bars)
        return read, _packed(read.bars, nth)

    async def _keep(self) -> int:
        names = {"dataset": self._id, "symbols": list(self._symbols)}
        await self._cursor.execute(statements.BARS if self._order.strict else statements.FIRST_BARS, names)
        stored = self._cursor.rowcount
        if repeated := self._staged - stored:
            await self._cursor.execute(statements.AGAIN, names | {"limit": KEPT})
            async for place, symbol, ts, first in self._cursor:
                file, line = self._where(place)
                at = f"{symbol} at {clock.to_iso(clock.from_datetime(ts))}"
                where = "{}:{}".format(*self._where(first))
                self._report.add(Finding("repeated", file, line, f"{at} is in {where} already, which stays"))
            self._report.add_uncounted("repeated", repeated - self._report.counts["repeated"])
        return stored

    def _where(self, place: int) -> tuple[str, int]:
        return self._upload.sources[place >> _LINE_BITS].name, place & ((1 << _LINE_BITS) - 1)

    async def _width(self, files: list[FileReading]) -> timedelta:
        await self._cursor.execute(statements.WIDTH, [self._id])
        row = await self._cursor.fetchone()
        if row is not None and row[0] is not None:
            width: timedelta = row[0]
            return width
        expected = "expected two bars of a symbol at least, whose distance is their width, received less"
        rejected = next((one for one in self._report.kept if one.kind == "rejected"), None)
        if rejected is None:
            raise FileError(files[0].name, expected)
        count = self._report.counts["rejected"]
        detail = f"{expected}: {count:,} lines are no bars, the first one: {rejected.reason}"
        raise FileError(rejected.file or files[0].name, detail, rejected.line)

    async def _find_gaps(self, width: timedelta) -> None:
        await self._cursor.execute("SELECT sum(gaps) FROM dataset_symbols WHERE dataset_id = %s", [self._id])
        ((count,),) = await self._cursor.fetchall()
        if count:
            await self._cursor.execute(statements.GAPS, {"dataset": self._id, "width": width, "limit": KEPT})
            async for symbol, last, next_, missing in self._cursor:
                between = " and ".join(clock.to_iso(clock.from_datetime(at)) for at in (last, next_))
                self._report.add(Finding("gap", None, None, f"{symbol}: {missing} missing between {between}"))
            self._report.add_uncounted("gap", int(count) - self._report.counts["gap"])


def _packed(bars: Bars, nth: int) -> bytes:
    columns = {name: (">f8", bars[name]) for name in ("open", "high", "low", "close", "volume")}
    return binary_rows(
        {
            "place": (">i8", bars["line"] + (nth << _LINE_BITS)),
            "symbol": (">i4", bars["symbol"]),
            "ts": (">i8", bars["start_us"] - EPOCH_US),
            **columns,
        },
        len(bars),
    )
