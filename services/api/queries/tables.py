"""Tables that can be paged, and the SQL that reads a page; rows are in the order of their key."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta, Struct
from msgspec.json import Decoder
from psycopg import sql

from services.api.serialization.cursor import Key
from services.api.serialization.rows import JsonRecords
from services.common import clock
from services.contracts.fields import Microseconds
from services.contracts.intervals import INTERVALS, Interval
from services.contracts.messages import Alert, Signal
from services.store.relations import NOT_STORED, STORED_AS

Order = Literal["ascending", "descending", "newest"]
_Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Text = Annotated[str, Meta(pattern=r"^[^\x00]*$")]


@dataclass(frozen=True)
class RowSelection:
    """Selected rows: equal to `equal` (column to value or values), from `start` to before `end`, strictly
    after `after`.

    `until` is the key of the last row that is meant, in the order asked for.
    In the order ``newest`` the last `limit` of them; in the others the first, and one more if there is one.
    """

    limit: int
    order: Order = "ascending"
    equal: Mapping[str, str | bool | Sequence[str]] = field(default_factory=dict)
    start: int | None = None
    end: int | None = None
    after: Key | None = None
    until: Key | None = None


class _Side(NamedTuple):
    """Comparisons of times and keys on one side of a key."""

    time: sql.SQL
    key: sql.SQL


_AFTER = _Side(sql.SQL(">="), sql.SQL(">"))
_BEFORE = _Side(sql.SQL("<="), sql.SQL("<"))
_NOT_AFTER = _Side(sql.SQL("<="), sql.SQL("<="))
_NOT_BEFORE = _Side(sql.SQL(">="), sql.SQL(">="))


class TableSource(NamedTuple):
    """Table for paging: its SELECT, the column of its owner, its key (column to name in a row), its cursors'
    reader.

    `period` names the columns in which a row's time begins and ends. Of `arrays` a row is selected by one element.
    """

    name: sql.Composable
    columns: sql.Composable
    of: sql.Identifier
    key: dict[str, str]
    cursor: Decoder[Key]
    period: tuple[str, str] = ("ts", "ts")
    arrays: frozenset[str] = frozenset()

    def keys_of(self, records: JsonRecords) -> list[Key]:
        """Return the key of each record."""
        return (
            list(zip(*(records.columns[name] for name in self.key.values()), strict=True)) if records else []
        )

    def ordered(self, order: Order) -> sql.Composed:
        """Return what goes after ORDER BY."""
        direction = sql.SQL("" if order == "ascending" else " DESC")
        return sql.SQL(", ").join(sql.Identifier(column) + direction for column in self.key)

    def query(self, selection: RowSelection) -> tuple[sql.Composed, dict[str, Any]]:
        """Return the statement that reads `selection` and its values."""
        conditions, values = self._conditions(selection)
        values["limit"] = selection.limit + (selection.order != "newest")
        return self._select(self.columns, conditions, selection.order), values

    def key_query(self, selection: RowSelection, offset: int) -> tuple[sql.Composed, dict[str, Any]]:
        """Return the statement that reads two keys of `selection`, `offset` rows after the first, and its values."""
        conditions, values = self._conditions(selection)
        keys = sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(sql.Identifier(column), sql.Identifier(name))
            for column, name in self.key.items()
        )
        statement = self._select(keys, conditions, selection.order) + sql.SQL(" OFFSET %(offset)s")
        return statement, values | {"limit": 2, "offset": offset}

    def _select(self, columns: sql.Composable, conditions: sql.Composable, order: Order) -> sql.Composed:
        return sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT %(limit)s").format(
            columns, self.name, conditions, self.ordered(order)
        )

    def _conditions(self, selection: RowSelection) -> tuple[sql.Composed, dict[str, Any]]:
        values: dict[str, Any] = {}
        conditions: list[sql.Composable] = []
        for column, value in selection.equal.items():
            values[column] = value if isinstance(value, str | bool) else list(value)
            test = sql.SQL("{} = {}" if isinstance(value, str | bool) else "{} = ANY ({})")
            if column in self.arrays:
                test = sql.SQL("{} @> ARRAY[{}]")
            conditions.append(test.format(sql.Identifier(column), sql.Placeholder(column)))
        begins, ends = map(sql.Identifier, self.period)
        if selection.start is not None:
            conditions.append(sql.SQL("{} >= %(start)s").format(ends))
            values["start"] = clock.to_datetime(selection.start)
        if selection.end is not None:
            conditions.append(sql.SQL("{} < %(end)s").format(begins))
            values["end"] = clock.to_datetime(selection.end)
        ascending = selection.order == "ascending"
        for name, key, side in (
            ("after", selection.after, _AFTER if ascending else _BEFORE),
            ("until", selection.until, _NOT_AFTER if ascending else _NOT_BEFORE),
        ):
            if key is not None:
                conditions += self._on(side, name)
                us, *rest = key
                values |= {f"{name}_{n}": part for n, part in enumerate([clock.to_datetime(us), *rest])}
        return sql.SQL(" AND ").join(conditions or [sql.SQL("true")]), values

    def _on(self, side: _Side, name: str) -> Iterator[sql.Composed]:
        """Yield the conditions that a row is on one side of the key called `name`.

        That of the time alone follows from the other, but only it tells TimescaleDB which chunks to leave out.
        """
        key = [sql.Placeholder(f"{name}_{n}") for n in range(len(self.key))]
        yield sql.SQL("{} {} {}").format(sql.Identifier(next(iter(self.key))), side.time, key[0])
        yield sql.SQL("({}) {} ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, self.key)), side.key, sql.SQL(", ").join(key)
        )


def fields_of(
    message: type[Struct], columns: Mapping[str, str], without: Collection[str] = ()
) -> sql.Composed:
    """Return the fields of `message` for SELECT; `columns` are those of another name than their fields."""
    return sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(sql.Identifier(columns.get(name, name)), sql.Identifier(name))
        for name in message.__struct_fields__
        if name not in without
    )


TICKS = TableSource(
    sql.Identifier("ticks"),
    sql.SQL(
        "symbol, trade_id, ts AS event_us, received_at AS received_us, venue, price, size, buyer_is_maker, "
        "repaired"
    ),
    sql.Identifier("symbol"),
    {"ts": "event_us", "trade_id": "trade_id"},
    Decoder(tuple[Microseconds, _Id]),
)

SIGNALS = TableSource(
    sql.Identifier("signals"),
    fields_of(Signal, {"event_us": "ts", **STORED_AS}, NOT_STORED),
    sql.Identifier("pair"),
    {"ts": "event_us"},
    Decoder(tuple[Microseconds]),
)

_HANDLED_ALERTS = sql.SQL("""
(
    SELECT alerts.*, retracted_by, retracted_by IS NOT NULL AS retracted,
        acked_at IS NOT NULL AS acked, acked_at, acked_by, snoozed_until,
        coalesce(snoozed_until > now(), false) AS snoozed
    FROM alerts LEFT JOIN alert_handling USING (alert_id)
    LEFT JOIN LATERAL (
        SELECT min(later.alert_id) AS retracted_by FROM alerts AS later WHERE later.retracts = alerts.alert_id
    ) AS later ON true
) AS handled
""")

ALERTS = TableSource(
    _HANDLED_ALERTS,
    sql.SQL("{}, retracted_by, acked_at AS acked_us, acked_by, snoozed_until AS snoozed_until_us").format(
        fields_of(Alert, {"event_us": "ts"})
    ),
    sql.Identifier("subject"),
    {"ts": "event_us", "alert_id": "alert_id"},
    Decoder(tuple[Microseconds, _Text]),
)

GAPS = TableSource(
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

# Covered is the time from the symbol's first trade to its last one, less what the ledger of gaps has of it. A gap of
# which some trades were repaired counts as much as are missing of it.
_BAR_COLUMNS = sql.SQL("""
ts AS start_us, open, high, low, close, volume, quote_volume, quote_volume / volume AS vwap, trade_count,
closed, coverage, false AS carried, closed AND coverage = 1 AS complete
""")
_COVERED_BARS = sql.SQL("""
(
    SELECT bars.*, ts + {width}::interval <= last_ts AS closed, greatest(0, extract(epoch FROM
        least(ts + {width}::interval, last_ts) - greatest(ts, first_ts) - coalesce(lost, '0')
    ) / extract(epoch FROM {width}::interval))::float8 AS coverage
    FROM {table} AS bars
    CROSS JOIN (
        SELECT coalesce((SELECT max(ts) FROM ticks WHERE symbol = %(symbol)s), 'infinity') AS last_ts,
            coalesce((
                SELECT ticks.ts FROM (SELECT min(ts) AS ts FROM {table} WHERE symbol = %(symbol)s) AS oldest
                CROSS JOIN LATERAL (
                    SELECT ts FROM ticks WHERE symbol = %(symbol)s AND ticks.ts >= oldest.ts ORDER BY ts LIMIT 1
                ) AS ticks
                WHERE ticks.ts < oldest.ts + {width}::interval
            ), '-infinity') AS first_ts
    ) AS known
    LEFT JOIN LATERAL (
        SELECT sum((least(end_ts, ts + {width}::interval) - greatest(start_ts, ts))
            * (missing::float8 / (last_id - first_id + 1))) AS lost
        FROM gaps WHERE gaps.symbol = bars.symbol AND state IN ('found', 'unrepaired')
            AND tstzrange(start_ts, greatest(start_ts, end_ts)) && tstzrange(ts, ts + {width}::interval)
    ) AS lost ON true
) AS covered_bars
""")


def _bars(interval: Interval) -> TableSource:
    table, width = sql.Identifier(f"ohlc_{interval}"), sql.Literal(interval)
    return TableSource(
        _COVERED_BARS.format(table=table, width=width),
        _BAR_COLUMNS,
        sql.Identifier("symbol"),
        {"ts": "start_us"},
        Decoder(tuple[Microseconds]),
    )


BARS: dict[Interval, TableSource] = {interval: _bars(interval) for interval in INTERVALS}
