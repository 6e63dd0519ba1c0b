"""The bars of a dataset, as wide as they came or put together, in the shape of those of the market."""

from typing import NamedTuple

from msgspec.json import Decoder
from psycopg import sql

from services.api.datasets.catalogue import Dataset
from services.api.problems import refused
from services.api.stored.history import Bars
from services.api.stored.tables import Table
from services.common.datasets.tables import bars_relation, wider_than
from services.common.fields import Microseconds
from services.common.store import WIDTHS, Interval

_COLUMNS = sql.SQL(
    "ts AS start_us, open, high, low, close, volume, NULL::float8 AS quote_volume, NULL::float8 AS vwap, "
    "NULL::int8 AS trade_count, true AS complete"
)


class Relation(NamedTuple):
    """Where bars of one width are, and their width in µs."""

    name: sql.Identifier
    width_us: int


def relation_of(dataset: Dataset, interval: Interval | None) -> Relation:
    """Return where the bars of `interval` are, without it those of the file; ProblemError if there can be none."""
    if interval is None or WIDTHS[interval] == dataset.width_us:
        return Relation(sql.Identifier(bars_relation(dataset.dataset_id)), dataset.width_us)
    if interval in wider_than(dataset.width_us):
        return Relation(sql.Identifier(bars_relation(dataset.dataset_id, interval)), WIDTHS[interval])
    expected = f"a multiple of {dataset.width_us / 1e6:g} s, the width of the bars of {dataset.name}"
    raise refused("interval", expected, interval)


def bars_table(relation: Relation) -> Table:
    """Return the table of the bars, in which those of one symbol are to be selected."""
    return Table(
        relation.name, _COLUMNS, sql.Identifier("symbol"), {"ts": "start_us"}, Decoder(tuple[Microseconds])
    )


def dataset_bars(dataset: Dataset, interval: Interval | None) -> Bars:
    """Return where closes are read; ProblemError if there can be no bars of `interval`."""
    relation = relation_of(dataset, interval)
    return Bars(sql.SQL("SELECT symbol, ts, close FROM {}").format(relation.name), {}, relation.width_us)
