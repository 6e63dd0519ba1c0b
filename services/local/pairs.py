"""Pairs restored from the store to an embedded broker, which starts empty."""

from services.common.kafka.pair_configs import configured, publish
from services.common.settings import DatabaseSettings
from services.contracts.pairs import Pair
from services.local.terminal import log_line
from services.store import database, pairs, symbols
from services.stream_analytics.settings import StreamSettings


async def restore(settings: StreamSettings, store: DatabaseSettings) -> None:
    """Publish the pairs of the store, before any service starts; nothing at the very first start.

    What the settings name explicitly is added unless somebody has removed it. The names of the removed are
    published as well, so that the topic is not taken for one that nobody has used.
    """
    async with database.connect(store, "pairstream-up") as connection:
        stored, removed = await pairs.stored(connection), await pairs.removed(connection)
        decided = await symbols.stored(connection)
    if not stored and not removed:
        return
    named = configured(settings) if "pairs" in settings.model_fields_set else {}
    added = {name: config for name, config in named.items() if name not in stored and name not in removed}
    for name in sorted(removed & named.keys()):
        log_line("pairstream", f"{name} was removed and stays so: PUT /v1/pairs/{name} brings it back")
    for name in stored:
        # What a selection holds only the feed knows.
        is_open = settings.named_symbols != settings.symbols
        is_known = {leg: leg in settings.symbols or is_open for leg in Pair.parse(name)}
        is_known |= {leg: decided[leg].collected for leg in is_known if leg in decided}
        if missing := [leg for leg in is_known if not is_known[leg]]:
            log_line("pairstream", f"{name} is watched, but {', '.join(missing)} is not ingested: no signals")
    await publish(settings, {**dict.fromkeys(removed), **stored, **added})
