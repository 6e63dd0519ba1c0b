"""Radars in the database: the radars, their confirmations, and the events that are still to be sent.

A pair is confirmed from the first scan that confirms it until `MOST_MISSED` scans in a row do not, or until its line
has broken: p-values close to the level come and go by chance.
"""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from psycopg.rows import class_row

from services.common import clock
from services.contracts.radar_messages import RadarEvent, RadarEventKind
from services.contracts.scans import ScanRequest
from services.store.database import Connection
from services.store.jobs import TakenJob

MOST_MISSED = 3
MOST_RADARS = 20
_AT_ONCE = 500
_PUT = """
INSERT INTO radars (radar_id, request, every_s, paused) VALUES (%(radar_id)s, %(request)s, %(every_s)s, %(paused)s)
ON CONFLICT (radar_id) DO UPDATE SET request = excluded.request, every_s = excluded.every_s, paused = excluded.paused,
    next_at = now(), state = CASE WHEN radars.request = excluded.request THEN radars.state ELSE 'waiting' END,
    reason = CASE WHEN radars.request = excluded.request THEN radars.reason END
"""
# What another radar would have confirmed says nothing of this one.
_CHANGED = """
UPDATE radar_confirmations SET ended_at = now(), end_reason = 'the radar was changed'
WHERE radar_id = %(radar_id)s AND ended_at IS NULL
    AND (SELECT request <> %(request)s::jsonb FROM radars WHERE radar_id = %(radar_id)s)
"""
_DUE = """
UPDATE radars SET next_at = now() + every_s * interval '1 second'
WHERE NOT paused AND next_at <= now() RETURNING radar_id, request::text
"""
_UNFIT = """
UPDATE radars SET state = 'unfit', reason = %(reason)s WHERE radar_id = %(radar_id)s
"""
_LOCK = "SELECT scanned_at FROM radars WHERE radar_id = %(radar_id)s FOR UPDATE"
_GO_ON = """
UPDATE radar_confirmations AS open SET last_confirmed_at = %(at)s, missed = 0, scans = scans + 1, y = pair.y,
    x = pair.x, p_value = pair.p_value, hedge_ratio = pair.hedge_ratio, half_life_bars = pair.half_life_bars,
    spread_bp = pair.spread_bp
FROM scan_pairs AS pair
WHERE job_id = %(job_id)s AND stage = 'confirmed' AND radar_id = %(radar_id)s AND ended_at IS NULL
    AND leg_a = least(pair.y, pair.x) AND leg_b = greatest(pair.y, pair.x)
"""
_BEGIN = """
INSERT INTO radar_confirmations (radar_id, leg_a, leg_b, confirmed_at, y, x, last_confirmed_at, p_value, hedge_ratio,
    half_life_bars, spread_bp)
SELECT %(radar_id)s, least(y, x), greatest(y, x), %(at)s, y, x, %(at)s, p_value, hedge_ratio, half_life_bars, spread_bp
FROM scan_pairs WHERE job_id = %(job_id)s AND stage = 'confirmed' ON CONFLICT DO NOTHING
"""
_MISS = """
UPDATE radar_confirmations AS open SET missed = missed + 1, end_reason = coalesce(told.reason, 'it was not tested'),
    ended_at = CASE WHEN missed + 1 >= %(most)s OR told.break_ts IS NOT NULL THEN %(at)s::timestamptz END
FROM (
    SELECT leg_a, leg_b, pair.break_ts, coalesce(
        pair.reason, 'p = ' || to_char(pair.adjusted_p_value, 'FM0.000') || ' once the number of tries counts'
    ) AS reason
    FROM radar_confirmations LEFT JOIN scan_pairs AS pair ON job_id = %(job_id)s
        AND leg_a = least(pair.y, pair.x) AND leg_b = greatest(pair.y, pair.x)
    WHERE radar_id = %(radar_id)s AND ended_at IS NULL AND last_confirmed_at < %(at)s
) AS told
WHERE radar_id = %(radar_id)s AND ended_at IS NULL AND (open.leg_a, open.leg_b) = (told.leg_a, told.leg_b)
"""
_SCANNED = """
UPDATE radars SET state = 'watching', reason = NULL, job_id = %(job_id)s, scanned_at = %(at)s
WHERE radar_id = %(radar_id)s
"""
_REPLACE = """
DELETE FROM jobs WHERE request ->> 'radar' = %(radar_id)s AND job_id <> %(job_id)s AND ended_at IS NOT NULL
"""
_ENDING = """
SELECT radar_id, leg_a, leg_b, confirmed_at, y, x, last_confirmed_at, coalesce(ended_at, now()) AS ended_at,
    CASE WHEN ended_at IS NULL THEN 'the radar was deleted' ELSE end_reason END AS end_reason, p_value, hedge_ratio,
    half_life_bars, spread_bp, told
FROM radar_confirmations WHERE radar_id = %s AND told = 1 ORDER BY confirmed_at
"""
_UNTOLD = """
SELECT radar_id, leg_a, leg_b, confirmed_at, y, x, last_confirmed_at, ended_at, end_reason, p_value, hedge_ratio,
    half_life_bars, spread_bp, told
FROM radar_confirmations WHERE told < CASE WHEN ended_at IS NULL THEN 1 ELSE 2 END
ORDER BY coalesce(ended_at, confirmed_at) LIMIT %s
"""
_TOLD = """
UPDATE radar_confirmations SET told = %(told)s
WHERE (radar_id, leg_a, leg_b, confirmed_at) = (%(radar_id)s, %(leg_a)s, %(leg_b)s, %(confirmed_at)s)
"""


class DueRadar(NamedTuple):
    """A radar that is to be scanned now."""

    radar_id: str
    request: ScanRequest


class Confirmation(NamedTuple):
    """A row of which events have not been told: `told` 0 is none, 1 the begin."""

    radar_id: str
    leg_a: str
    leg_b: str
    confirmed_at: datetime
    y: str
    x: str
    last_confirmed_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    p_value: float
    hedge_ratio: float | None
    half_life_bars: float | None
    spread_bp: float | None
    told: int

    def events(self) -> list[RadarEvent]:
        """Return the events that are to be sent, in order."""
        events = [] if self.told else [self._event("confirmed", self.confirmed_at, None)]
        if self.ended_at is not None:
            events.append(self._event("ended", self.ended_at, self.end_reason))
        return events

    def _event(self, kind: RadarEventKind, at: datetime, reason: str | None) -> RadarEvent:
        pair, confirmed_us = f"{self.y}-{self.x}", clock.from_datetime(self.confirmed_at)
        return RadarEvent(
            event_id=f"{self.radar_id}:{self.leg_a}:{self.leg_b}:{confirmed_us}:{kind}",
            radar=self.radar_id,
            kind=kind,
            pair=pair,
            at_us=clock.from_datetime(at),
            confirmed_us=confirmed_us,
            p_value=self.p_value,
            hedge_ratio=self.hedge_ratio,
            half_life_bars=self.half_life_bars,
            spread_bp=self.spread_bp,
            reason=reason,
        )


async def put(
    connection: Connection, radar_id: str, request: ScanRequest, every_s: int, paused: bool
) -> bool:
    """Make or change a radar, which is scanned next at once; False if there are too many already.

    Where it scans something else by then, what it has confirmed has ended.
    """
    text = msgspec.json.encode(request, order="deterministic").decode()
    values = {"radar_id": radar_id, "request": text, "every_s": every_s, "paused": paused}
    known = [one for (one,) in await (await connection.execute("SELECT radar_id FROM radars")).fetchall()]
    if radar_id not in known and len(known) >= MOST_RADARS:
        return False
    await connection.execute(_CHANGED, values)
    await connection.execute(_PUT, values)
    return True


async def ending(connection: Connection, radar_id: str) -> list[RadarEvent]:
    """Return the events that tell the end of what a radar confirms, for who is about to delete it."""
    async with connection.cursor(row_factory=class_row(Confirmation)) as cursor:
        await cursor.execute(_ENDING, [radar_id])
        return [event for one in await cursor.fetchall() for event in one.events()]


async def delete(connection: Connection, radar_id: str) -> bool:
    """Delete a radar with all that it has found, and tell whether it was there."""
    await connection.execute("DELETE FROM jobs WHERE request ->> 'radar' = %s", [radar_id])
    return (await connection.execute("DELETE FROM radars WHERE radar_id = %s", [radar_id])).rowcount > 0


async def due(connection: Connection) -> list[DueRadar]:
    """Return the radars that are to be scanned now; each is due again after its time."""
    found = await (await connection.execute(_DUE)).fetchall()
    return [
        DueRadar(
            radar_id, msgspec.structs.replace(msgspec.json.decode(text, type=ScanRequest), radar=radar_id)
        )
        for radar_id, text in found
    ]


async def unfit(connection: Connection, radar_id: str, job: TakenJob, reason: str) -> None:
    """Note why a radar has nothing to scan; its job is forgotten, for the next one would fail the same way."""
    async with connection.transaction():
        await connection.execute(_UNFIT, {"radar_id": radar_id, "reason": reason})
        await connection.execute("DELETE FROM jobs WHERE job_id = %s", [job.job_id])


async def scanned(connection: Connection, radar_id: str, job_id: str, at_us: int) -> None:
    """Note what a scan, whose pairs are stored in this transaction, has confirmed of a history that ends at `at_us`.

    The scan before is deleted. Of the same history nothing is missed twice.
    """
    values: dict[str, Any] = {
        "radar_id": radar_id,
        "job_id": job_id,
        "at": clock.to_datetime(at_us),
        "most": MOST_MISSED,
    }
    found = await (await connection.execute(_LOCK, values)).fetchone()
    if found is None:
        return
    (before,) = found
    if before is None or before < values["at"]:
        for statement in (_GO_ON, _BEGIN, _MISS):
            await connection.execute(statement, values)
    for statement in (_SCANNED, _REPLACE):
        await connection.execute(statement, values)


async def untold(connection: Connection) -> list[Confirmation]:
    """Return the first confirmations of which not every event has been told."""
    async with connection.cursor(row_factory=class_row(Confirmation)) as cursor:
        await cursor.execute(_UNTOLD, [_AT_ONCE])
        return await cursor.fetchall()


async def note_told(connection: Connection, one: Confirmation) -> None:
    """Note that the events of `one` are on the topic."""
    told = 1 if one.ended_at is None else 2
    await connection.execute(_TOLD, {**one._asdict(), "told": told})
