"""``pairstream import``: past ticks into the store, each once, and the bars they belong to."""

import argparse
import asyncio
import hashlib
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from services.cli import arguments
from services.cli.importing.dataset import import_dataset, is_ohlcv, read_options
from services.cli.importing.report import Findings, findings
from services.cli.importing.store import ImportRun, ImportStore
from services.cli.importing.tick_files import TickBatch, Ticks, batches, unpacked_size
from services.cli.progress import Show, progress
from services.cli.run_to_end import run_to_end
from services.common import clock
from services.common.errors import FatalError
from services.common.settings import StoreSettings, load
from services.datasets.options import ReadOptions
from services.ingest.feeds.archive.archive import CONFLICT
from services.ingest.feeds.archive.id_spans import IdSpans
from services.local.terminal import write
from services.store import database

T = TypeVar("T")


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        type=Path,
        help="aggTrades csv, ndjson ticks or recorded frames, plain, gz or zip; or OHLCV bars: csv, xlsx, "
        "Parquet, JSON",
    )
    parser.add_argument(
        "--symbol", type=arguments.symbol, help="of files that do not say it; of others only its trades"
    )
    parser.add_argument("--dataset", metavar="NAME", help="what OHLCV bars are kept as, beside the live ones")
    parser.add_argument(
        "--read",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="how files of bars are read, where they do not tell it: zone, mapping, delimiter, decimal, thousands, "
        "time_unit, time_format, date_order, as in POST /v1/datasets",
    )
    parser.add_argument(
        "--report", metavar="FILE", type=Path, help="is added to: every line that was not stored, and why"
    )
    parser.set_defaults(run=_run)


def _run(flags: argparse.Namespace) -> None:
    settings = load(StoreSettings)
    with findings(flags.report) as found:
        try:
            run_to_end(
                import_files(
                    settings, flags.files, flags.symbol, flags.dataset, read_options(flags.read), found
                )
            )
        finally:
            for line in found.kept:
                sys.stderr.write(f"{line}\n")
            if found.counts:
                sys.stdout.write(f"{found}\n")
        if not found.counts:
            sys.stdout.write(f"{found}\n")


async def import_files(
    settings: StoreSettings,
    paths: Sequence[Path],
    symbol: str | None,
    dataset: str | None,
    options: ReadOptions,
    findings: Findings,
) -> None:
    """Import `paths`, file by file, and print the result of each: ticks, or bars as datasets.

    A dataset is called as its file without `dataset`, which names the only file's.

    An import that was cut short, by kill -9 too, goes on behind its last batch when it is started again with
    the same file; the batch itself is stored again, which changes nothing. A finished one is looked at again
    from its first line.
    """
    bars = [path for path in paths if is_ohlcv(path, options)]
    if dataset is not None and (len(bars), len(paths)) != (1, 1):
        raise FatalError(
            f"--dataset: expected one file of OHLCV bars, received {len(bars)} among {len(paths)} files"
        )
    for path in bars:
        name = dataset or path.name.partition(".")[0]
        await import_dataset(settings, path, name, symbol, options, findings)
    if ticks := [path for path in paths if path not in bars]:
        await _import_ticks(settings, ticks, symbol, findings)


async def _import_ticks(
    settings: StoreSettings, paths: Sequence[Path], symbol: str | None, findings: Findings
) -> None:
    async with database.connect(settings, "pairstream-import", prepare_threshold=None) as connection:
        store = ImportStore(connection)
        await store.prepare()
        keep = settings.retention_ticks
        oldest_us = 0 if keep is None else clock.now_us() - keep // timedelta(microseconds=1)
        seen: defaultdict[str, IdSpans] = defaultdict(IdSpans)
        for path in paths:
            with progress(path.name, unpacked_size(path)) as show:
                result = await _File(path, oldest_us, store, seen, findings).store_all(symbol, show)
            write(f"{path}: {result}")


class _File:
    def __init__(
        self,
        path: Path,
        oldest_us: int,
        store: ImportStore,
        seen: defaultdict[str, IdSpans],
        findings: Findings,
    ) -> None:
        """`seen` are the ids of each symbol in this file and those before it."""
        self._path = path
        self._oldest_us = oldest_us
        self._store = store
        self._seen = seen
        self._findings = findings
        self._rows = self._stored = 0
        self._last_ids: dict[str, int] = {}

    async def store_all(self, symbol: str | None, show: Show) -> str:
        """Store the rows that are not stored yet, and return a summary in words."""
        began = time.monotonic()
        identity = await asyncio.to_thread(_fingerprint, self._path, symbol)
        after = await self._store.through(identity)
        async for batch in _ahead(batches(self._path, symbol, after)):
            await self._take(batch)
            await self._store.remember(identity, batch.through)
            rate = self._rows / (time.monotonic() - began)
            show(batch.read, f"{self._rows:,} ticks, {rate:,.0f}/s")
        await self._store.finish(identity)
        resumed = f", went on after line {after:,}" if after else ""
        return f"{self._rows:,} ticks read, {self._stored:,} stored{resumed}"

    async def _take(self, batch: TickBatch) -> None:
        for line in batch.rejected:
            self._findings.add("rejected", self._path, (line.number, line.number), 1, line.reason)
        kept = [self._keep(one) for one in batch.ticks]
        ticks = [one for one in kept if len(one.rows)]
        for one in ticks:
            self._find_disorder(one)
        if ticks:
            written = await self._store.write(ticks, self._seen_before(ticks))
            self._stored += written.stored
            self._rows += sum(len(one.rows) for one in ticks)
            self._note(written.known, np.concatenate([one.rows["line"] for one in ticks]))
        self._findings.flush()

    def _keep(self, ticks: Ticks) -> Ticks:
        """Return those that are young enough: a bar would be made of an older one without those deleted already."""
        old = ticks.rows["event_us"] < self._oldest_us
        if old.any():
            lines, reason = ticks.rows["line"][old], "older than PAIRSTREAM_RETENTION_TICKS lets stay"
            self._findings.add("rejected", self._path, (lines[0], lines[-1]), len(lines), reason)
        return ticks._replace(rows=ticks.rows[~old])

    def _seen_before(self, ticks: Sequence[Ticks]) -> NDArray[np.bool_]:
        """Return which rows have an id that there was in a batch before, and note the others."""
        found = []
        for one in ticks:
            spans, ids = self._seen[one.symbol], one.rows["trade_id"]
            before = spans.has(ids)
            spans.add(np.unique(ids[~before]))
            found.append(before)
        return np.concatenate(found)

    def _find_disorder(self, ticks: Ticks) -> None:
        ids, lines = ticks.rows["trade_id"], ticks.rows["line"]
        before = np.concatenate(([self._last_ids.get(ticks.symbol, ids[0])], ids[:-1]))
        for index in np.flatnonzero(ids < before).tolist():
            reason = f"expected an id of {ticks.symbol} after {before[index]}, received {ids[index]}"
            self._findings.add("out of order", self._path, (lines[index], lines[index]), 1, reason)
        self._last_ids[ticks.symbol] = int(ids[-1])

    def _note(self, known: Sequence[ImportRun], lines: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
        for run in known:
            place, count = (lines[run.first], lines[run.last]), run.last - run.first + 1
            if run.conflicting:
                self._findings.add("conflicting", self._path, place, count, CONFLICT)
            else:
                reason = "in the store already, or earlier in the file"
                self._findings.add("repeated", self._path, place, count, reason)


def _fingerprint(path: Path, symbol: str | None) -> str:
    """Return what the file is known by in the store: by what is in it, so that it may move."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return f"{digest}/{symbol or path.name}"


async def _ahead(items: Iterator[T]) -> AsyncIterator[T]:
    """Yield `items`; the next one is made in a thread while this one is looked at."""
    coming = asyncio.ensure_future(asyncio.to_thread(next, items, None))
    try:
        while (item := await coming) is not None:
            coming = asyncio.ensure_future(asyncio.to_thread(next, items, None))
            yield item
    finally:
        # The thread ends by itself; its file is closed with the generator.
        coming.cancel()
