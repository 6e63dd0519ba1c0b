"""``pairstream scan``: all pairs of stored bars tested for cointegration, as a table or a file."""

import argparse
from pathlib import Path

import msgspec

from services.cli import arguments
from services.cli.export.file import form_of, new
from services.cli.progress import progress
from services.cli.run_to_end import run_to_end
from services.cli.scan.files import FORMS, save
from services.cli.scan.table import described
from services.common.errors import FatalError
from services.common.settings import DatabaseSettings, load
from services.contracts.intervals import INTERVALS
from services.contracts.scans import NEWEST_BARS, ScanRequest
from services.local.terminal import write
from services.research.scan import history, run
from services.research.scan.history import History, UnfitError
from services.research.scan.run import FoundPairs
from services.store import database, relations, schema
from services.store.database import Connection

_DATASET = """
SELECT dataset_id FROM datasets WHERE dataset_id = %(given)s OR name = %(given)s
ORDER BY dataset_id = %(given)s DESC LIMIT 1
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "--symbols", metavar="A,B,...", type=_symbols, help="default: every one that has bars"
    )
    parser.add_argument("--dataset", metavar="NAME", help="uploaded bars instead of the market's")
    parser.add_argument(
        "--interval", choices=INTERVALS, help="of the bars; default: 1m, of a dataset its own"
    )
    arguments.add_period(parser)
    parser.add_argument(
        "--bars", type=int, default=NEWEST_BARS, metavar="N", help="without --start; default: %(default)s"
    )
    parser.add_argument(
        "--transform", choices=("price", "log"), default="log", help="what is tested; default: %(default)s"
    )
    parser.add_argument(
        "--trend", choices=("n", "c", "ct"), default="c", help="of the test; default: %(default)s"
    )
    parser.add_argument(
        "--lags", default="aic", metavar="N", help="aic, bic or a number; default: %(default)s"
    )
    parser.add_argument(
        "--correction",
        choices=("dependent", "measured"),
        default="dependent",
        help="for the number of tries: Benjamini-Yekutieli, or Benjamini-Hochberg by a measured null; "
        "default: %(default)s",
    )
    parser.add_argument(
        "--held-out",
        type=float,
        default=0.3,
        metavar="SHARE",
        help="of the history, its end, for a second test; default: %(default)s",
    )
    parser.add_argument(
        "--output", metavar="FILE", type=Path, help=f"a new file of every pair: {', '.join(FORMS)}"
    )
    parser.add_argument("--force", action="store_true", help="write over a file that exists")
    parser.set_defaults(run=_run)


def _symbols(text: str) -> list[str]:
    return list(map(arguments.symbol, text.split(",")))


def _run(flags: argparse.Namespace) -> None:
    if not 0 < flags.held_out < 1:
        raise FatalError(f"--held-out: expected a share between 0 and 1, received {flags.held_out:g}")
    if flags.lags not in ("aic", "bic") and not flags.lags.isdigit():
        raise FatalError(f"--lags: expected aic, bic or a number, received {flags.lags!r}")
    if flags.output is not None:
        form_of(flags.output, FORMS)
    asked = {
        "symbols": flags.symbols or (),
        "interval": flags.interval,
        "start_us": flags.start,
        "end_us": flags.end,
        "bars": flags.bars,
        "transform": flags.transform,
        "trend": flags.trend,
        "lags": int(flags.lags) if flags.lags.isdigit() else flags.lags,
        "correction": flags.correction,
        "held_out": flags.held_out,
    }
    try:
        request = msgspec.convert(asked, ScanRequest)
    except msgspec.ValidationError as error:
        raise FatalError(f"expected what can be scanned, received: {error}") from error
    run_to_end(_scan_and_save(load(DatabaseSettings), flags, request))


async def _scan_and_save(settings: DatabaseSettings, flags: argparse.Namespace, request: ScanRequest) -> None:
    if flags.output is None:
        scanned = await _scan(settings, flags, request)
    else:
        with new(flags.output, flags.force) as part:
            scanned = await _scan(settings, flags, request)
            save(part, form_of(flags.output, FORMS), scanned)
    for line in described(scanned):
        write(line)


async def _scan(settings: DatabaseSettings, flags: argparse.Namespace, request: ScanRequest) -> FoundPairs:
    try:
        with relations.errors():
            async with database.connect(settings, "pairstream-scan") as connection:
                await schema.require(connection)
                if flags.dataset is not None:
                    request = await _of_dataset(connection, request, flags.dataset)
                closes = await _closes(connection, request)
        with progress("pairs", 100) as show:
            return await run.run(request, closes, lambda share: show(round(100 * share), f"{share:.0%}"))
    except UnfitError as error:
        raise FatalError(str(error)) from error


async def _of_dataset(connection: Connection, request: ScanRequest, name: str) -> ScanRequest:
    found = await (await connection.execute(_DATASET, {"given": name})).fetchone()
    if found is None:
        raise FatalError(f"--dataset: expected the name or id of an uploaded one, received {name!r}")
    return msgspec.structs.replace(request, dataset=found[0])


async def _closes(connection: Connection, request: ScanRequest) -> History:
    with progress("closes", 100) as show:
        return await history.read(connection, request, lambda share: show(round(100 * share), f"{share:.0%}"))
