"""Deliveries in the database: log and queue in one; whoever sends one holds it by a lease.

A sender that dies leaves its lease; when that is over another one sends again, under the same id.
"""

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from services.contracts.targets import AlertNotification, DeliveryKind, DeliveryState
from services.store.database import Connection

LEASE_S = 30
_ADD = """
INSERT INTO deliveries (delivery_id, target_id, kind, alert_ids, title, message, state, reason, ended_at)
SELECT delivery_id, target_id, kind, ARRAY(SELECT jsonb_array_elements_text(alert_ids::jsonb)), title, message, state,
    reason, CASE WHEN state = 'skipped' THEN now() END
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bytea[], %s::text[], %s::text[])
    AS told (delivery_id, target_id, kind, alert_ids, title, message, state, reason)
WHERE EXISTS (SELECT FROM targets WHERE id = target_id)
ON CONFLICT (delivery_id) DO NOTHING
"""
# How many may go now follows from where the rate limit stands: each moves it on by the time that one takes.
_TAKE = """
WITH pace AS (
    SELECT id, greatest(paced_until, now() - %(burst)s * %(each)s) AS paced FROM targets
    WHERE id = %(target)s AND disabled_at IS NULL AND coalesce(blocked_until <= now(), true)
    FOR UPDATE
), due AS (
    SELECT delivery_id, row_number() OVER (ORDER BY next_at, ts, delivery_id) AS place FROM (
        SELECT delivery_id, next_at, ts FROM deliveries
        WHERE target_id = (SELECT id FROM pace) AND state IN ('waiting', 'failed') AND next_at <= now()
            AND (leased_until IS NULL OR leased_until < now())
        ORDER BY next_at, ts, delivery_id LIMIT %(most)s FOR UPDATE SKIP LOCKED
    ) AS free
), going AS (
    SELECT delivery_id FROM due, pace WHERE paced + place * %(each)s <= now() + %(each)s * 0.001
), paid AS (
    UPDATE targets SET paced_until = paced + (SELECT count(*) FROM going) * %(each)s
    FROM pace WHERE targets.id = pace.id AND EXISTS (SELECT FROM going)
)
UPDATE deliveries SET leased_until = now() + %(lease)s * interval '1 second', tries = tries + 1, tried_at = now()
FROM going WHERE deliveries.delivery_id = going.delivery_id
RETURNING deliveries.delivery_id, kind, message, tries, (extract(epoch FROM ts) * 1000000)::int8
"""
# What was skipped while it was on its way, and has arrived, has arrived.
_END = """
UPDATE deliveries AS old SET state = tried.state, reason = tried.reason, status = tried.status,
    took_ms = tried.took_ms, leased_until = NULL,
    next_at = coalesce(now() + tried.next_s * interval '1 second', next_at),
    ended_at = CASE WHEN tried.state IN ('delivered', 'dead') THEN now() END
FROM unnest(%s::text[], %s::int4[], %s::text[], %s::text[], %s::int4[], %s::int4[], %s::float8[])
    AS tried (delivery_id, tries, state, reason, status, took_ms, next_s)
WHERE old.delivery_id = tried.delivery_id AND old.tries = tried.tries
    AND (old.state IN ('waiting', 'failed') OR tried.state = 'delivered')
RETURNING old.delivery_id
"""
_WELL = "UPDATE targets SET failing_since = NULL WHERE id = %s AND failing_since IS NOT NULL"
_FAILED = """
UPDATE targets SET failing_since = coalesce(failing_since, now()),
    blocked_until = greatest(blocked_until, now() + %(pause_s)s * interval '1 second')
WHERE id = %(target)s
"""
_FAILING_S = "SELECT extract(epoch FROM now() - failing_since)::float8 FROM targets WHERE id = %s"
_DISABLE = """
UPDATE targets SET disabled_at = now(), disabled_reason = %(reason)s WHERE id = %(target)s AND disabled_at IS NULL
"""
_SKIP = """
UPDATE deliveries SET state = 'skipped', reason = %(reason)s, ended_at = now(), leased_until = NULL
WHERE target_id = %(target)s AND state IN ('waiting', 'failed')
"""
_REPLAY = """
UPDATE deliveries SET state = 'waiting', reason = 'replayed', tries = 0, next_at = now(), leased_until = NULL,
    ended_at = NULL, status = NULL, took_ms = NULL
WHERE target_id = %(target)s AND ts >= %(start)s AND ts < %(end)s AND kind <> 'test' AND state = ANY (%(states)s)
"""
_NEXT = """
SELECT target_id, extract(epoch FROM greatest(
    min(greatest(next_at, leased_until)), min(blocked_until), min(paced_until)
) - now())::float8
FROM deliveries JOIN targets ON targets.id = target_id
WHERE state IN ('waiting', 'failed') AND disabled_at IS NULL GROUP BY target_id
"""
_TAKEN = """
SELECT kind = 'ended', alert_ids FROM deliveries WHERE target_id = %s AND kind <> 'test' ORDER BY ts DESC LIMIT %s
"""


class NewDelivery(NamedTuple):
    """A delivery to be made, or one that is skipped, with the reason."""

    delivery_id: str
    target_id: str
    alert_ids: tuple[str, ...]
    title: str
    message: AlertNotification
    reason: str | None = None


class TakenDelivery(NamedTuple):
    """A delivery that this process sends: what it tells, as JSON, and since when; `tries` counts this one."""

    delivery_id: str
    kind: DeliveryKind
    message: bytes
    tries: int
    made_us: int


class Outcome(NamedTuple):
    """What became of a try; `next_s` is how long until the next one."""

    state: DeliveryState
    reason: str | None
    status: int | None
    took_ms: int
    next_s: float | None = None


def delivery_id(target_id: str, kind: str, alert_ids: Collection[str], mark: str = "") -> str:
    """Return the id of a delivery, the same each time; `mark` tells apart those that repeat.

    >>> delivery_id("bot", "begun", ["a", "b"]) == delivery_id("bot", "begun", ["b", "a"])
    True
    """
    text = "\\n".join([target_id, kind, mark, *sorted(alert_ids)])
    return f"dlv_{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}"


async def add(connection: Connection, told: Sequence[NewDelivery]) -> None:
    """Add deliveries, but for those that are there and those to targets that are gone."""
    rows = [
        (
            one.delivery_id,
            one.target_id,
            one.message.kind,
            msgspec.json.encode(one.alert_ids).decode(),
            one.title,
            msgspec.json.encode(one.message),
            "waiting" if one.reason is None else "skipped",
            one.reason,
        )
        for one in told
    ]
    if rows:
        await connection.execute(_ADD, [list(column) for column in zip(*rows, strict=True)])


async def take(connection: Connection, target_id: str, per_minute: int, most: int) -> list[TakenDelivery]:
    """Take up to `most` deliveries of a target that are due, as far as its rate limit and its wishes let.

    Nobody else takes them for `LEASE_S`, and nobody takes of this target at the same moment. After a quiet time as many
    go at once as go in six seconds.
    """
    values = {
        "target": target_id,
        "each": timedelta(seconds=60 / per_minute),
        "burst": max(1, per_minute // 10),
        "most": most,
        "lease": LEASE_S,
    }
    rows = await (await connection.execute(_TAKE, values)).fetchall()
    return [TakenDelivery(*row) for row in rows]


async def finish(connection: Connection, tried: Sequence[tuple[TakenDelivery, Outcome]]) -> set[str]:
    """Note what became of tries, and return the ids, but for deliveries that somebody else has taken meanwhile."""
    rows = [(taken.delivery_id, taken.tries, *outcome) for taken, outcome in tried]
    if not rows:
        return set()
    found = await connection.execute(_END, [list(column) for column in zip(*rows, strict=True)])
    return {name for (name,) in await found.fetchall()}


async def note_success(connection: Connection, target_id: str) -> None:
    """Note that a target takes deliveries."""
    await connection.execute(_WELL, [target_id])


async def note_failure(connection: Connection, target_id: str, pause_s: float | None) -> float:
    """Note that a target has failed, let it alone for `pause_s`, and return for how long it has failed, s."""
    await connection.execute(_FAILED, {"target": target_id, "pause_s": pause_s})
    row = await (await connection.execute(_FAILING_S, [target_id])).fetchone()
    return 0.0 if row is None else float(row[0])


async def disable(connection: Connection, target_id: str, reason: str) -> bool:
    """Disable a target, skip what is still to be delivered to it, and tell whether it was not disabled before."""
    values = {"target": target_id, "reason": reason}
    is_news = (await connection.execute(_DISABLE, values)).rowcount > 0
    await connection.execute(_SKIP, values | {"reason": f"the target was disabled: {reason}"})
    return is_news


async def skip_waiting(connection: Connection, target_id: str, reason: str) -> None:
    """Skip what is still to be delivered to a target."""
    await connection.execute(_SKIP, {"target": target_id, "reason": reason})


async def replay(
    connection: Connection, target_id: str, start: datetime, end: datetime, states: Sequence[DeliveryState]
) -> int:
    """Have the deliveries of a time made again, under their ids, and return how many."""
    values = {"target": target_id, "start": start, "end": end, "states": list(states)}
    return (await connection.execute(_REPLAY, values)).rowcount


async def due_in_s(connection: Connection) -> dict[str, float]:
    """Return in how many seconds each target has something to be delivered; negative is overdue."""
    return {name: float(wait) for name, wait in await (await connection.execute(_NEXT)).fetchall()}


async def known_alerts(connection: Connection, target_id: str, most: int) -> dict[str, bool]:
    """Return the ids of alerts in the last deliveries, the oldest first, and whether each was an end."""
    rows = await (await connection.execute(_TAKEN, [target_id, most])).fetchall()
    return {name: is_end for is_end, names in reversed(rows) for name in names}
