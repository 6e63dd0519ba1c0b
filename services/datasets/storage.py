"""Storage of a dataset: files of bars become one, whole or not at all."""

import asyncio
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import AsyncCursor, sql

from services.common import clock
from services.common.compressed_files import FileError
from services.common.errors import FatalError
from services.datasets import statements
from services.datasets.blocks import Bars, ParsedBlock, Symbols
from services.datasets.conflicts import require_same_prices
from services.datasets.disorder import BarOrder
from services.datasets.reading import FileReading, reading_of
from services.datasets.report import KEPT, Finding, ImportReport
from services.datasets.sources import FileSource, Upload
from services.datasets.tables import bars_relation, wider_than
from services.datasets.widths import MONTH_US, Step, Width, width_of
from services.store import schema
from services.store.binary_copy import SIGNATURE, TRAILER, binary_rows
from services.store.database import EPOCH_US, Connection
from services.store.relations import errors

MOST_REJECTED = 100_000
# A file and a line in one number, which orders them.
_LINE_BITS = 40
Show = Callable[[int, str], None]


class NameTakenError(FatalError):
    """There is a dataset of this name with other bars."""


class StoredDataset(NamedTuple):
    """The id of a dataset, and whether it is new."""

    dataset_id: str
    created: bool


async def store_dataset(
    connection: Connection, upload: Upload, report: ImportReport, show: Show = lambda done, text: None
) -> StoredDataset:
    """Store an upload in one transaction: one that is cut short leaves nothing.

    The same files under the same name change nothing. FileError if they are no bars, NameTakenError if the name
    is that of other bars, TransientError if the database is away, FatalError if it is not ours.
    """
    with errors():
        await schema.require(connection)
        fingerprint = await asyncio.to_thread(upload.fingerprint)
        if (known := await _known(connection, upload.name, fingerprint)) is not None:
            return StoredDataset(known, created=False)
        try:
            async with connection.transaction(), connection.cursor() as cursor:
                dataset_id = await _Dataset(cursor, upload, report, show).store(fingerprint)
        except psycopg.errors.UniqueViolation:
            known = await _known(connection, upload.name, fingerprint)
            if known is None:
                raise
            return StoredDataset(known, created=False)
    return StoredDataset(dataset_id, created=True)


async def _known(connection: Connection, name: str, fingerprint: bytes) -> str | None:
    cursor = await connection.execute("SELECT dataset_id, sha256 FROM datasets WHERE name = %s", [name])
    row = await cursor.fetchone()
    if row is not None and row[1] != fingerprint:
        raise NameTakenError(f"expected a new name, received {name}, which other bars have")
    return None if row is None else str(row[0])


class _Dataset:
    def __init__(self, cursor: AsyncCursor[Any], upload: Upload, report: ImportReport, show: Show) -> None:
        self._cursor = cursor
        self._upload = upload
        self._report = report
        self._show = show
        self._id = uuid.uuid4().hex
        self._bars = sql.Identifier(bars_relation(self._id))
        self._symbols = Symbols()
        self._order = BarOrder(self._symbols)
        self._sources: list[FileSource] = []
        self._files: list[FileReading] = []
        self._rows = 0

    async def store(self, fingerprint: bytes) -> str:
        """Store it and return its id."""
        # First of all, so that of two uploads under one name the second waits for the first.
        await self._cursor.execute(
            statements.DATASET, [self._id, self._upload.name, fingerprint, json.dumps([])]
        )
        await self._cursor.execute(statements.MEMORY)
        await self._cursor.execute(statements.TABLE, [bars_relation(self._id)])
        await self._on_bars(statements.PLACES)
        self._sources = await asyncio.to_thread(self._upload.files)
        for nth, source in enumerate(self._sources):
            await self._copy(nth, source)
        if not self._order.strict:
            await self._drop_repeated()
        for statement in (statements.NO_PLACES, statements.KEY, statements.STATISTICS, statements.STEPS):
            await self._on_bars(statement)
        width = await self._width()
        values = {"dataset": self._id, "width": _interval(width)}
        await self._cursor.execute(statements.symbols(width.is_calendar), values)
        await self._find_odd(width)
        await self._find_gaps(width)
        await self._find_carried()
        await self._put_together(width)
        await self._cursor.execute(
            statements.DESCRIBE,
            [
                _interval(width),
                self._rows,
                json.dumps([one._asdict() for one in self._files]),
                json.dumps(self._report.counts),
                self._id,
            ],
        )
        async with self._cursor.copy(statements.FINDINGS) as copy:
            for nth, finding in enumerate(self._report.kept):
                reason = finding.reason.replace("\0", "\N{REPLACEMENT CHARACTER}")
                await copy.write_row((self._id, nth, finding.kind, finding.file, finding.line, reason))
        return self._id

    async def _on_bars(self, statement: sql.SQL, values: Mapping[str, Any] | None = None) -> None:
        await self._cursor.execute(statement.format(bars=self._bars), values)

    async def _copy(self, nth: int, source: FileSource) -> None:
        done, blocks = 0, self._blocks(nth, source)
        async with self._cursor.copy(statements.COPY.format(bars=self._bars)) as copy:
            await copy.write(SIGNATURE)
            while (block := await asyncio.to_thread(next, blocks, None)) is not None:
                read, packed = block
                await copy.write(packed)
                done += read.bytes
                self._show(done, f"{read.through:,} lines")
            await copy.write(TRAILER)

    def _blocks(self, nth: int, source: FileSource) -> Iterator[tuple[ParsedBlock, bytes]]:
        """Yield what is read of a file, and its bars as they are copied; blocks."""
        with self._upload.opened(source, self._symbols) as file:
            self._files.append(reading_of(file, source.notes))
            for read in file:
                for line, reason, kind in read.damages:
                    self._report.add(Finding(kind, source.name, line, reason))
                if self._report.counts["rejected"] > MOST_REJECTED:
                    line, reason, _ = read.damages[-1]
                    expected = f"more than {MOST_REJECTED:,} lines are no bars: {reason}"
                    raise FileError(source.name, expected, line)
                for line, reason in self._order.disorder(read.bars):
                    self._report.add(Finding("out of order", source.name, line, reason))
                self._rows += len(read.bars)
                yield read, _packed(read.bars, list(self._symbols), nth)

    async def _require_one_contract(self) -> None:
        """Return if no two files have other prices of one symbol at the same times."""
        await self._on_bars(statements.CONFLICTS)
        for symbol, first, place, both_have, unlike in await self._cursor.fetchall():
            _, line = self._where(place)
            require_same_prices(self._source(first), self._source(place), line, symbol, both_have, unlike)

    async def _drop_repeated(self) -> None:
        if len(self._sources) > 1:
            await self._require_one_contract()
        await self._on_bars(statements.AGAIN, {"limit": KEPT})
        found = await self._cursor.fetchall()
        for place, symbol, ts, first, _ in found:
            file, line = self._where(place)
            at = f"{symbol} at {clock.to_iso(clock.from_datetime(ts))}"
            where = "{}:{}".format(*self._where(first))
            self._report.add(Finding("repeated", file, line, f"{at} is in {where} already, which stays"))
        count = found[0][-1] if found else 0
        self._report.add_uncounted("repeated", count - len(found))
        self._rows -= count

    def _source(self, place: int) -> FileSource:
        return self._sources[place >> _LINE_BITS]

    def _where(self, place: int) -> tuple[str, int]:
        return self._source(place).name, place & ((1 << _LINE_BITS) - 1)

    async def _width(self) -> Width:
        await self._cursor.execute(statements.COMMON_STEPS)
        width = width_of(Step(*row) for row in await self._cursor.fetchall())
        if width is not None:
            return width
        expected = "expected two bars of a symbol at least, whose distance is their width, received less"
        rejected = next((one for one in self._report.kept if one.kind == "rejected"), None)
        if rejected is None:
            raise FileError(self._files[0].name, expected)
        count = self._report.counts["rejected"]
        detail = f"{expected}: {count:,} lines are no bars, the first one: {rejected.reason}"
        raise FileError(rejected.file or self._files[0].name, detail, rejected.line)

    async def _find_odd(self, width: Width) -> None:
        values = {"us": width.us, "slack": width.slack_us, "limit": KEPT}
        await self._cursor.execute(statements.ANY_ODD, values)
        if not await self._cursor.fetchall():
            return
        await self._on_bars(statements.ODD_OF_MONTHS if width.us >= MONTH_US else statements.ODD, values)
        found = await self._cursor.fetchall()
        for symbol, ts, _ in found:
            reason = (
                f"{symbol} at {clock.to_iso(clock.from_datetime(ts))}: not where bars of this width begin"
            )
            self._report.add(Finding("odd", None, None, reason))
        self._report.add_uncounted("odd", found[0][-1] - len(found) if found else 0)

    async def _find_gaps(self, width: Width) -> None:
        await self._cursor.execute("SELECT sum(gaps) FROM dataset_symbols WHERE dataset_id = %s", [self._id])
        ((count,),) = await self._cursor.fetchall()
        if count:
            values = {"width": _interval(width), "limit": KEPT}
            await self._cursor.execute(statements.gaps(self._bars, width.is_calendar), values)
            async for symbol, last, next_, missing in self._cursor:
                between = " and ".join(clock.to_iso(clock.from_datetime(at)) for at in (last, next_))
                self._report.add(Finding("gap", None, None, f"{symbol}: {missing} missing between {between}"))
            self._report.add_uncounted("gap", int(count) - self._report.counts["gap"])

    async def _find_carried(self) -> None:
        await self._cursor.execute(statements.MARK_CARRIED, [self._id])
        ((marked,),) = await self._cursor.fetchall()
        if not marked:
            return
        await self._on_bars(statements.CARRIED, {"limit": KEPT})
        found = await self._cursor.fetchall()
        for symbol, first, last, bars, _ in found:
            between = " to ".join(clock.to_iso(clock.from_datetime(at)) for at in (first, last))
            reason = f"{symbol}: {bars} carried, {between}: volume 0 at the price of the bar before"
            self._report.add(Finding("carried", None, None, reason))
        self._report.add_uncounted("carried", found[0][-1] - len(found))

    async def _put_together(self, width: Width) -> None:
        finer = self._bars
        for interval in wider_than(width.us):
            relation = bars_relation(self._id, interval)
            wider = sql.Identifier(relation)
            await self._cursor.execute(statements.TABLE, [relation])
            values = {"wider": wider, "bars": finer, "width": sql.Literal(interval)}
            await self._cursor.execute(statements.WIDER_BARS.format(**values))
            for statement in (statements.KEY, statements.STATISTICS):
                await self._cursor.execute(statement.format(bars=wider))
            finer = wider


def _interval(width: Width) -> timedelta:
    return timedelta(microseconds=width.us)


def _packed(bars: Bars, symbols: Sequence[str], nth: int) -> bytes:
    """Return the rows of `bars`, those of one form together: a text and a null have their lengths."""
    names = np.array([symbol.encode() for symbol in symbols], "S")
    forms = np.char.str_len(names)[bars["symbol"]] * 2 + np.isnan(bars["volume"])
    return b"".join(_alike(bars[forms == form], names, nth) for form in np.unique(forms))


def _alike(bars: Bars, names: NDArray[np.bytes_], nth: int) -> bytes:
    symbols = names[bars["symbol"]]
    fields = ("open", "high", "low", "close", "volume")
    amounts = {name: (">f8", bars[name]) for name in fields}
    without_volume = bool(np.isnan(bars["volume"][0]))
    return binary_rows(
        {
            "place": (">i8", bars["line"] + (nth << _LINE_BITS)),
            "symbol": (f"S{len(symbols[0])}", symbols),
            "ts": (">i8", bars["start_us"] - EPOCH_US),
            **amounts,
            **({"volume": None} if without_volume else {}),
        },
        len(bars),
    )
