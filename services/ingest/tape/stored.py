"""Stored tape: trades and open gaps that the database has already."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import psycopg

from services.common.clock import HOUR, MINUTE, from_datetime, to_datetime
from services.common.errors import TransientError, reason_of
from services.common.settings import DatabaseSettings
from services.contracts.messages import Tick
from services.ingest.tape.chain import BACK, IdSpan
from services.ingest.tape.ledger import OpenGap
from services.store import database
from services.store.database import Connection
from services.store.database_watchdog import watched

# What a venue keeps, so what can still be repaired; coverage needs 24 h.
REACH_US = 48 * HOUR
_PAGE = 5_000
_TIMEOUT_MS = 20_000

_GAPS = """
SELECT venue, first_id, last_id, start_ts, end_ts, found_at, missing, state, reason FROM gaps
WHERE symbol = %(symbol)s AND (state = 'found' OR state = 'unrepaired' AND end_ts >= %(since)s)
"""
_NEVER_ISSUED = """
SELECT first_id, last_id FROM gaps WHERE symbol = %(symbol)s AND state = 'refuted' AND end_ts >= %(since)s
"""
_MINUTES = """
SELECT ts, first_id, last_id, trade_count FROM ohlc_1m WHERE symbol = %(symbol)s AND ts >= %(since)s ORDER BY ts
"""
_LAST = """
SELECT trade_id, ts FROM ticks WHERE symbol = %(symbol)s ORDER BY ts DESC, trade_id DESC LIMIT 1
"""
# Consecutive ids have the same difference to their rank.
_SPANS = """
SELECT min(trade_id), max(trade_id), min(ts), max(ts)
FROM unnest(%(minutes)s::timestamptz[]) AS minutes (minute)
CROSS JOIN LATERAL (
    SELECT trade_id, ts, trade_id - dense_rank() OVER (ORDER BY trade_id) AS island
    FROM ticks WHERE symbol = %(symbol)s AND ts >= minute AND ts < minute + interval '1 minute'
) AS ranked
GROUP BY minute, island ORDER BY minute, min(trade_id)
"""
_EDGES = """
SELECT edge.symbol, venue, trade_id, ts, received_at, price, size, buyer_is_maker, repaired
FROM unnest(%(symbols)s::text[]) AS given (symbol)
CROSS JOIN LATERAL (
    (SELECT * FROM ticks WHERE symbol = given.symbol AND ts >= %(start)s ORDER BY ts, trade_id LIMIT 1)
    UNION ALL
    (SELECT * FROM ticks WHERE symbol = given.symbol ORDER BY ts DESC, trade_id DESC LIMIT 1)
) AS edge
"""
_TORN = """
SELECT DISTINCT symbol FROM gaps
WHERE symbol = ANY(%(symbols)s) AND state IN ('found', 'unrepaired') AND end_ts >= %(since)s
"""
_BETWEEN = """
SELECT symbol, venue, trade_id, ts, received_at, price, size, buyer_is_maker, repaired FROM ticks
WHERE symbol = ANY(%(symbols)s) AND ts >= %(start)s AND ts < %(end)s ORDER BY ts, symbol, trade_id
"""
_TICKS = """
SELECT venue, trade_id, ts, received_at, price, size, buyer_is_maker, repaired FROM ticks
WHERE symbol = %(symbol)s AND (ts, trade_id) > (%(ts)s, %(trade_id)s) ORDER BY ts, trade_id LIMIT %(limit)s
"""


class Shelf(NamedTuple):
    """Stored tape of one symbol: spans of ids within one minute each, open gaps, ids that never existed."""

    have: Sequence[IdSpan] = ()
    gaps: Sequence[OpenGap] = ()
    never_issued: Sequence[tuple[int, int]] = ()


class StoredTape(Protocol):
    """Store of the trades of earlier runs. TransientError if it does not answer."""

    async def shelf(self, symbol: str, at_us: int) -> Shelf:
        """Return what there is of the last `REACH_US`, and further back where a gap is open."""

    def ticks(self, symbol: str, start_us: int) -> AsyncGenerator[Tick]:
        """Yield the trades from `start_us` on, in order of time and id."""


class DatabaseTape:
    """The sink's tables, read over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def shelf(self, symbol: str, at_us: int) -> Shelf:
        """Return what there is of the last `REACH_US`, and further back where a gap is open."""
        since = at_us - at_us % MINUTE - REACH_US
        gaps = [_gap(symbol, row) for row in await self._rows(_GAPS, symbol=symbol, since=to_datetime(since))]
        oldest = min((gap.start_us for gap in gaps if gap.state == "found"), default=since)
        reach = to_datetime(min(since, oldest - oldest % MINUTE))
        minutes = [
            _Minute(ts, first_id, last_id, count)
            for ts, first_id, last_id, count in await self._rows(_MINUTES, symbol=symbol, since=reach)
        ]
        torn = [minute.ts for minute in _torn(minutes)]
        rows = await self._rows(_SPANS, symbol=symbol, minutes=torn) if torn else []
        if not minutes:
            rows = [(trade_id, trade_id, ts, ts) for trade_id, ts in await self._rows(_LAST, symbol=symbol)]
        spans = [
            IdSpan(first, last, from_datetime(start), from_datetime(end)) for first, last, start, end in rows
        ]
        known = set(torn)
        spans += [minute.span() for minute in minutes if minute.ts not in known]
        have = _current(sorted(spans, key=lambda span: span.start_us))
        never_issued = await self._rows(_NEVER_ISSUED, symbol=symbol, since=reach)
        # Gaps that ended before are of an earlier numbering.
        start_us = have[0].start_us if have else 0
        return Shelf(have, [gap for gap in gaps if gap.end_us >= start_us], never_issued)

    async def ticks(self, symbol: str, start_us: int) -> AsyncGenerator[Tick]:
        """Yield the trades from `start_us` on, in order of time and id."""
        ts, trade_id = to_datetime(start_us), -1
        while True:
            rows = await self._rows(_TICKS, symbol=symbol, ts=ts, trade_id=trade_id, limit=_PAGE)
            for row in rows:
                yield tick_of(symbol, row)
            if len(rows) < _PAGE:
                return
            trade_id, ts = rows[-1][1:3]

    async def edges(self, symbols: Iterable[str], start_us: int) -> list[Tick]:
        """Return of each symbol its first trade from `start_us` on, if there is one, and its last of all."""
        rows = await self._rows(_EDGES, symbols=list(symbols), start=to_datetime(start_us))
        return [tick_of(symbol, row) for symbol, *row in rows]

    async def torn(self, symbols: Iterable[str], since_us: int) -> list[str]:
        """Return those of `symbols` that have an open gap which ends at `since_us` or later."""
        return [
            name for (name,) in await self._rows(_TORN, symbols=list(symbols), since=to_datetime(since_us))
        ]

    async def between(self, symbols: Iterable[str], start_us: int, end_us: int) -> list[Tick]:
        """Return the trades of `symbols` from `start_us` to before `end_us`, in order of time."""
        rows = await self._rows(
            _BETWEEN, symbols=list(symbols), start=to_datetime(start_us), end=to_datetime(end_us)
        )
        return [tick_of(symbol, row) for symbol, *row in rows]

    async def _rows(self, query: str, **parameters: object) -> list[Any]:
        try:
            cursor = await self._connection.execute(query.encode(), parameters)
            return await cursor.fetchall()
        # A schema that is not ours yet is no reason to miss trades.
        except psycopg.Error as error:
            raise TransientError(f"the database does not say what is stored: {reason_of(error)}") from error


@asynccontextmanager
async def open_store(settings: DatabaseSettings) -> AsyncIterator[DatabaseTape]:
    """Yield what is stored; TransientError if the database cannot be reached."""
    async with (
        database.connect(settings, "pairstream-ingest") as connection,
        watched(settings, "pairstream-ingest-watch"),
    ):
        await connection.execute(f"SET statement_timeout = {_TIMEOUT_MS}".encode())
        yield DatabaseTape(connection)


class _Minute(NamedTuple):
    ts: datetime
    first_id: int
    last_id: int
    trades: int

    def span(self) -> IdSpan:
        start_us = from_datetime(self.ts)
        return IdSpan(self.first_id, self.last_id, start_us, start_us + MINUTE - 1)


def _torn(minutes: Sequence[_Minute]) -> Iterable[_Minute]:
    """Yield the minutes that have a gap in or beside them: their trades say where and when."""
    for place, minute in enumerate(minutes):
        before = minutes[place - 1].last_id if place else None
        after = minutes[place + 1].first_id if place + 1 < len(minutes) else None
        whole = minute.trades == minute.last_id - minute.first_id + 1
        if not (whole and before == minute.first_id - 1 and after == minute.last_id + 1):
            yield minute


def _current(spans: Iterable[IdSpan]) -> list[IdSpan]:
    """Return the spans of the latest numbering, given all in order of time."""
    current: list[IdSpan] = []
    highest = 0
    for span in spans:
        if span.last_id < highest - BACK:
            current, highest = [], 0
        current.append(span)
        highest = max(highest, span.last_id)
    return current


def _gap(symbol: str, row: Sequence[Any]) -> OpenGap:
    venue, first_id, last_id, start, end, found, missing, state, reason = row
    start_us, end_us, found_us = map(from_datetime, (start, end, found))
    return OpenGap(symbol, venue, first_id, last_id, start_us, end_us, found_us, missing, state, reason)


def tick_of(symbol: str, row: Sequence[Any]) -> Tick:
    """Return a stored tick; `row` is from its venue on."""
    venue, trade_id, ts, received_at, price, size, buyer_is_maker, repaired = row
    return Tick(
        venue=venue,
        symbol=symbol,
        trade_id=trade_id,
        event_us=from_datetime(ts),
        received_us=from_datetime(received_at),
        price=price,
        size=size,
        buyer_is_maker=buyer_is_maker,
        repaired=repaired,
    )
