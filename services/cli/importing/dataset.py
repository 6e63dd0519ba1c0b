"""``pairstream import`` of OHLCV csv: a file of bars becomes a dataset."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from services.cli.importing.report import Findings
from services.cli.importing.tick_files import unpacked_size
from services.cli.progress import progress
from services.common.compressed_files import FileError
from services.common.decompression import unpacked
from services.common.errors import FatalError
from services.common.settings import DatabaseSettings
from services.datasets.dialect import SAMPLE_BYTES, names_bars
from services.datasets.options import ReadOptions
from services.datasets.report import Finding, ImportReport
from services.datasets.sources import FileSource, Upload
from services.datasets.storage import NameTakenError, store_dataset
from services.local.terminal import write
from services.store import database


def read_options(told: Sequence[str]) -> ReadOptions:
    """Return the options that are told as ``NAME=VALUE``; FatalError if there is no such name or value.

    >>> read_options(["date_order=mdy"]).date_order
    'mdy'
    """
    values: dict[str, Any] = {}
    for text in told:
        name, _, value = text.partition("=")
        values[name] = value
    try:
        if "mapping" in values:
            values["mapping"] = msgspec.json.decode(values["mapping"])
        if unknown := set(values) - {field.name for field in dataclasses.fields(ReadOptions)}:
            raise FatalError(f"--read: expected the name of an option, received {min(unknown)!r}")
        options = msgspec.convert(values, ReadOptions)
        ZoneInfo(options.zone)
    except (msgspec.MsgspecError, ZoneInfoNotFoundError, ValueError) as error:
        raise FatalError(f"--read: {error}") from None
    return options


_RECOGNISED = ReadOptions()


def is_ohlcv(path: Path, options: ReadOptions = _RECOGNISED) -> bool:
    """Return whether a file begins as bars do; FatalError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return Upload(path.name, [FileSource(path.name, file)], options).has_bars()
    except (FileError, OSError):
        # Ticks are read as far as a file goes.
        with unpacked(path) as cut:
            return names_bars(cut.read(SAMPLE_BYTES), options)


async def import_dataset(
    settings: DatabaseSettings,
    path: Path,
    name: str,
    symbol: str | None,
    options: ReadOptions,
    findings: Findings,
) -> None:
    """Store the bars in `path` as the dataset `name`, in one transaction: an import cut short leaves nothing.

    The same file under the same name changes nothing; another file under a name that is taken is a FatalError.
    """

    def hear(finding: Finding) -> None:
        if finding.kind != "gap" and finding.kind != "carried":
            line = finding.line or 0
            findings.add(finding.kind, path, (line, line), 1, finding.reason)

    with path.open("rb") as file, progress(path.name, _size(path)) as show:
        upload = Upload(name, [FileSource(path.name, file, symbol)], options)
        async with database.connect(settings, "pairstream-import") as connection:
            try:
                stored = await store_dataset(connection, upload, ImportReport(hear), show)
            except NameTakenError as error:
                raise FatalError(f"--dataset: {error}") from None
            words = await _described(connection, stored.dataset_id) if stored.created else "is there already"
    write(f"{path}: dataset {name} {words}")


def _size(path: Path) -> int:
    try:
        return unpacked_size(path)
    except FileError:  # a zip of several files
        return path.stat().st_size


async def _described(connection: database.Connection, dataset_id: str) -> str:
    cursor = await connection.execute(
        "SELECT datasets.bars, bar_width, string_agg(symbol, ', ' ORDER BY symbol), coalesce(sum(carried), 0)"
        " FROM datasets JOIN dataset_symbols USING (dataset_id) WHERE dataset_id = %s GROUP BY dataset_id",
        [dataset_id],
    )
    ((bars, width, symbols, carried),) = await cursor.fetchall()
    aside = f", {carried:,} of them carried: nothing traded in them" if carried else ""
    return f"has {bars:,} bars of {symbols}, {width} each{aside}"
