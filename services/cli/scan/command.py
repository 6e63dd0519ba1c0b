"""``pairstream scan``: all pairs of stored bars tested for cointegration, as a table or a CSV file."""

import argparse
import asyncio
import csv
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.cli import arguments, whole
from services.cli.progress import progress
from services.cli.scan.closes import CommonCloses, common
from services.common import clock
from services.common.errors import FatalError
from services.common.settings import DatabaseSettings, load
from services.contracts.intervals import INTERVALS, USUAL, WIDTHS_US
from services.local.terminal import write
from services.quant.scan.scan import Scan, ScannedPair, ScanOptions, scan
from services.store import database, relations, schema
from services.store.database import Connection

NEWEST_BARS = 4_320
SHOWN = 20
_PAGE_ROWS = 50_000
_COLUMNS = (
    *("y", "x", "p_value", "adjusted_p_value", "held_out_p_value", "hedge_ratio", "hedge_ratio_se"),
    *("r_squared", "half_life_bars", "return_correlation", "reason"),
)


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "--symbols", metavar="A,B,...", type=_symbols, help="default: every one that has bars"
    )
    parser.add_argument(
        "--interval", choices=INTERVALS, default=USUAL, help="of the bars; default: %(default)s"
    )
    arguments.add_period(parser)
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
        "--held-out",
        type=float,
        default=0.3,
        metavar="SHARE",
        help="of the history, its end, for a second test; default: %(default)s",
    )
    parser.add_argument("--output", metavar="FILE", type=Path, help="a CSV file of every pair")
    parser.set_defaults(run=_run)


def _symbols(text: str) -> list[str]:
    return list(map(arguments.symbol, text.split(",")))


def _run(flags: argparse.Namespace) -> None:
    if not 0 < flags.held_out < 1:
        raise FatalError(f"--held-out: expected a share between 0 and 1, received {flags.held_out:g}")
    if flags.lags not in ("aic", "bic") and not flags.lags.isdigit():
        raise FatalError(f"--lags: expected aic, bic or a number, received {flags.lags!r}")
    lags = int(flags.lags) if flags.lags.isdigit() else flags.lags
    options = ScanOptions(trend=flags.trend, lags=lags, held_out=flags.held_out)
    whole.run(_scan(load(DatabaseSettings), flags, options))


async def _scan(settings: DatabaseSettings, flags: argparse.Namespace, options: ScanOptions) -> None:
    with relations.errors():
        async with database.connect(settings, "pairstream-scan") as connection:
            await schema.require(connection)
            closes = await _closes(connection, flags)
    for symbol, reason in closes.left_out.items():
        write(f"{symbol} is left out: {reason}")
    if len(closes.symbols) < 2:
        raise FatalError(
            f"expected bars of at least two symbols in that time, received {len(closes.symbols)}"
        )
    prices = np.log(closes.prices) if flags.transform == "log" else closes.prices
    try:
        with progress("pairs", 100) as show:
            found = await asyncio.to_thread(
                scan, prices, options, lambda share: show(round(100 * share), f"{share:.0%}")
            )
    except ValueError as error:
        raise FatalError(str(error)) from error
    if flags.output is not None:
        _save(flags.output, closes, found)
    for line in described(closes, found, options):
        write(line)


async def _closes(connection: Connection, flags: argparse.Namespace) -> CommonCloses:
    table = relations.BARS[flags.interval]
    known = await relations.owners(connection, table)
    if unknown := [symbol for symbol in flags.symbols or () if symbol not in known]:
        raise FatalError(f"--symbols: expected some of {', '.join(known)}, received {', '.join(unknown)}")
    symbols = list(dict.fromkeys(flags.symbols or known))
    start_us = flags.start
    if start_us is None:
        periods = [await relations.period(connection, table, symbol) for symbol in symbols]
        last_us = max((period[1] for period in periods if period), default=0)
        last_us = last_us if flags.end is None else min(last_us, flags.end)
        start_us = max(0, last_us - (NEWEST_BARS - 1) * WIDTHS_US[flags.interval])
    bars = {}
    for symbol in symbols:
        at_us, closes = await _bars(connection, table, symbol, start_us, flags.end)
        if len(at_us):
            bars[symbol] = at_us, closes
    return common(bars)


async def _bars(
    connection: Connection, table: relations.Relation, symbol: str, start_us: int, end_us: int | None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    rows: list[tuple[int, float]] = []
    place = 1 + len(table.times) + table.columns.index("close")
    async with relations.rows(connection, table, symbol, start_us, end_us) as cursor:
        while page := await cursor.fetchmany(_PAGE_ROWS):
            rows += [(row[1], row[place]) for row in page]
    return np.array([at for at, _ in rows], np.int64), np.array([close for _, close in rows], np.float64)


def described(closes: CommonCloses, found: Scan, options: ScanOptions) -> list[str]:
    """Return the funnel and the first pairs in lines."""
    first, last = (clock.to_iso(int(closes.at_us[place])) for place in (0, -1))
    lines = [
        f"{len(closes.symbols)} symbols, {found.bars:,} bars and {found.held_out_bars:,} held out, {first} to {last}, "
        f"{sum(closes.carried):,} closes carried from the bar before",
        f"{found.tried:,} pairs tried: {found.significant:,} with p < {options.level:g} both ways round, "
        f"{found.corrected:,} once the number of tries counts, {found.confirmed:,} confirmed in the part held out",
    ]
    for columns, reason in itertools.islice(found.reasons.items(), SHOWN):
        lines.append(f"{'-'.join(closes.symbols[column] for column in columns)} was not tested: {reason}")
    if found.pairs:
        lines.append(
            f"{'pair':<28}{'p':>10}{'adjusted':>10}{'held out':>10}{'hedge ratio':>13}{'half-life':>11}{'returns':>9}"
        )
    return lines + [_line(closes.symbols, pair) for pair in found.pairs[:SHOWN]]


def _line(symbols: Sequence[str], pair: ScannedPair) -> str:
    held_out = "-" if pair.held_out_p is None else f"{pair.held_out_p:.4f}"
    half_life = "-" if pair.half_life is None else f"{pair.half_life:.1f}"
    return (
        f"{symbols[pair.y] + '-' + symbols[pair.x]:<28}{pair.p_value:>10.4g}{pair.adjusted:>10.4g}{held_out:>10}"
        f"{pair.hedge_ratio:>13.6g}{half_life:>11}{pair.return_correlation:>9.3f}"
    )


def _save(path: Path, closes: CommonCloses, found: Scan) -> None:
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(_COLUMNS)
            for pair in found.pairs:
                table.writerow(
                    [
                        *(closes.symbols[pair.y], closes.symbols[pair.x], pair.p_value, pair.adjusted),
                        *(pair.held_out_p, pair.hedge_ratio, pair.hedge_ratio_se, pair.r_squared),
                        *(pair.half_life, pair.return_correlation, ""),
                    ]
                )
            for columns, reason in found.reasons.items():
                names = [closes.symbols[column] for column in columns]
                table.writerow([*names, *[""] * (len(_COLUMNS) - 1 - len(names)), reason])
    except OSError as error:
        raise FatalError(f"{path}: expected to write the pairs, received: {error.strerror}") from error
