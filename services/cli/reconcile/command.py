"""``pairstream reconcile``: stored bars against their ticks, and against the exchange's klines."""

import argparse
from collections.abc import Sequence
from datetime import timedelta

from services.cli import arguments
from services.cli.progress import progress
from services.cli.reconcile.bars import Reference, Scope, Stretch, differences
from services.cli.reconcile.exchange import BUDGET, ExchangeReference
from services.cli.reconcile.ticks import TickReference
from services.cli.run_to_end import run_to_end
from services.common import clock
from services.common.errors import FatalError
from services.common.settings import DatabaseSettings, StoreSettings, load
from services.contracts.intervals import INTERVALS, WIDTHS_US
from services.ingest.settings import IngestSettings
from services.ingest.venues.rest import Rest
from services.local.terminal import write
from services.store import database, relations, schema
from services.store.database import Connection
from services.store.relations import BARS, TICKS


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("--symbol", type=arguments.symbol, help="default: every one")
    parser.add_argument("--interval", choices=INTERVALS, help="default: every one")
    arguments.add_period(parser)
    parser.add_argument(
        "--exchange", action="store_true", help="compare with the klines of PAIRSTREAM_BINANCE_REST_URL too"
    )
    parser.set_defaults(run=_run)


def _run(flags: argparse.Namespace) -> None:
    scope = Scope(flags.symbol, flags.interval, flags.start, flags.end)
    exchange_url = load(IngestSettings).binance_rest_url if flags.exchange else None
    run_to_end(run(load(StoreSettings), scope, exchange_url))


async def run(settings: StoreSettings, scope: Scope, exchange_url: str | None) -> None:
    """Compare with the ticks, and with the exchange if there is a URL; FatalError if a bar differs."""
    keep = settings.retention_ticks
    ticks = TickReference(0 if keep is None else clock.now_us() - keep // timedelta(microseconds=1))
    async with Rest(exchange_url or "", BUDGET) as rest:
        references: list[Reference] = [ticks, ExchangeReference(rest)] if exchange_url else [ticks]
        if unlike := await reconcile(settings, scope, references):
            raise FatalError(f"expected every bar as its reference, received {unlike:,} that differ")


async def reconcile(settings: DatabaseSettings, scope: Scope, references: Sequence[Reference]) -> int:
    """Print every difference between stored bars and what `references` say; return how many bars differ."""
    compared = unlike = 0
    async with database.connect(settings, "pairstream-reconcile") as connection:
        with relations.errors():
            await schema.require(connection)
            for reference in references:
                for stretch in await _stretches(connection, scope, reference):
                    more = await _compare(connection, reference, stretch)
                    compared, unlike = compared + more[0], unlike + more[1]
    write(f"compared {compared:,} bars: {unlike:,} differ")
    return unlike


async def _stretches(connection: Connection, scope: Scope, reference: Reference) -> list[Stretch]:
    """Return the whole buckets of each symbol and interval, from the first tick or bar to the last."""
    known = {
        *await relations.owners(connection, TICKS),
        *await relations.owners(connection, BARS[INTERVALS[-1]]),
    }
    found = []
    for symbol in sorted(known) if scope.symbol is None else [scope.symbol]:
        for interval in reference.intervals:
            if not reference.covers(symbol) or scope.interval not in (None, interval):
                continue
            periods = [await relations.period(connection, table, symbol) for table in (TICKS, BARS[interval])]
            times = [us for period in periods if period for us in period]
            if times:
                width = WIDTHS_US[interval]
                start = min(times) if scope.start_us is None else scope.start_us
                end = max(times) + 1 if scope.end_us is None else scope.end_us
                whole = max(start // width, -(-reference.earliest_us // width)), -(-end // width)
                found.append(Stretch(symbol, interval, *(number * width for number in whole)))
    return found


async def _compare(connection: Connection, reference: Reference, stretch: Stretch) -> tuple[int, int]:
    compared = unlike = 0
    what = f"{stretch.symbol} {stretch.interval} by {reference.name}"
    with progress(what, stretch.end_us - stretch.start_us) as show:
        async for part in reference.compare(connection, stretch):
            compared += part.compared
            unlike += len(part.findings)
            for start_us, expected, found in part.findings:
                for words in differences(expected, found):
                    bar = f"{stretch.symbol} {stretch.interval} {clock.to_iso(start_us)}"
                    write(f"{bar} {words} (by {reference.name})")
            show(part.end_us - stretch.start_us, f"{compared:,} bars, {unlike:,} differ")
    return compared, unlike
