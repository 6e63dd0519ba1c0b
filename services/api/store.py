"""What is stored, read as rows. SQL is written here and in tables.py, nowhere else in the API."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import psycopg
import structlog
from psycopg import AsyncCursor, sql
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format
from psycopg.rows import RowMaker

from services.api.cursor import Key
from services.api.rows import Row, row
from services.api.tables import ALERTS, SIGNALS, TICKS, Selection, Table
from services.common import database, store
from services.common.backoff import Backoff
from services.common.cancellation import pause
from services.common.errors import FatalError, TransientError
from services.common.settings import DatabaseSettings

CONNECTIONS = 4
TIMEOUT_S = 5
WATCH_S = 1.0
AWAY = "the database cannot be reached"

# A reference price older than an hour is no price of 24 hours ago.
_DAYS = sql.SQL("""
SELECT given.symbol, newest.price AS last_price, newest.ts AS last_event_us,
       coalesce(day.volume, 0) AS volume_24h, coalesce(day.trades, 0) AS trades_24h,
       coalesce(minute.trades, 0) / 60.0::float8 AS tick_rate, reference.price AS reference_price
FROM unnest(%(symbols)s::text[]) AS given (symbol)
LEFT JOIN LATERAL (
    SELECT price, ts FROM ticks WHERE symbol = given.symbol ORDER BY ts DESC, trade_id DESC LIMIT 1
) AS newest ON true
LEFT JOIN LATERAL (
    SELECT sum(volume) AS volume, sum(trade_count)::bigint AS trades
    FROM ohlc_1m WHERE symbol = given.symbol AND ts > newest.ts - interval '24 hours'
) AS day ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS trades
    FROM ticks WHERE symbol = given.symbol AND ts > newest.ts - interval '60 seconds'
) AS minute ON true
LEFT JOIN LATERAL (
    SELECT price FROM ticks
    WHERE symbol = given.symbol
      AND ts <= newest.ts - interval '24 hours' AND ts > newest.ts - interval '25 hours'
    ORDER BY ts DESC, trade_id DESC LIMIT 1
) AS reference ON true
""")

_OPEN_GAPS = sql.SQL("""
SELECT symbol, first_id, last_id, updated_at AS updated_us, missing
FROM gaps WHERE state IN ('found', 'unrepaired')
""")

_NEWEST = sql.SQL("""
SELECT newest.* FROM unnest(%(names)s::text[]) AS given (name)
CROSS JOIN LATERAL (SELECT {columns} FROM {table} WHERE {of} = given.name ORDER BY {key} LIMIT 1) AS newest
""")

log = structlog.get_logger()


class Page(NamedTuple):
    """Rows, and the key to go on from if there are more."""

    rows: list[Row]
    last: Key | None = None


class Store:
    """Reads the database while `run` runs; TransientError, fit to be shown, whenever it cannot."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self.problem: str | None = AWAY
        """Why the store cannot be read, None if it can."""
        self._settings = settings
        self._pool: database.Pool | None = None

    async def run(self) -> None:
        """Hold connections until cancelled; make new ones, however long it takes, when the database was away."""
        backoff = Backoff(cap_s=2)
        while True:
            try:
                async with database.pool(
                    self._settings,
                    name="pairstream-api",
                    max_size=CONNECTIONS,
                    timeout=TIMEOUT_S,
                    configure=_configure,
                ) as self._pool:
                    backoff.reset()
                    await self._watch()
            except TransientError as error:
                log.warning("waiting", error=str(error))
                self.problem = AWAY
            finally:
                self._pool = None
            await asyncio.sleep(backoff.next_s())

    async def page(self, table: Table, selection: Selection) -> Page:
        """Return the rows of `table` that are selected."""
        query, values = table.query(selection)
        rows = await self._rows(query, values)
        if selection.order == "newest":
            return Page(rows[::-1])
        if len(rows) <= selection.limit:
            return Page(rows)
        return Page(rows[:-1], table.key_of(rows[-2]))

    async def symbols(self) -> list[str]:
        """Return every symbol of which a trade is stored, in order."""
        async with self._reading() as connection:
            return await store.owners(connection, store.TICKS)

    async def days(self, symbols: Iterable[str]) -> list[Row]:
        """Return the last price, the last day and the price of a day ago of each of `symbols`."""
        return await self._rows(_DAYS, {"symbols": list(symbols)})

    async def newest_ticks(self, symbols: Iterable[str]) -> list[Row]:
        """Return the last tick of each of `symbols` that has one."""
        return await self._newest(TICKS, symbols)

    async def newest_signals(self, pairs: Iterable[str]) -> list[Row]:
        """Return the last signal of each of `pairs` that has one."""
        return await self._newest(SIGNALS, pairs)

    async def newest_alerts(self, limit: int) -> list[Row]:
        """Return the last alerts, newest first."""
        return (await self.page(ALERTS, Selection(limit=limit, order="descending"))).rows

    async def open_gaps(self) -> list[Row]:
        """Return every gap whose trades are missing still."""
        return await self._rows(_OPEN_GAPS, {})

    async def _newest(self, table: Table, names: Iterable[str]) -> list[Row]:
        query = _NEWEST.format(
            columns=table.columns, table=table.name, of=table.of, key=table.ordered("descending")
        )
        return await self._rows(query, {"names": list(names)})

    async def _rows(self, query: sql.SQL | sql.Composed, values: Mapping[str, Any]) -> list[Row]:
        async with self._reading() as connection, connection.cursor(binary=True, row_factory=_rows) as cursor:
            await cursor.execute(query, values)
            return await cursor.fetchall()

    async def _watch(self) -> None:
        while True:
            try:
                async with self._reading() as connection:
                    await database.require_schema(connection)
            except FatalError as error:
                self._say(str(error))
            else:
                self._say(None)
            await pause(WATCH_S)

    def _say(self, problem: str | None) -> None:
        if problem != self.problem:
            log.info("reading the store") if problem is None else log.error("not reading", problem=problem)
        self.problem = problem

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[database.Connection]:
        if self._pool is None:
            raise TransientError(AWAY)
        try:
            async with self._pool.connection() as connection:
                yield connection
        except psycopg.errors.QueryCanceled as error:
            raise TransientError(f"the database took longer than {TIMEOUT_S} s: ask for less") from error
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
            raise TransientError("the database has another schema: run pairstream db upgrade") from error
        except psycopg.errors.InsufficientPrivilege as error:
            raise TransientError("the database does not let this user read") from error
        except psycopg.OperationalError as error:
            log.warning("no answer from the database", error=str(error))
            raise TransientError(AWAY) from error


async def _configure(connection: database.Connection) -> None:
    await connection.set_autocommit(True)
    await connection.execute("SET default_transaction_read_only = on")
    # Pages are cached or on an SSD: without this the newest 1 s bars of an aggregate are sorted, not looked up.
    await connection.execute("SET random_page_cost = 1.1")
    await connection.execute(sql.SQL("SET statement_timeout = {}").format(sql.Literal(f"{TIMEOUT_S}s")))
    connection.adapters.register_loader("timestamptz", _MicrosecondsLoader)


class _MicrosecondsLoader(Loader):
    """Read a timestamptz as microseconds since the epoch: no datetime is ever built."""

    format = Format.BINARY

    def load(self, data: Buffer) -> int:
        return int.from_bytes(data, "big", signed=True) + database.EPOCH_US


def _rows(cursor: AsyncCursor[Any]) -> RowMaker[Row]:
    names = [column.name for column in cursor.description or ()]
    return lambda values: row(zip(names, values, strict=True))
