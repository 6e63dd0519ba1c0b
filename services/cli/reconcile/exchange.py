"""Reference bars of the exchange: Binance's klines, over HTTP."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import sql

from services.cli.reconcile.bars import BarDifference, Part, ReconciledBar, Stretch, differences
from services.common import clock
from services.common.cancellation import pause
from services.contracts.intervals import INTERVALS, WIDTHS_US
from services.ingest.venues.binance import venue
from services.ingest.venues.rest import Rest, VenueBusyError
from services.store.database import Connection

_PATH = "/fapi/v1/klines"
_LIMIT = 1_500
# Klines of a request of weight 10.
BUDGET = venue.BUDGET._replace(weights={_PATH: 10})
# A bar that ended just now may be on its way into the store.
_SETTLED_US = 30 * clock.SECOND

_STORED = sql.SQL("""
SELECT ts, open, high, low, close, volume, quote_volume FROM {}
WHERE symbol = %(symbol)s AND ts >= %(start)s AND ts < %(end)s
""")


class _Kline(Struct, array_like=True, gc=False):
    """``[1499040000000,"0.01634790","0.80000000","0.01575800","0.01577100","148976.11427815",1499644799999,
    "2434.19055334",308,"1756.87402397","28.46694368","0"]``; of the trades that it counts, many are one of ours."""

    open_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    close_ms: int
    quote_volume: float


_klines = msgspec.json.Decoder(list[_Kline], strict=False)


class ExchangeReference:
    """Reference by Binance's klines; a minute without trades is flat there, with volume 0."""

    name = "the exchange"
    intervals = INTERVALS[1:]
    earliest_us = 0

    def __init__(self, rest: Rest, now_us: Callable[[], int] = clock.now_us) -> None:
        self._rest = rest
        self._now_us = now_us

    def covers(self, symbol: str) -> bool:
        """Return whether it is one of Binance's: those of other venues have a suffix."""
        return "." not in symbol

    async def compare(self, connection: Connection, stretch: Stretch) -> AsyncIterator[Part]:
        """Yield the bars of one request at a time, without one that is still open."""
        query = _STORED.format(sql.Identifier(f"ohlc_{stretch.interval}"))
        width = WIDTHS_US[stretch.interval]
        last_us = min(stretch.end_us, (self._now_us() - _SETTLED_US) // width * width)
        for start_us in range(stretch.start_us, last_us, _LIMIT * width):
            end_us = min(start_us + _LIMIT * width, last_us)
            expected = await self._bars(stretch, start_us, end_us)
            bounds = {
                "symbol": stretch.symbol,
                "start": clock.to_datetime(start_us),
                "end": clock.to_datetime(end_us),
            }
            cursor = await connection.execute(query, bounds)
            found = {
                clock.from_datetime(ts): ReconciledBar(*values) for ts, *values in await cursor.fetchall()
            }
            times = sorted(expected.keys() | found.keys())
            pairs = [BarDifference(at_us, expected.get(at_us), found.get(at_us)) for at_us in times]
            yield Part(
                end_us, len(pairs), [one for one in pairs if any(differences(one.expected, one.found))]
            )

    async def _bars(self, stretch: Stretch, start_us: int, end_us: int) -> dict[int, ReconciledBar]:
        answer = await self._ask(
            symbol=stretch.symbol,
            interval=stretch.interval,
            startTime=start_us // 1_000,
            endTime=end_us // 1_000 - 1,
            limit=_LIMIT,
        )
        return {
            one.open_ms * 1_000: ReconciledBar(
                one.open, one.high, one.low, one.close, one.volume, one.quote_volume
            )
            for one in answer
            if one.volume
        }

    async def _ask(self, **parameters: Any) -> list[_Kline]:
        while True:
            try:
                return await self._rest.read(_klines, _PATH, **parameters)
            except VenueBusyError as error:
                await pause(error.retry_after_s)
