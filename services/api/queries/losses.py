"""Losses of the services as stored by the sink, and their acknowledgement."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import NoReturn

from psycopg import sql

from services.api.queries.reader import StoreReader
from services.common.cancellation import pause
from services.common.errors import TransientError

EVERY_S = 1.0

_READ = sql.SQL("""
SELECT reader, topic, sum(messages)::int8 AS messages, max(number) AS number
FROM losses WHERE acknowledged_at IS NULL GROUP BY reader, topic ORDER BY reader, topic
""")

_ACKNOWLEDGE = sql.SQL("""
WITH acknowledged AS (
    UPDATE losses SET acknowledged_at = now(), acknowledged_by = %(by)s
    WHERE acknowledged_at IS NULL AND number <= %(number)s
      AND (%(service)s::text IS NULL OR reader = %(service)s::text)
    RETURNING reader, topic, messages
)
SELECT reader, topic, sum(messages)::int8 FROM acknowledged GROUP BY reader, topic ORDER BY reader, topic
""")

Lost = Mapping[str, Mapping[str, int]]
"""Messages by service and topic."""


class StoredLosses:
    """Losses without an acknowledgement; the last known ones while the database is away."""

    def __init__(self, store: StoreReader) -> None:
        self._store = store
        self._number = 0
        self.unacknowledged: Lost = {}

    async def follow(self) -> NoReturn:
        """Read it every second until cancelled: other processes store and acknowledge losses."""
        while True:
            with suppress(TransientError):  # the store says itself that it is away
                await self._read()
            await pause(EVERY_S)

    async def acknowledge(self, service: str | None, by: str) -> Lost:
        """Store who acknowledges the losses, of one service or of all, and return how many messages these
        are.

        What came in the meantime nobody has seen: it stays. TransientError if the database is away.
        """
        values = {"by": by, "number": self._number, "service": service}
        async with self._store.writing() as connection:
            rows = await (await connection.execute(_ACKNOWLEDGE, values)).fetchall()
        await self._read()
        return _by_reader((reader, topic, messages) for reader, topic, messages in rows)

    async def _read(self) -> None:
        rows = await self._store.select(_READ, {})
        self._number = max((row["number"] or 0 for row in rows), default=self._number)
        self.unacknowledged = _by_reader((row["reader"], row["topic"], row["messages"]) for row in rows)


def _by_reader(rows: Iterable[tuple[str, str, int]]) -> Lost:
    lost: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for reader, topic, messages in rows:
        lost[reader][topic] = messages
    return dict(lost)
