"""Mirror of the topics ``rules`` and ``silences`` in their tables, compared as a whole because they are small."""

import asyncio

import structlog

from services.common.backoff import Backoff
from services.common.errors import TransientError
from services.common.kafka.alert_configs import Rules, Silences
from services.common.settings import DatabaseSettings
from services.store import alert_configs, database, relations
from services.store.alert_configs import Table

log = structlog.get_logger()


async def mirror(settings: DatabaseSettings, table: Table, configs: Rules | Silences) -> None:
    """Store the values at each change until cancelled, however long that takes."""
    backoff, version = Backoff(cap_s=2), -1
    while True:
        now = await configs.changed(version)
        try:
            async with database.connect(settings, f"pairstream-alerting-{table}") as connection:
                with relations.errors():
                    await alert_configs.mirror(connection, table, configs.by_name, configs.removed)
        except TransientError as error:
            log.warning(f"the {table} are not stored yet", error=str(error))
            await asyncio.sleep(backoff.next_s())
        else:
            version = now
            backoff.reset()
