"""Mirror of the topic ``pairs`` in the table `pairs`, compared as a whole because it is small."""

import asyncio

import structlog

from services.common.backoff import Backoff
from services.common.errors import TransientError
from services.common.kafka.pair_configs import PairConfigs
from services.common.settings import DatabaseSettings
from services.store import database, relations
from services.store import pairs as pair_store

log = structlog.get_logger()


async def mirror(settings: DatabaseSettings, pairs: PairConfigs) -> None:
    """Store the pairs at each change until cancelled, however long that takes."""
    backoff, version = Backoff(cap_s=2), -1
    while True:
        now = await pairs.changed(version)
        try:
            async with database.connect(settings, "pairstream-sink-pairs") as connection:
                with relations.errors():
                    await pair_store.mirror(connection, pairs.by_name)
        except TransientError as error:
            log.warning("the pairs are not stored yet", error=str(error))
            await asyncio.sleep(backoff.next_s())
        else:
            version = now
            backoff.reset()
