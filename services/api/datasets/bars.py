"""Bars of a dataset, stored or aggregated to a wider interval, in the shape of market bars."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec.json import Decoder
from psycopg import sql

from services.api.datasets.catalogue import CatalogueEntry
from services.api.models.datasets import Carried
from services.api.problems import refused
from services.api.queries.closes import Bars
from services.api.queries.reader import StoreReader
from services.api.queries.tables import TableSource
from services.common import clock
from services.contracts.fields import Microseconds
from services.contracts.intervals import ALL_WIDTHS_US, AnyInterval
from services.datasets.tables import bars_relation, wider_than

_COLUMNS = sql.SQL("""
ts AS start_us, open, high, low, close, volume, NULL::float8 AS quote_volume, NULL::float8 AS vwap,
NULL::int8 AS trade_count, closed, coverage, carried, closed AND coverage = 1 AS complete
""")
_COVERED_BARS = sql.SQL("""
(
    SELECT *, ts + {width} * interval '1 microsecond' <= {uploaded} AS closed,
        least(1, parts * {part}::float8) AS coverage FROM {bars} WHERE {which}
) AS covered_bars
""")
_WHICH: dict[Carried, sql.SQL] = {"keep": sql.SQL("true"), "drop": sql.SQL("NOT carried")}
_REACH = sql.SQL("""
SELECT count(*) AS bars, min(ts) AS first_ts FROM {bars}
WHERE symbol = ANY (%(symbols)s) AND ts < %(end)s::timestamptz AND {which} GROUP BY symbol
""")
_CARRIED = sql.SQL("""
SELECT symbol, CASE WHEN known.carried IS NOT NULL THEN (
    SELECT count(*) FROM {bars} AS bars
    WHERE bars.symbol = known.symbol AND bars.carried
        AND ts >= %(start)s::timestamptz AND ts < %(end)s::timestamptz
) END AS carried
FROM dataset_symbols AS known WHERE dataset_id = %(dataset_id)s AND symbol = ANY (%(symbols)s)
""")


class Relation(NamedTuple):
    """Relation that holds bars of one interval, and that interval in µs."""

    name: sql.Identifier
    width_us: int


def relation_of(dataset: CatalogueEntry, interval: AnyInterval | None) -> Relation:
    """Return where the bars of `interval` are, without it those of the file; ProblemError if there can be none."""
    if interval is None or ALL_WIDTHS_US[interval] == dataset.width_us:
        return Relation(sql.Identifier(bars_relation(dataset.dataset_id)), dataset.width_us)
    stored = wider_than(dataset.width_us)
    for wider in stored:
        if wider == interval:
            return Relation(sql.Identifier(bars_relation(dataset.dataset_id, wider)), ALL_WIDTHS_US[wider])
    expected = f"a multiple of {dataset.width_us / 1e6:g} s, the width of the bars of {dataset.name}"
    raise refused("interval", f"{expected}: {', '.join(stored)}" if stored else expected, interval)


def bars_table(dataset: CatalogueEntry, relation: Relation, carried: Carried) -> TableSource:
    """Return the table of the bars, from which those of one symbol are selected.

    Closed is a bar whose time had passed at the upload; covered is what bars of the files there are of its time.
    """
    covered = _COVERED_BARS.format(
        bars=relation.name,
        width=sql.Literal(relation.width_us),
        uploaded=sql.Literal(clock.to_datetime(dataset.uploaded_us)),
        part=sql.Literal(dataset.width_us / relation.width_us),
        which=_WHICH[carried],
    )
    return TableSource(
        covered, _COLUMNS, sql.Identifier("symbol"), {"ts": "start_us"}, Decoder(tuple[Microseconds])
    )


def dataset_bars(relation: Relation, carried: Carried) -> Bars:
    """Return where closes are read."""
    select = sql.SQL("SELECT symbol, ts, close FROM {} WHERE {}").format(relation.name, _WHICH[carried])
    return Bars(select, {}, relation.width_us)


class Reach(NamedTuple):
    """Extent of a dataset: the most bars of a symbol, and the begin of its first bar (epoch, us)."""

    bars: int
    first_us: int


async def covered_range(
    store: StoreReader, relation: Relation, carried: Carried, symbols: Sequence[str], end: int | None
) -> Reach:
    """Return the number of bars before `end`, of the symbol that has most, at least one."""
    query = _REACH.format(bars=relation.name, which=_WHICH[carried])
    found = await store.select(query, {"symbols": list(symbols), "end": _moment(end, "infinity")})
    return Reach(max(one["bars"] for one in found), min(one["first_ts"] for one in found))


async def carried_bars(
    store: StoreReader,
    dataset: CatalogueEntry,
    relation: Relation,
    symbols: Sequence[str],
    start: int | None,
    end: int | None,
) -> dict[str, int | None]:
    """Return how many carried bars each symbol has from `start` to before `end`, None where that is not known."""
    values = {
        "dataset_id": dataset.dataset_id,
        "symbols": list(symbols),
        "start": _moment(start, "-infinity"),
        "end": _moment(end, "infinity"),
    }
    found = await store.select(_CARRIED.format(bars=relation.name), values)
    return {one["symbol"]: one["carried"] for one in found}


def _moment(us: int | None, otherwise: str) -> datetime | str:
    return otherwise if us is None else clock.to_datetime(us)
