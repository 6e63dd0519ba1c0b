"""Decisions on symbols restored from the store to an embedded broker, which starts empty."""

from services.common.kafka.symbol_configs import publish
from services.common.settings import DatabaseSettings
from services.local.terminal import log_line
from services.store import database, symbols
from services.stream_analytics.settings import StreamSettings


async def restore(settings: StreamSettings, store: DatabaseSettings) -> None:
    """Publish the decisions of the store, before any service starts."""
    async with database.connect(store, "pairstream-up") as connection:
        stored = await symbols.stored(connection)
    for name in settings.named_symbols:
        if name in stored and not stored[name].collected and "symbols" in settings.model_fields_set:
            log_line("pairstream", f"{name} was removed and stays so: PUT /v1/symbols/{name} brings it back")
    if stored:
        await publish(settings, stored)
