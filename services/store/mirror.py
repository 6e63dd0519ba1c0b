"""Mirror of a compacted topic in a table, compared as a whole because both are small."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from services.common.backoff import Backoff
from services.common.errors import TransientError
from services.common.kafka.compacted import CompactedTopic, T
from services.common.settings import DatabaseSettings
from services.store import database, relations
from services.store.database import Connection

log = structlog.get_logger()


async def mirror(
    settings: DatabaseSettings,
    service: str,
    followed: CompactedTopic[T],
    write: Callable[[Connection, Mapping[str, T]], Awaitable[None]],
) -> None:
    """Store the topic's values by `write` after each change, until cancelled; failures are tried again.

    `service` is the one that does it, and in the name of its connection.
    """
    backoff, version = Backoff(cap_s=2), -1
    while True:
        now = await followed.changed(version)
        try:
            async with database.connect(settings, f"pairstream-{service}-{followed.name}") as connection:
                with relations.errors():
                    await write(connection, followed.by_name)
        except TransientError as error:
            log.warning(f"the topic {followed.name} is not stored yet, trying again", error=str(error))
            await asyncio.sleep(backoff.next_s())
        else:
            version = now
            backoff.reset()
