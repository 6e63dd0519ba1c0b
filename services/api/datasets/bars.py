"""The bars of a dataset, as wide as they came or put together, in the shape of those of the market."""

from typing import NamedTuple

from msgspec.json import Decoder
from psycopg import sql

from services.api.datasets.catalogue import Dataset
from services.api.problems import refused
from services.api.stored.history import Bars
from services.api.stored.tables import Table
from services.common.datasets.widths import wider_than
from services.common.messages import Microseconds
from services.common.store import WIDTHS, Interval

_COLUMNS = sql.SQL(
    "ts AS start_us, open, high, low, close, volume, NULL::float8 AS quote_volume, NULL::float8 AS vwap, "
    "NULL::int8 AS trade_count, true AS complete"
)


class Source(NamedTuple):
    """Where bars of one width are: the relation, what tells them there from others, and their width in µs."""

    relation: str
    equal: dict[str, str]
    width_us: int


def source(dataset: Dataset, interval: Interval | None) -> Source:
    """Return where the bars of `interval` are, without it those of the file; ProblemError if there can be none."""
    equal = {"dataset_id": dataset.dataset_id}
    if interval is None or WIDTHS[interval] == dataset.width_us:
        return Source("dataset_bars", equal, dataset.width_us)
    if interval in wider_than(dataset.width_us):
        return Source("dataset_wider_bars", {**equal, "width": interval}, WIDTHS[interval])
    expected = f"a multiple of {dataset.width_us / 1e6:g} s, the width of the bars of {dataset.name}"
    raise refused("interval", expected, interval)


def bars_table(where: Source) -> Table:
    """Return the table of the bars, in which those of `where` and one symbol are to be selected."""
    return Table(
        sql.Identifier(where.relation),
        _COLUMNS,
        sql.Identifier("symbol"),
        {"ts": "start_us"},
        Decoder(tuple[Microseconds]),
    )


def dataset_bars(dataset: Dataset, interval: Interval | None) -> Bars:
    """Return where closes are read; ProblemError if there can be no bars of `interval`."""
    where = source(dataset, interval)
    conditions = sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in where.equal
    )
    select = sql.SQL("SELECT symbol, ts, close FROM {} WHERE {}")
    return Bars(select.format(sql.Identifier(where.relation), conditions), where.equal, where.width_us)
