"""Reader of the store: rows of every table, and what people did about alerts."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple, overload

import psycopg
import structlog
from psycopg import sql
from psycopg.types.json import set_json_loads
from psycopg.types.numeric import Int8BinaryLoader
from psycopg_pool import PoolTimeout

from services.api.queries import alert_actions, stored_json
from services.api.queries.database_errors import AWAY, TIMEOUT_S, translated
from services.api.queries.tables import ALERTS, SIGNALS, TICKS, RowSelection, TableSource
from services.api.serialization.cursor import Key
from services.api.serialization.rows import JsonRecords, Row
from services.common import clock
from services.common.backoff import Backoff
from services.common.errors import FatalError, TransientError
from services.common.kafka.pair_configs import Configs
from services.common.settings import DatabaseSettings
from services.store import database, relations, schema
from services.store import pairs as pair_store
from services.store.database_watchdog import DatabaseWatch

CONNECTIONS = 4
EXPORTS = 2
# Rows to read before other tasks get their turn: some milliseconds.
_SLICE_ROWS = 500
BUSY = "every connection to the database is in use: ask again"

# Whole hours of the day are read as such, the minutes before the first as minutes: 80 bars instead of 1440.
# A reference price older than an hour is no price of 24 hours ago.
_DAYS = sql.SQL("""
SELECT given.symbol, newest.price AS last_price, newest.ts AS last_event_us,
       coalesce(day.volume, 0) AS volume_24h, coalesce(day.trades, 0) AS trades_24h,
       coalesce(minute.trades, 0) / 60.0::float8 AS tick_rate, reference.price AS reference_price
FROM unnest(%(symbols)s::text[]) AS given (symbol)
LEFT JOIN LATERAL (
    SELECT price, ts, ts - interval '24 hours' AS day_ago, date_trunc('hour', ts - interval '23 hours') AS hour
    FROM ticks WHERE symbol = given.symbol ORDER BY ts DESC, trade_id DESC LIMIT 1
) AS newest ON true
LEFT JOIN LATERAL (
    SELECT sum(volume) AS volume, sum(trade_count)::bigint AS trades
    FROM (
        SELECT volume, trade_count FROM ohlc_1h WHERE symbol = given.symbol AND ts >= newest.hour
        UNION ALL
        SELECT volume, trade_count FROM ohlc_1m
        WHERE symbol = given.symbol AND ts > newest.day_ago AND ts < newest.hour
    ) AS bars
) AS day ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS trades
    FROM ticks WHERE symbol = given.symbol AND ts > newest.ts - interval '60 seconds'
) AS minute ON true
LEFT JOIN LATERAL (
    SELECT price FROM ticks
    WHERE symbol = given.symbol AND ts <= newest.day_ago AND ts > newest.day_ago - interval '1 hour'
    ORDER BY ts DESC, trade_id DESC LIMIT 1
) AS reference ON true
""")

_OPEN_GAPS = sql.SQL("""
SELECT symbol, first_id, last_id, updated_at AS updated_us, missing
FROM gaps WHERE state IN ('found', 'unrepaired')
""")

_ACKNOWLEDGE = sql.SQL("""
INSERT INTO alert_handling AS old (alert_id, acked_at, acked_by)
SELECT alert_id, now(), %(by)s FROM alerts WHERE alert_id = %(alert_id)s
ON CONFLICT (alert_id) DO UPDATE SET acked_at = excluded.acked_at, acked_by = excluded.acked_by
WHERE old.acked_at IS NULL
""")

_SNOOZE = sql.SQL("""
INSERT INTO alert_handling (alert_id, snoozed_until)
SELECT alert_id, %(until)s FROM alerts WHERE alert_id = %(alert_id)s
ON CONFLICT (alert_id) DO UPDATE SET snoozed_until = excluded.snoozed_until
""")

_NEWEST = sql.SQL("""
SELECT newest.* FROM unnest(%(names)s::text[]) AS given (name)
CROSS JOIN LATERAL (SELECT {columns} FROM {table} WHERE {of} = given.name ORDER BY {key} LIMIT 1) AS newest
""")

# No datetime is ever built.
_MOMENTS = psycopg.adapters.types["timestamptz"]

log = structlog.get_logger()


class RowPage(NamedTuple):
    """Page of records, and the key of the next page, if there is one."""

    records: JsonRecords
    last: Key | None = None


class StoreReader:
    """Reads and writes the database while `run` runs; TransientError, fit to be shown, whenever it cannot."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._problem: str | None = AWAY
        self._watch = DatabaseWatch(settings, "pairstream-api-watch", self._look)
        self._settings = settings
        self._pool: database.Pool | None = None
        self._waiting: set[asyncio.Timeout] = set()
        self.exporting = asyncio.Semaphore(EXPORTS)
        """Limit for readers of many pages, so that they do not use every connection."""

    @property
    def problem(self) -> str | None:
        """Return why the store cannot be read, None if it can: a moment ago it has answered."""
        return AWAY if self._watch.is_silent else self._problem

    async def run(self) -> None:
        """Hold connections until cancelled; make new ones, however long it takes, when the database was away."""
        backoff, said = Backoff(cap_s=2), ""
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
                    said = ""
                    try:
                        await self._watch.run()
                    finally:
                        # To close the pool takes as long as it may still try to connect.
                        self._give_up()
            except TransientError as error:
                if str(error) != said:
                    log.warning("waiting for the database", error=(said := str(error)))
            await asyncio.sleep(backoff.next_s())

    async def page(self, table: TableSource, selection: RowSelection) -> RowPage:
        """Return the rows of `table` that are selected."""
        query, values = table.query(selection)
        records = await self.records(query, values)
        if selection.order == "newest":
            return RowPage(records[::-1])
        if len(records) <= selection.limit:
            return RowPage(records)
        return RowPage(records[:-1], table.keys_of(records[-2:])[0])

    async def keys(self, table: TableSource, selection: RowSelection, offset: int) -> list[Key]:
        """Return the keys of the row `offset` rows after the first that is selected and of the one after it."""
        query, values = table.key_query(selection, offset)
        return table.keys_of(await self.records(query, values))

    async def symbols(self) -> list[str]:
        """Return every symbol of which a trade is stored, in order."""
        async with self.reading() as connection:
            return await relations.owners(connection, relations.TICKS)

    async def days(self, symbols: Iterable[str]) -> list[Row]:
        """Return the last price, the last day and the price of a day ago of each of `symbols`."""
        return await self.select(_DAYS, {"symbols": list(symbols)})

    async def newest_ticks(self, symbols: Iterable[str]) -> list[Row]:
        """Return the last tick of each of `symbols` that has one."""
        return await self._newest(TICKS, symbols)

    async def newest_signals(self, pairs: Iterable[str]) -> list[Row]:
        """Return the last signal of each of `pairs` that has one."""
        return await self._newest(SIGNALS, pairs)

    async def newest_alerts(self, limit: int) -> list[Row]:
        """Return the last alerts, newest first."""
        return (await self.page(ALERTS, RowSelection(limit=limit, order="descending"))).records.rows()

    async def pairs(self) -> Configs:
        """Return the pairs by name, as the sink has stored them."""
        async with self.reading() as connection:
            return await pair_store.stored(connection)

    async def measured(self) -> list[str]:
        """Return every pair of which a signal is stored, in order."""
        async with self.reading() as connection:
            return await relations.owners(connection, relations.SIGNALS)

    async def open_gaps(self) -> list[Row]:
        """Return every gap whose trades are missing still."""
        return await self.select(_OPEN_GAPS, {})

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[database.Connection]:
        """Yield a connection in a transaction that may write: all of it holds, or, after an error, none."""
        async with self.reading() as connection, connection.transaction():
            await connection.execute("SET TRANSACTION READ WRITE")
            yield connection

    async def acknowledge(self, alert_id: str, by: str) -> Row | None:
        """Note who has seen an alert, the first one only, and return it; None if it is not stored."""
        return await self._handle(_ACKNOWLEDGE, alert_id, {"by": by})

    async def snooze(self, alert_id: str, until_us: int | None) -> Row | None:
        """Store until when (epoch, us) an alert is snoozed, and return it; None if the alert is not stored."""
        until = None if until_us is None else clock.to_datetime(until_us)
        return await self._handle(_SNOOZE, alert_id, {"until": until})

    async def _handle(self, statement: sql.SQL, alert_id: str, values: Mapping[str, Any]) -> Row | None:
        async with self.writing() as connection:
            await connection.execute(statement, {"alert_id": alert_id, **values})
            await alert_actions.notify(connection, alert_id)
        return await self.alert(alert_id)

    async def alert(self, alert_id: str) -> Row | None:
        """Return an alert with the actions on it, None if it is not stored."""
        found = await self.page(ALERTS, RowSelection(limit=1, equal={"alert_id": alert_id}))
        return next(iter(found.records.rows()), None)

    async def _newest(self, table: TableSource, names: Iterable[str]) -> list[Row]:
        query = _NEWEST.format(
            columns=table.columns, table=table.name, of=table.of, key=table.ordered("descending")
        )
        return await self.select(query, {"names": list(names)})

    async def select(self, query: sql.SQL | sql.Composed, values: Mapping[str, Any]) -> list[Row]:
        """Return the rows of a statement of the API's own; TransientError whenever it cannot be read."""
        return (await self.records(query, values)).rows()

    async def records(self, query: sql.SQL | sql.Composed, values: Mapping[str, Any]) -> JsonRecords:
        """Return the same column by column."""
        async with self.reading() as connection, connection.cursor(binary=True) as cursor:
            await cursor.execute(query, values)
            columns: dict[str, list[Any]] = {column.name: [] for column in cursor.description or ()}
            while some := await cursor.fetchmany(_SLICE_ROWS):
                for column, cells in zip(columns.values(), zip(*some, strict=True), strict=True):
                    column.extend(cells)
                await asyncio.sleep(0)
            for told in cursor.description or ():
                if told.type_code == _MOMENTS.oid:
                    columns[told.name] = list(map(since_epoch, columns[told.name]))
            return JsonRecords.timed(columns)

    async def _look(self, connection: database.Connection) -> None:
        problem = None
        try:
            await schema.require(connection)
        except FatalError as error:
            problem = str(error)
        if problem != self._problem:
            log.error("store cannot be read", problem=problem) if problem else log.info("reading the store")
        self._problem = problem

    def _give_up(self) -> None:
        """Fail all callers that wait for a connection."""
        self._pool, self._problem = None, AWAY
        for wait in self._waiting:
            wait.reschedule(0)

    async def _lent(self, stack: AsyncExitStack, pool: database.Pool) -> database.Connection:
        try:
            async with asyncio.timeout(None) as wait:
                self._waiting.add(wait)
                return await stack.enter_async_context(pool.connection())
        except TimeoutError as error:
            raise TransientError(AWAY) from error
        finally:
            self._waiting.discard(wait)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[database.Connection]:
        """Yield a connection that reads; TransientError whenever it cannot."""
        if self._pool is None:
            raise TransientError(AWAY)
        try:
            with translated():
                async with AsyncExitStack() as stack:
                    yield await self._lent(stack, self._pool)
        except PoolTimeout as error:
            raise TransientError(AWAY if self.problem else BUSY) from error


async def _configure(connection: database.Connection) -> None:
    await connection.set_autocommit(True)
    await connection.execute("SET default_transaction_read_only = on")
    # Pages are cached or on an SSD: without this the newest 1 s bars of an aggregate are sorted, not looked up.
    await connection.execute("SET random_page_cost = 1.1")
    await connection.execute(sql.SQL("SET statement_timeout = {}").format(sql.Literal(f"{TIMEOUT_S}s")))
    connection.adapters.register_loader(_MOMENTS.oid, Int8BinaryLoader)
    set_json_loads(stored_json.loads, connection)


@overload
def since_epoch(us: int) -> int: ...
@overload
def since_epoch(us: None) -> None: ...
def since_epoch(us: int | None) -> int | None:
    """Return a time as the database counts it, in microseconds since the epoch."""
    return None if us is None else us + database.EPOCH_US
