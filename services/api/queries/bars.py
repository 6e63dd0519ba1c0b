"""Tables of the market's bars: the stored intervals, and those that are derived from them while they are read."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from msgspec.json import Decoder
from psycopg import sql

from services.api.queries.tables import Order, RowSelection, TableSource
from services.common import clock
from services.contracts.fields import Microseconds
from services.contracts.intervals import ALL_WIDTHS_US, WIDTHS_US, AnyInterval, source_of
from services.store.bars.coverage import covered, width

_COLUMNS = sql.SQL("""
ts AS start_us, open, high, low, close, volume, quote_volume, quote_volume / volume AS vwap, trade_count,
closed, coverage, false AS carried, closed AND coverage = 1 AS complete
""")
# The same aggregates as those of the stored bars, over no more rows than the bars that are wanted can have.
_AGGREGATED = sql.SQL("""
(
    SELECT symbol, date_bin({width}, ts, '2000-01-01 00:00:00+00') AS ts,
        (array_agg(open ORDER BY first_id, ts))[1] AS open, max(high) AS high, min(low) AS low,
        (array_agg(close ORDER BY last_id DESC, ts DESC))[1] AS close,
        sum(volume ORDER BY ts) AS volume, sum(quote_volume ORDER BY ts) AS quote_volume,
        sum(trade_count)::bigint AS trade_count
    FROM (
        SELECT * FROM {source} WHERE symbol = %(symbol)s
            AND ts >= %(parts_start)s::timestamptz AND ts < %(parts_end)s::timestamptz
        ORDER BY ts{direction} LIMIT %(parts)s
    ) AS parts
    GROUP BY symbol, date_bin({width}, ts, '2000-01-01 00:00:00+00')
)
""")


@dataclass(frozen=True)
class DerivedBars(TableSource):
    """Bars that are put together, while they are read, from the stored bars of the widest interval that fits.

    Only the newest or oldest stored bars that the page can need are read: what the limit cuts off is outside it.
    """

    interval: AnyInterval = "1d"

    def query(self, selection: RowSelection) -> tuple[sql.Composed, dict[str, Any]]:
        """Return the statement that reads `selection` and its values."""
        statement, values = super().query(selection)
        return statement, values | self._parts(selection, values["limit"])

    def key_query(self, selection: RowSelection, offset: int) -> tuple[sql.Composed, dict[str, Any]]:
        """Return the statement that reads two keys of `selection`, `offset` rows after the first, and its values."""
        statement, values = super().key_query(selection, offset)
        return statement, values | self._parts(selection, values["limit"] + offset)

    def rows(self, order: Order) -> sql.Composable:
        """Return what is read in an order."""
        direction = sql.SQL("" if order == "ascending" else " DESC")
        source = sql.Identifier(f"ohlc_{source_of(self.interval)}")
        bars = _AGGREGATED.format(source=source, width=width(self.interval), direction=direction)
        return covered(self.interval, bars)

    def _parts(self, selection: RowSelection, bars: int) -> dict[str, Any]:
        """Return which stored bars are read: whole ones of `bars` bars, and of those that lie across either end."""
        width_us = ALL_WIDTHS_US[self.interval]
        after, until = ([] if key is None else [int(key[0])] for key in (selection.after, selection.until))
        low, high = (after, until) if selection.order == "ascending" else (until, after)
        starts = [*low, *([] if selection.start is None else [selection.start])]
        ends = [*high, *([] if selection.end is None else [selection.end])]
        across = timedelta(microseconds=width_us)
        return {
            "parts": (bars + 2) * (width_us // WIDTHS_US[source_of(self.interval)]),
            "parts_start": clock.to_datetime(max(starts)) if starts else "-infinity",
            "parts_end": clock.to_datetime(min(ends)) + across if ends else "infinity",
        }


def _bars(interval: AnyInterval) -> TableSource:
    stored = covered(interval, sql.Identifier(f"ohlc_{interval}"))
    told = (_COLUMNS, sql.Identifier("symbol"), {"ts": "start_us"}, Decoder(tuple[Microseconds]))
    if interval == source_of(interval):
        return TableSource(stored, *told)
    return DerivedBars(sql.SQL(""), *told, interval=interval)


BARS: dict[AnyInterval, TableSource] = {interval: _bars(interval) for interval in ALL_WIDTHS_US}
