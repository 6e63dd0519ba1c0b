"""Targets and deliveries, as they are stored; of targets nothing that is secret."""

import msgspec
from msgspec.json import Decoder
from psycopg import sql

from services.api.queries.reader import StoreReader
from services.api.queries.tables import TableSource
from services.api.serialization.rows import Row, row
from services.contracts.fields import Microseconds
from services.contracts.targets import masked_url
from services.rules.routing import Incident
from services.store import targets

_TARGETS = sql.SQL("""
SELECT target, url, secret, former_until > now() AS rotating, disabled_at IS NOT NULL AS disabled,
    disabled_reason AS reason, made_at AS made_us, changed_at AS changed_us, failing_since AS failing_us,
    CASE WHEN blocked_until > now() THEN blocked_until END AS blocked_until_us,
    (SELECT max(ended_at) FROM deliveries WHERE target_id = targets.id AND state = 'delivered') AS delivered_us,
    (SELECT count(*) FROM deliveries WHERE target_id = targets.id AND state IN ('waiting', 'failed')) AS waiting
FROM targets WHERE %(id)s::text IS NULL OR id = %(id)s ORDER BY id
""")
_TIMES = ("made", "changed", "failing", "blocked_until", "delivered")
_NEXT = sql.SQL("CASE WHEN state IN ('waiting', 'failed') THEN next_at END AS next_us")
_COLUMNS = sql.SQL("""
delivery_id, target_id AS target, kind, alert_ids, title, ts AS made_us, state, reason, status, tries, {},
tried_at AS tried_us, ended_at AS ended_us, took_ms
""").format(_NEXT)
DELIVERIES = TableSource(
    sql.Identifier("deliveries"),
    _COLUMNS,
    sql.Identifier("target_id"),
    {"ts": "made_us", "delivery_id": "delivery_id"},
    Decoder(tuple[Microseconds, str]),
    arrays=frozenset({"alert_ids"}),
)
_ONE = sql.SQL("SELECT {} FROM deliveries WHERE delivery_id = %(delivery_id)s").format(_COLUMNS)
# Of each target the last delivery that tells of the alert; in the log, not of tests.
_OF_ALERT = sql.SQL("""
SELECT DISTINCT ON (target_id) target_id AS target, state, reason, delivery_id, kind, status, tries, {},
    ended_at AS ended_us
FROM deliveries WHERE alert_ids @> ARRAY[%(alert_id)s::text] AND kind <> 'test'
ORDER BY target_id, ts DESC, delivery_id
""").format(_NEXT)
_INCIDENTS = sql.SQL("SELECT target_id, incident FROM delivery_incidents WHERE key = %(key)s")


async def find_targets(store: StoreReader, target_id: str | None = None) -> list[Row]:
    """Return every target, or the one of this id."""
    return [_target(one) for one in await store.select(_TARGETS, {"id": target_id})]


async def find_delivery(store: StoreReader, delivery_id: str) -> Row | None:
    """Return one delivery, None if it is gone."""
    return next(iter(await store.select(_ONE, {"delivery_id": delivery_id})), None)


async def deliveries_of(store: StoreReader, alert_id: str) -> dict[str, Row]:
    """Return the last delivery of an alert by target."""
    return {str(one["target"]): one for one in await store.select(_OF_ALERT, {"alert_id": alert_id})}


async def open_incidents(store: StoreReader, key: str) -> dict[str, Incident]:
    """Return the incident of this key by target, of those for which it is open."""
    return {
        str(one["target_id"]): msgspec.msgpack.decode(one["incident"], type=Incident)
        for one in await store.select(_INCIDENTS, {"key": key})
    }


def _target(found: Row) -> Row:
    known = targets.of_columns(msgspec.json.encode(found["target"]), found["url"], found["secret"])
    fields = msgspec.structs.asdict(known)
    del fields["secret"]
    state = "ready"
    if found["disabled"]:
        state = "disabled"
    elif known.paused:
        state = "paused"
    elif found["failing_us"] is not None:
        state = "failing"
    told = {
        **fields,
        "url": masked_url(known.url, known.kind),
        "rotating": bool(found["rotating"]),
        "state": state,
        "reason": found["reason"],
    }
    times = {f"{name}_us": found[f"{name}_us"] for name in _TIMES}
    return row([*told.items(), *times.items(), ("waiting", found["waiting"])])
