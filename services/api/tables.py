"""The tables a page can be read from, and the statement that reads one; rows are in the order of their key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta
from msgspec.json import Decoder
from psycopg import sql

from services.api.cursor import Key
from services.api.rows import Row
from services.common import clock
from services.common.messages import Microseconds
from services.common.store import Interval

Order = Literal["ascending", "descending", "newest"]
_Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Text = Annotated[str, Meta(pattern=r"^[^\x00]*$")]


@dataclass(frozen=True)
class Selection:
    """Which rows: equal to `equal` (column to value or values), from `start` to before `end`, strictly after `after`.

    In the order ``newest`` the last `limit` of them; in the others the first, and one more if there is one.
    """

    limit: int
    order: Order = "ascending"
    equal: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    start: int | None = None
    end: int | None = None
    after: Key | None = None


class Table(NamedTuple):
    """A table, what is read of it, the column of its owner, its key (column to name in a row), its cursors' reader.

    `period` names the columns in which a row's time begins and ends.
    """

    name: sql.Identifier
    columns: sql.Composable
    of: sql.Identifier
    key: dict[str, str]
    cursor: Decoder[Key]
    period: tuple[str, str] = ("ts", "ts")

    def key_of(self, row: Row) -> Key:
        """Return the key of a row."""
        return tuple(row[name] for name in self.key.values())

    def ordered(self, order: Order) -> sql.Composed:
        """Return what goes after ORDER BY."""
        direction = sql.SQL("" if order == "ascending" else " DESC")
        return sql.SQL(", ").join(sql.Identifier(column) + direction for column in self.key)

    def query(self, selection: Selection) -> tuple[sql.Composed, dict[str, Any]]:
        """Return the statement that reads `selection` and its values."""
        values: dict[str, Any] = {}
        conditions: list[sql.Composable] = []
        for column, value in selection.equal.items():
            values[column] = value if isinstance(value, str) else list(value)
            test = sql.SQL("{} = {}" if isinstance(value, str) else "{} = ANY ({})")
            conditions.append(test.format(sql.Identifier(column), sql.Placeholder(column)))
        begins, ends = map(sql.Identifier, self.period)
        if selection.start is not None:
            conditions.append(sql.SQL("{} >= %(start)s").format(ends))
            values["start"] = clock.to_datetime(selection.start)
        if selection.end is not None:
            conditions.append(sql.SQL("{} < %(end)s").format(begins))
            values["end"] = clock.to_datetime(selection.end)
        if selection.after is not None:
            us, *rest = selection.after
            values |= {f"after_{n}": value for n, value in enumerate([clock.to_datetime(us), *rest])}
            conditions.append(
                sql.SQL("({}) {} ({})").format(
                    sql.SQL(", ").join(map(sql.Identifier, self.key)),
                    sql.SQL(">" if selection.order == "ascending" else "<"),
                    sql.SQL(", ").join(sql.Placeholder(f"after_{n}") for n in range(len(self.key))),
                )
            )
        values["limit"] = selection.limit + (selection.order != "newest")
        statement = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT %(limit)s").format(
            self.columns,
            self.name,
            sql.SQL(" AND ").join(conditions or [sql.SQL("true")]),
            self.ordered(selection.order),
        )
        return statement, values


TICKS = Table(
    sql.Identifier("ticks"),
    sql.SQL(
        "symbol, trade_id, ts AS event_us, received_at AS received_us, venue, price, size, buyer_is_maker, "
        "repaired"
    ),
    sql.Identifier("symbol"),
    {"ts": "event_us", "trade_id": "trade_id"},
    Decoder(tuple[Microseconds, _Id]),
)

SIGNALS = Table(
    sql.Identifier("signals"),
    sql.SQL(
        "pair, ts AS event_us, y_price, x_price, hedge_ratio, intercept, method, spread, zscore, correlation, "
        '"window", samples, quality, reason'
    ),
    sql.Identifier("pair"),
    {"ts": "event_us"},
    Decoder(tuple[Microseconds]),
)

ALERTS = Table(
    sql.Identifier("alerts"),
    sql.SQL("alert_id, rule_id, pair, ts AS event_us, state, value, threshold, message"),
    sql.Identifier("pair"),
    {"ts": "event_us", "alert_id": "alert_id"},
    Decoder(tuple[Microseconds, _Text]),
)

GAPS = Table(
    sql.Identifier("gaps"),
    sql.SQL(
        "symbol, first_id, last_id, venue, start_ts AS start_us, end_ts AS end_us, found_at AS found_us, "
        "updated_at AS updated_us, state, missing, reason"
    ),
    sql.Identifier("symbol"),
    {"start_ts": "start_us", "symbol": "symbol", "first_id": "first_id", "last_id": "last_id"},
    Decoder(tuple[Microseconds, _Text, _Id, _Id]),
    ("start_ts", "end_ts"),
)

_BAR_COLUMNS = sql.SQL("""
ts AS start_us, open, high, low, close, volume, quote_volume, quote_volume / volume AS vwap, trade_count,
ts + {width}::interval <= (SELECT max(ts) FROM ticks WHERE symbol = %(symbol)s) AS complete
""")


def _bars(interval: Interval) -> Table:
    return Table(
        sql.Identifier(f"ohlc_{interval}"),
        _BAR_COLUMNS.format(width=sql.Literal(interval)),
        sql.Identifier("symbol"),
        {"ts": "start_us"},
        Decoder(tuple[Microseconds]),
    )


BARS: dict[Interval, Table] = {"1s": _bars("1s"), "1m": _bars("1m"), "5m": _bars("5m"), "1h": _bars("1h")}
