"""Replay of stored ticks: the trades of symbols between two times, from a database, at any speed."""

from collections.abc import AsyncGenerator, Sequence

import psycopg
from msgspec import structs
from psycopg import sql

from services.common.clock import MINUTE, SECOND, from_datetime, to_datetime, to_iso
from services.common.errors import FatalError, TransientError, reason_of
from services.common.settings import PREFIX, DatabaseSettings
from services.contracts.listings import Listing
from services.contracts.messages import FeedName
from services.ingest.delivery_lag import DeliveryLags
from services.ingest.feed import FeedStatus, Item
from services.ingest.feeds.pace import Pace
from services.ingest.feeds.replay import Received
from services.ingest.stored_range import StoredRange
from services.ingest.tape.stored import tick_of
from services.store import database, relations
from services.store.database import Connection

# The trades of so long are in memory together.
_PAGE_US = 10 * SECOND
_TICKS = sql.SQL("""
SELECT symbol, venue, trade_id, ts, received_at, price, size, buyer_is_maker, repaired FROM ticks
WHERE symbol = ANY(%(symbols)s) AND ts >= %(start)s AND ts < %(end)s ORDER BY ts, symbol, trade_id
""")
_FIRST = sql.SQL("""
SELECT min(ts) FROM unnest(%(symbols)s::text[]) AS wanted (symbol) CROSS JOIN LATERAL (
    SELECT ts FROM ticks WHERE symbol = wanted.symbol AND ts >= %(start)s AND ts < %(end)s ORDER BY ts LIMIT 1
) AS found
""")


class StoredReplayFeed:
    """Replay of a database's ticks of `symbols`, merged by time."""

    name: FeedName = "replay"

    def __init__(
        self, source: DatabaseSettings, between: StoredRange, symbols: Sequence[str], pace: Pace
    ) -> None:
        self.delivery = DeliveryLags()
        self._source = source
        self._between = between
        self._symbols = list(symbols)
        self._pace = pace

    async def check(self) -> None:
        """Raise FatalError if a symbol has no tick in the range, with what is stored instead."""
        try:
            async with database.connect(self._source, "pairstream-replay") as connection:
                has_ticks = await _has_ticks(connection)
                found = await _with_ticks(connection, self._between, self._symbols) if has_ticks else []
                missing = [symbol for symbol in self._symbols if symbol not in found]
                stored = await _stored(connection) if missing and has_ticks else ""
        except (TransientError, psycopg.Error) as error:
            raise FatalError(f"{PREFIX}REPLAY_STORE: {reason_of(error)}") from error
        if missing:
            raise FatalError(
                f"{PREFIX}REPLAY_STORE: expected a range with ticks of {', '.join(self._symbols)}, received "
                f"{self._between}, which has none of {', '.join(missing)}; stored are {stored or 'no ticks at all'}"
            )

    async def listing(self) -> list[Listing]:
        """Return the symbols that have ticks in the range; FatalError if the database cannot be read."""
        try:
            found = await symbols_of(self._source, self._between, ())
        except (TransientError, psycopg.Error) as error:
            raise FatalError(f"{PREFIX}REPLAY_STORE: {reason_of(error)}") from error
        return [Listing(symbol=symbol, venue=self.name) for symbol in found]

    def received(self, item: Received) -> Received:
        """Return what was stored with the time of its receipt: now."""
        return structs.replace(item, received_us=self._pace.now_us())

    async def stream(self) -> AsyncGenerator[Item]:
        """Yield the ticks once, with the receipts that were recorded."""
        yield FeedStatus("running")
        async with database.connect(self._source, "pairstream-replay") as connection:
            start_us = self._between.start_us
            while (first_us := await _first(connection, self._symbols, self._between, start_us)) is not None:
                end_us = min(first_us + _PAGE_US, self._between.end_us)
                bounds = {
                    "symbols": self._symbols,
                    "start": to_datetime(first_us),
                    "end": to_datetime(end_us),
                }
                for symbol, *row in await (await connection.execute(_TICKS, bounds)).fetchall():
                    tick = tick_of(symbol, row)
                    await self._pace.until(tick.event_us)
                    yield tick
                start_us = end_us


async def _first(
    connection: Connection, symbols: Sequence[str], between: StoredRange, start_us: int | None = None
) -> int | None:
    """Return when the first tick of any of the symbols is, None if there is none."""
    bounds = {
        "symbols": list(symbols),
        "start": to_datetime(between.start_us if start_us is None else start_us),
        "end": to_datetime(between.end_us),
    }
    ((found,),) = await (await connection.execute(_FIRST, bounds)).fetchall()
    return None if found is None else from_datetime(found)


async def _stored(connection: Connection) -> str:
    """Return of which symbols there are ticks, and from when to when."""
    found = []
    for symbol in await relations.owners(connection, relations.TICKS):
        if (period := await relations.period(connection, relations.TICKS, symbol)) is not None:
            first, last = (to_iso(us - us % MINUTE)[:16] for us in period)
            found.append(f"{symbol} from {first}Z to {last}Z")
    return ", ".join(found)


async def symbols_of(source: DatabaseSettings, between: StoredRange, symbols: Sequence[str]) -> list[str]:
    """Return which of the symbols, or of all if none is named, have ticks in a range."""
    async with database.connect(source, "pairstream-replay") as connection:
        if not await _has_ticks(connection):
            return []
        named = symbols or await relations.owners(connection, relations.TICKS)
        return await _with_ticks(connection, between, named)


async def _has_ticks(connection: Connection) -> bool:
    ((found,),) = await (await connection.execute("SELECT to_regclass('ticks') IS NOT NULL")).fetchall()
    return bool(found)


async def _with_ticks(connection: Connection, between: StoredRange, symbols: Sequence[str]) -> list[str]:
    return [symbol for symbol in symbols if await _first(connection, [symbol], between) is not None]
