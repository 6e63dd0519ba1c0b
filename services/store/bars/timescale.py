"""Bars on TimescaleDB: refreshes that continuous aggregates need for late ticks.

An aggregate has a watermark: below it reads find what was aggregated, above it the level below is aggregated
while it is read. So ticks above every watermark show at once and cost nothing here, and ticks below one show
once their buckets are refreshed, level by level.
"""

import asyncio
import sys
import time
from collections.abc import Iterable
from datetime import timedelta
from itertools import accumulate, pairwise
from typing import NamedTuple

import psycopg
from psycopg import errors, sql
from psycopg.types.json import Jsonb

from services.common import clock
from services.common.backoff import Backoff
from services.common.clock import SECOND
from services.common.errors import FatalError, TransientError
from services.contracts.intervals import WIDTHS_US
from services.store.database import Connection


class BarLevel(NamedTuple):
    """A relation of bars, the width of its buckets in µs, and how much of the newest is left unaggregated."""

    name: str
    width_us: int
    tail_us: int


LEVELS = tuple(
    BarLevel(f"ohlc_{interval}", width_us, number * 10 * SECOND)
    for number, (interval, width_us) in enumerate(WIDTHS_US.items(), 1)
)
"""Finest first; each is made of the one before, the first of ticks."""

# A refresh costs milliseconds however little there is to do. What lies between two late ticks of one transaction
# counts as changed, too, and costs more the wider it is.
_NEAR = 5
_PIECES = 500
_LONG_TAIL = 60
_PATIENCE_S = 1.0
_LONG_PATIENCE_S = 60.0

# What others do to an aggregate at the same time. The extension's own checks of a row that another session has
# changed meanwhile are internal errors.
_HELD = (
    errors.LockNotAvailable,
    errors.DeadlockDetected,
    errors.SerializationFailure,
    psycopg.InternalError,
)

AGGREGATED = "SELECT relkind = 'v' FROM pg_class WHERE oid = to_regclass('ohlc_1s')"

# The hypertables that hold the ticks and then each level. The extension's public view of its aggregates takes
# 5 ms, and this is read after every batch.
_STORED = """
SELECT relation.name, hypertable.schema_name::text, hypertable.table_name::text,
       CASE WHEN number > 1 THEN _timescaledb_functions.cagg_watermark(hypertable.id) ELSE 0 END
FROM unnest(%s::text[]) WITH ORDINALITY AS relation (name, number)
LEFT JOIN _timescaledb_catalog.continuous_agg
  ON user_view_schema = current_schema() AND user_view_name = relation.name
JOIN _timescaledb_catalog.hypertable
  ON hypertable.id = mat_hypertable_id
  OR mat_hypertable_id IS NULL AND schema_name = current_schema() AND table_name = relation.name
"""
# The watermark of a level that has aggregated nothing: the first day there is.
_NEVER_US = -210_866_803_200_000_000

_FIRST = sql.SQL("SELECT ts FROM {} ORDER BY ts LIMIT 1")
_OLDER = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE ts < %s)")

# Bars outlive what they were made of and can then never be made again: only chunks that exist are refreshed,
# and of them only what no retention policy may drop.
_CHUNKS = """
SELECT greatest(range_start, now() - (
           SELECT (config->>'drop_after')::interval FROM timescaledb_information.jobs
           WHERE proc_name = 'policy_retention' AND (config->>'hypertable_id')::integer = hypertable.id
       )), least(range_end, now() - %(tail)s)
FROM timescaledb_information.chunks
JOIN _timescaledb_catalog.hypertable ON schema_name = hypertable_schema AND table_name = hypertable_name
WHERE hypertable_schema = %(schema)s AND hypertable_name = %(name)s AND range_start < now()
ORDER BY range_start
"""

# In batches of an hour of seconds, and of days of the others; the extension's own ten buckets take two minutes
# for a day. The oldest first: what lies below the watermark is never missing.
BATCHES = {"buckets_per_batch": 3600, "refresh_newest_first": False}
_REFRESH = (
    "CALL refresh_continuous_aggregate(%s::regclass, %s::timestamptz, %s::timestamptz, options => %s::jsonb)"
)


class TimeSpan(NamedTuple):
    """Event times from `start_us` to before `end_us`, microseconds since the epoch."""

    start_us: int
    end_us: int


class _Stored(NamedTuple):
    """The hypertable of ticks or of a level, and the time before which the level is read from it."""

    schema: str
    name: str
    watermark_us: int


def pieces(spans: Iterable[TimeSpan], width_us: int, below_us: int) -> list[TimeSpan]:
    """Return whole buckets that cover what of `spans` lies before `below_us`: disjoint, in order, and few.

    Spans less than five buckets apart become one, and beyond 500 those do that are nearest to each other.

    >>> pieces([TimeSpan(65, 66), TimeSpan(5, 12), TimeSpan(300, 301), TimeSpan(500, 501)], 10, below_us=400)
    [TimeSpan(start_us=0, end_us=70), TimeSpan(start_us=300, end_us=310)]
    """
    whole = sorted(
        TimeSpan(one.start_us // width_us * width_us, -(-min(one.end_us, below_us) // width_us) * width_us)
        for one in spans
        if one.start_us < below_us
    )
    ends = list(accumulate((one.end_us for one in whole), max))
    gaps = [one.start_us - end for one, end in zip(whole[1:], ends, strict=False)]
    wide = [number for number, gap in enumerate(gaps) if gap >= _NEAR * width_us]
    cuts = sorted(sorted(wide, key=gaps.__getitem__)[-(_PIECES - 1) :])
    starts = [0, *(number + 1 for number in cuts)]
    return [
        TimeSpan(whole[first].start_us, ends[last])
        for first, last in zip(starts, [*cuts, len(gaps)], strict=True)
        if whole
    ]


async def aggregated(connection: Connection) -> bool:
    """Return whether bars are continuous aggregates (TimescaleDB), not tables that the sink keeps."""
    row = await (await connection.execute(AGGREGATED)).fetchone()
    return row is not None and bool(row[0])


async def refresh(connection: Connection, touched: Iterable[TimeSpan]) -> list[TimeSpan]:
    """Make the bars of all four levels show the ticks stored within `touched`; nothing on plain tables.

    To be called after the commit, on an autocommit connection outside any transaction. Spans may overlap and
    come in any order; one tick is ``Span(event_us, event_us + 1)``. Returns the spans that others, a policy or
    another sink, held for longer than a second: pass them again with the next ones. TransientError if the
    database went away: whoever starts again calls `catch_up`.
    """
    spans = list(touched)
    if not spans or not await aggregated(connection):
        return []
    stored = await _stored(connection)
    newest_us = min(max(one.end_us for one in spans), clock.now_us())
    deadline = time.monotonic() + _PATIENCE_S
    held = []
    for number, (level, (source, own)) in enumerate(zip(LEVELS, pairwise(stored), strict=True)):
        # A level may have aggregated what the one below it has not: then the lower one comes first.
        below_us = max(one.watermark_us for one in stored[number + 1 :])
        todo = pieces(spans, level.width_us, below_us)
        # Where no policy comes by, as in a replay of old days, the tail must not grow without end.
        since_us = await _tail(connection, source, own)
        until_us = (newest_us - level.tail_us) // level.width_us * level.width_us
        if until_us - since_us >= _LONG_TAIL * level.width_us:
            todo.append(TimeSpan(since_us // level.width_us * level.width_us, until_us))
        held += [one for one in todo if not await _refresh(connection, level, one, deadline)]
    return held


async def catch_up(connection: Connection) -> None:
    """Make bars show every stored tick, also those whose writer died between its commit and `refresh`.

    For a sink that starts and for the end of an upgrade; nothing on plain tables, and milliseconds for each
    chunk where all is aggregated. TransientError if others held an aggregate for longer than a minute.
    """
    if not await aggregated(connection):
        return
    for level, (source, own) in zip(LEVELS, pairwise(await _stored(connection)), strict=True):
        for chunk in await _chunks(connection, source, own, level):
            if not await _refresh(connection, level, chunk, time.monotonic() + _LONG_PATIENCE_S):
                raise TransientError(f"expected to refresh {level.name}, but others were holding it too long")


async def _stored(connection: Connection) -> list[_Stored]:
    """Return the hypertables of ticks and of each level; FatalError if one is not there."""
    names = ["ticks", *(level.name for level in LEVELS)]
    found = {name: row for name, *row in await (await connection.execute(_STORED, [names])).fetchall()}
    if missing := [name for name in names if name not in found]:
        raise FatalError(f"expected a hypertable or continuous aggregate {missing[0]}, received none")
    return [_Stored(*found[name]) for name in names]


async def _tail(connection: Connection, source: _Stored, own: _Stored) -> int:
    """Return from when on a level is aggregated while it is read; never, if it has nothing to aggregate."""
    if own.watermark_us > _NEVER_US:
        return own.watermark_us
    first_us = await _first(connection, source)
    return sys.maxsize if first_us is None else first_us


async def _first(connection: Connection, source: _Stored) -> int | None:
    query = _FIRST.format(sql.Identifier(source.schema, source.name))
    row = await (await connection.execute(query)).fetchone()
    return None if row is None else clock.from_datetime(row[0])


async def _chunks(connection: Connection, source: _Stored, own: _Stored, level: BarLevel) -> list[TimeSpan]:
    """Return the whole buckets of each chunk of `source` that may be aggregated, the earliest first."""
    first_us, width_us = await _first(connection, source), level.width_us
    if first_us is None:
        return []
    first_us = first_us // width_us * width_us
    query = _OLDER.format(sql.Identifier(own.schema, own.name))
    row = await (await connection.execute(query, [clock.to_datetime(first_us)])).fetchone()
    if row is not None and row[0]:
        # The source begins later than the bars, and perhaps in the middle of one.
        first_us += width_us
    tail = timedelta(microseconds=level.tail_us)
    values = {"schema": source.schema, "name": source.name, "tail": tail}
    chunks = await (await connection.execute(_CHUNKS, values)).fetchall()
    spans = (
        TimeSpan(
            max(first_us, -(-clock.from_datetime(start) // width_us) * width_us),
            clock.from_datetime(end) // width_us * width_us,
        )
        for start, end in chunks
    )
    return [one for one in spans if one.start_us < one.end_us]


async def _refresh(connection: Connection, level: BarLevel, span: TimeSpan, deadline: float) -> bool:
    """Aggregate what has changed in `span`; return False if others held the aggregate until `deadline`."""
    bounds = map(clock.to_datetime, span)
    values = [level.name, *bounds, Jsonb(BATCHES)]
    backoff = Backoff(first_s=0.02, cap_s=0.5)
    while True:
        try:
            await connection.execute(_REFRESH, values)
        except _HELD:
            if time.monotonic() > deadline:
                return False
        except psycopg.OperationalError as error:
            raise TransientError(f"the database did not refresh {level.name}: {error}") from error
        else:
            return True
        await asyncio.sleep(backoff.next_s())
