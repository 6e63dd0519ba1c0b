"""Routing in the database: one transaction has what was read, what is open, and what is to be delivered."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

import msgspec
import psycopg

from services.common.errors import AwayError, FatalError, TransientError, reason_of
from services.contracts.messages import Rule, Silence
from services.delivery import disabled_targets
from services.delivery.desk import Handling, IncidentKey
from services.delivery.disabled_targets import Send
from services.rules.routing import Incident
from services.store import alert_configs, deliveries, offsets, schema, targets
from services.store.database import Connection
from services.store.deliveries import NewDelivery
from services.store.offsets import PartitionBatch
from services.store.targets import StoredTarget

_PREFIX = "delivery/"
# One session of all processes has it; it goes with the session.
_LEAD = "SELECT pg_try_advisory_lock(hashtext('pairstream delivery'))"
_SAVE = """
INSERT INTO delivery_incidents SELECT target_id, key, incident
FROM unnest(%s::text[], %s::text[], %s::bytea[]) AS found (target_id, key, incident)
WHERE EXISTS (SELECT FROM targets WHERE id = target_id)
ON CONFLICT (target_id, key) DO UPDATE SET incident = excluded.incident
"""
_DELETE = """
DELETE FROM delivery_incidents AS known USING unnest(%s::text[], %s::text[]) AS gone (target_id, key)
WHERE known.target_id = gone.target_id AND known.key = gone.key
"""
_HANDLED = """
SELECT alert_id, acked_at IS NOT NULL, coalesce((extract(epoch FROM snoozed_until) * 1000000)::int8, 0)
FROM alert_handling WHERE alert_id = ANY (%s)
"""
_encode = msgspec.msgpack.Encoder().encode


class FencedError(TransientError):
    """Another process has read these partitions since we last looked; what we hold must not be written."""


class RoutingStore:
    """What one connection reads and writes. TransientError whenever it cannot; then it is of no more use."""

    def __init__(self, connection: Connection, cluster_id: str) -> None:
        self._connection = connection
        self._cluster_id = f"{_PREFIX}{cluster_id}"
        self._stored: dict[PartitionBatch, int] = {}

    async def prepare(self) -> None:
        """Return if the schema is ours; FatalError otherwise."""
        async with errors():
            await schema.require(self._connection)

    async def lead(self) -> bool:
        """Tell whether this process is the one of all that routes, from now on while its connection lasts."""
        async with errors():
            ((is_leader,),) = await (await self._connection.execute(_LEAD)).fetchall()
        return bool(is_leader)

    async def offsets(self) -> Mapping[PartitionBatch, int]:
        """Return where to go on, and write against it from now on."""
        async with errors():
            self._stored = await offsets.stored(self._connection, self._cluster_id)
        return self._stored

    async def targets(self) -> dict[str, StoredTarget]:
        """Return every target by its id."""
        async with errors():
            return {one.target.id: one for one in await targets.stored(self._connection)}

    async def incidents(self, target_id: str) -> dict[str, Incident]:
        """Return what is open of a target, by its key."""
        async with errors():
            cursor = await self._connection.execute(
                "SELECT key, incident FROM delivery_incidents WHERE target_id = %s", [target_id]
            )
            rows = await cursor.fetchall()
        return {key: msgspec.msgpack.decode(raw, type=Incident) for key, raw in rows}

    async def known_alerts(self, target_id: str, most: int) -> dict[str, bool]:
        """Return the ids of alerts that a target was told of last, and whether each was an end."""
        async with errors():
            return await deliveries.known_alerts(self._connection, target_id, most)

    async def rules(self) -> dict[str, Rule]:
        """Return the rules as alerting has stored them."""
        async with errors():
            return (await alert_configs.stored(self._connection, "rules", Rule))[0]

    async def silences(self) -> list[Silence]:
        """Return the silences as alerting has stored them."""
        async with errors():
            return [*(await alert_configs.stored(self._connection, "silences", Silence))[0].values()]

    async def handled(self, alert_ids: Collection[str]) -> list[Handling]:
        """Return what people did about these alerts."""
        async with errors():
            cursor = await self._connection.execute(_HANDLED, [list(alert_ids)])
            return [Handling(*row) for row in await cursor.fetchall()]

    async def tell_disabled(self, send: Send) -> None:
        """Tell of targets that were disabled or are so no more."""
        async with errors():
            await disabled_targets.tell(self._connection, send)

    async def save(
        self,
        read: Mapping[PartitionBatch, int],
        incidents: Mapping[IncidentKey, Incident | None] | None = None,
        told: Sequence[NewDelivery] = (),
    ) -> None:
        """Store where reading goes on, incidents, None for one that is over, and deliveries: all or nothing.

        FencedError if somebody else has moved an offset meanwhile.
        """
        changed = incidents or {}
        kept = [(*key, _encode(one)) for key, one in changed.items() if one is not None]
        gone = [key for key, one in changed.items() if one is None]
        async with errors(), self._connection.pipeline(), self._connection.transaction():
            if lost := await offsets.advance(self._connection, self._cluster_id, self._stored, read):
                raise FencedError(
                    f"expected offset {self._stored.get(lost[0])} stored for {lost[0].topic}/{lost[0].partition}: "
                    "another delivery has read this partition"
                )
            if kept:
                await self._connection.execute(_SAVE, [list(column) for column in zip(*kept, strict=True)])
            if gone:
                await self._connection.execute(_DELETE, [list(column) for column in zip(*gone, strict=True)])
            await deliveries.add(self._connection, told)
        self._stored = {**self._stored, **read}


@asynccontextmanager
async def errors() -> AsyncIterator[None]:
    """Turn what the driver raises into our own errors."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError) as error:
        reason = f"the database did not take what is to be delivered: {reason_of(error)}"
        raise (TransientError(reason) if error.sqlstate else AwayError("the database", reason)) from error
    except psycopg.Error as error:
        raise FatalError(f"the database contradicts the schema: {reason_of(error)}") from error
