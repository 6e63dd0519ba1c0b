"""Commands on the store: import, export, reconcile."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from services.api.time_parameters import parse_moment
from services.common import process
from services.common.errors import FatalError
from services.common.settings import DatabaseSettings, StoreSettings, load
from services.contracts.intervals import INTERVALS, USUAL
from services.contracts.pairs import Pair, parse_symbol
from services.store.relations import ALERTS, BARS, SIGNALS, TICKS

T = TypeVar("T")

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add(commands: "Commands") -> None:
    """Add the parsers of these commands."""
    imported = commands.add_parser("import", help="history into the store: every tick once, with its bars")
    imported.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        type=Path,
        help="aggTrades csv, ndjson ticks or recorded frames, plain, gz or zip; or OHLCV csv",
    )
    imported.add_argument(
        "--symbol", type=_symbol, help="of files that do not say it; of others only its trades"
    )
    imported.add_argument(
        "--dataset", metavar="NAME", help="name of the dataset that OHLCV bars become, apart from live bars"
    )
    imported.add_argument(
        "--report", metavar="FILE", type=Path, help="is added to: every line that was not stored, and why"
    )
    imported.set_defaults(run=_import)

    exported = commands.add_parser("export", help="the store to CSV or Parquet")
    exported.add_argument("table", choices=("ticks", "bars", "signals", "alerts"))
    exported.add_argument("--symbol", type=_symbol, help="of ticks and bars; default: every one")
    exported.add_argument("--pair", type=_pair, help="of signals and alerts; default: every one")
    exported.add_argument(
        "--interval", choices=INTERVALS, default=USUAL, help="of bars; default: %(default)s"
    )
    _add_period(exported)
    exported.add_argument(
        "--output", metavar="FILE", type=Path, required=True, help="a new .csv, .csv.gz or .parquet file"
    )
    exported.add_argument("--force", action="store_true", help="write over a file that exists")
    exported.set_defaults(run=_export)

    reconciled = commands.add_parser(
        "reconcile", help="compare bars with raw ticks; exit code 1 if any differs"
    )
    reconciled.add_argument("--symbol", type=_symbol, help="default: every one")
    reconciled.add_argument("--interval", choices=INTERVALS, help="default: every one")
    _add_period(reconciled)
    reconciled.add_argument(
        "--exchange", action="store_true", help="compare with the klines of PAIRSTREAM_BINANCE_REST_URL too"
    )
    reconciled.set_defaults(run=_reconcile)


def _add_period(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--start", metavar="TIME", type=_moment, help="such as 2026-01-31T12:00:00Z; inclusive"
    )
    parser.add_argument("--end", metavar="TIME", type=_moment, help="exclusive")


def _symbol(text: str) -> str:
    return _parsed(parse_symbol, text)


def _pair(text: str) -> str:
    return str(_parsed(Pair.parse, text))


def _moment(text: str) -> int:
    return _parsed(parse_moment, text)


def _parsed(parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except ValueError as error:
        # Of other errors argparse does not repeat what is wrong.
        raise argparse.ArgumentTypeError(str(error)) from error


def _import(flags: argparse.Namespace) -> None:
    from services.cli.importing.command import import_files
    from services.cli.importing.report import findings

    settings = load(StoreSettings)
    with findings(flags.report) as found:
        try:
            _run(import_files(settings, flags.files, flags.symbol, flags.dataset, found))
        finally:
            for line in found.kept:
                sys.stderr.write(f"{line}\n")
            sys.stdout.write(f"{found}\n")


def _export(flags: argparse.Namespace) -> None:
    from services.cli.export.command import ExportRequest, export

    settings = load(DatabaseSettings)
    tables = {"ticks": TICKS, "bars": BARS[flags.interval], "signals": SIGNALS, "alerts": ALERTS}
    table = tables[flags.table]
    unused, owner = ("pair", flags.symbol) if table.of == "symbol" else ("symbol", flags.pair)
    if getattr(flags, unused) is not None:
        raise FatalError(f"--{unused}: expected --{table.of} with {flags.table}")
    wanted = ExportRequest(table, owner, flags.start, flags.end)
    _run(export(settings, wanted, flags.output, flags.force))


def _reconcile(flags: argparse.Namespace) -> None:
    from services.cli.reconcile.bars import Scope
    from services.cli.reconcile.command import run
    from services.ingest.settings import IngestSettings

    scope = Scope(flags.symbol, flags.interval, flags.start, flags.end)
    exchange_url = load(IngestSettings).binance_rest_url if flags.exchange else None
    _run(run(load(StoreSettings), scope, exchange_url))


def _run(command: Coroutine[None, None, None]) -> None:
    """Run a command to its end; one that a signal has stopped has failed."""

    async def whole() -> None:
        try:
            await command
        except asyncio.CancelledError:
            raise FatalError("stopped before the end") from None

    process.run("pairstream", whole)
