"""States, offsets and outbox in the database: one transaction has what was read, what came of it, and what is told."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple, TypeVar

import msgspec
import psycopg
from msgspec import Struct

from services.common.errors import AwayError, FatalError, TransientError, reason_of
from services.rules.engine import Name
from services.store import offsets, schema
from services.store.database import Connection
from services.store.offsets import PartitionBatch

S = TypeVar("S", bound=Struct)
_PREFIX = "alerting/"

_SAVE = """
INSERT INTO alerting_states SELECT * FROM unnest(%s::text[], %s::text[], %s::bytea[])
ON CONFLICT (kind, subject) DO UPDATE SET state = excluded.state
"""
_DELETE = """
DELETE FROM alerting_states USING unnest(%s::text[], %s::text[]) AS gone (kind, subject)
WHERE alerting_states.kind = gone.kind AND alerting_states.subject = gone.subject
"""
_TELL = """
INSERT INTO alerting_outbox (subject, message)
SELECT subject, message FROM unnest(%s::text[], %s::bytea[]) WITH ORDINALITY AS told (subject, message, place)
ORDER BY place RETURNING number
"""
_FIRING = """
SELECT subject, (extract(epoch FROM ts) * 1000000)::int8
FROM unnest(%(subjects)s::text[]) AS asked (subject)
CROSS JOIN LATERAL (
    SELECT ts, state FROM alerts
    WHERE alerts.subject = asked.subject AND rule = %(rule)s AND state <> 'retracted' AND NOT EXISTS (
        SELECT FROM alerts AS later WHERE later.retracts = alerts.alert_id
    )
    ORDER BY ts DESC, alert_id DESC LIMIT 1
) AS latest
WHERE state = 'firing'
"""
_DELIVERED = "DELETE FROM alerting_outbox WHERE number = ANY (%s)"
_encode = msgspec.msgpack.Encoder().encode


class Letter(NamedTuple):
    """An alert in the outbox: its number, its key on the topic, its bytes."""

    number: int
    subject: str
    message: bytes


class FencedError(TransientError):
    """Another process has written these partitions since we last looked; what we hold must not be written."""


class States:
    """What one connection reads and writes. Raises as the writer of the sink; then it is of no more use."""

    def __init__(self, connection: Connection, cluster_id: str) -> None:
        self._connection = connection
        self._cluster_id = f"{_PREFIX}{cluster_id}"
        self._stored: dict[PartitionBatch, int] = {}

    async def prepare(self) -> None:
        """Return if the schema is ours; FatalError otherwise.

        Commits do not wait for the disk. A server that fails may forget the last of them, offsets and all: then what
        it has forgotten is read again, and told under the same ids.
        """
        async with _errors():
            await schema.require(self._connection)
            await self._connection.execute("SET synchronous_commit = off")

    async def offsets(self) -> Mapping[PartitionBatch, int]:
        """Return where to go on, and write against it from now on."""
        async with _errors():
            self._stored = await offsets.stored(self._connection, self._cluster_id)
        return self._stored

    async def load(self, kinds: Iterable[str], state: type[S]) -> dict[Name, S]:
        """Return the stored states of all subjects of these kinds."""
        async with _errors():
            cursor = await self._connection.execute(
                "SELECT kind, subject, state FROM alerting_states WHERE kind = ANY (%s)", [list(kinds)]
            )
            rows = await cursor.fetchall()
        return {(kind, name): msgspec.msgpack.decode(raw, type=state) for kind, name, raw in rows}

    async def save(
        self,
        read: Mapping[PartitionBatch, int],
        states: Mapping[Name, Struct | None],
        told: Sequence[tuple[str, bytes]] = (),
        delivered: Sequence[Letter] = (),
    ) -> list[Letter]:
        """Store states, None for one that is gone, where reading goes on, and what is told: all or nothing.

        Letters that the broker has are taken out of the outbox.

        FencedError if somebody else has moved an offset meanwhile.
        """
        kept = [(kind, name, _encode(one)) for (kind, name), one in states.items() if one is not None]
        gone = [name for name, one in states.items() if one is None]
        letters: list[Letter] = []
        # Three round trips in place of six: whoever waits for the alert waits for each.
        async with _errors(), self._connection.pipeline(), self._connection.transaction():
            if lost := await offsets.advance(self._connection, self._cluster_id, self._stored, read):
                raise FencedError(
                    f"expected offset {self._stored.get(lost[0])} stored for {lost[0].topic}/{lost[0].partition}: "
                    "another alerting has written this partition"
                )
            if kept:
                await self._connection.execute(_SAVE, [list(column) for column in zip(*kept, strict=True)])
            if gone:
                await self._connection.execute(_DELETE, [list(column) for column in zip(*gone, strict=True)])
            if delivered:
                numbers = [letter.number for letter in delivered]
                await self._connection.execute(_DELIVERED, [numbers])
            if told:
                columns = [list(column) for column in zip(*told, strict=True)]
                found = await (await self._connection.execute(_TELL, columns)).fetchall()
                letters = [Letter(number, *one) for (number,), one in zip(found, told, strict=True)]
        self._stored = {**self._stored, **read}
        return letters

    async def firing(self, rule: str, subjects: Sequence[str]) -> list[tuple[str, int]]:
        """Return of which of these subjects the stored alerts of a rule fire at last, and since when (µs)."""
        if not subjects:
            return []
        async with _errors():
            cursor = await self._connection.execute(_FIRING, {"rule": rule, "subjects": list(subjects)})
            return [(subject, event_us) for subject, event_us in await cursor.fetchall()]

    async def outbox(self) -> list[Letter]:
        """Return what may not have been told yet, the oldest first."""
        async with _errors():
            cursor = await self._connection.execute(
                "SELECT number, subject, message FROM alerting_outbox ORDER BY number"
            )
            return [Letter(*row) for row in await cursor.fetchall()]


@asynccontextmanager
async def _errors() -> AsyncIterator[None]:
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError) as error:
        reason = f"the database did not take the states: {reason_of(error)}"
        raise (TransientError(reason) if error.sqlstate else AwayError("the database", reason)) from error
    except psycopg.Error as error:
        raise FatalError(f"the database contradicts the schema: {reason_of(error)}") from error
