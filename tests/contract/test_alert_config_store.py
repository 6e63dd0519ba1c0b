"""Rules and silences in the store: what is mirrored comes back, removed ones as such."""

import asyncio
from typing import Any

import msgspec

from services.common.settings import DatabaseSettings
from services.contracts.messages import Rule, Silence
from services.store import alert_configs, database

RULE = msgspec.convert(
    {
        "id": "wide",
        "conditions": [{"metric": "zscore", "operator": "outside", "fire": 2.5, "clear": 0.5}],
        "labels": {"desk": 'f"x'},
        "schedule": {"start": "08:00", "end": "18:00", "timezone": "Europe/Berlin"},
        "gates": [{"metric": "reversion", "operator": "above", "level": 1}],
    },
    Rule,
)
SILENCE = Silence(id="quiet", matchers={"subject": "ETH*"}, end_us=2**50)


def test_what_is_mirrored_comes_back(store: str) -> None:
    async def run() -> list[Any]:
        async with database.connect(DatabaseSettings(database_url=store), "test") as connection:
            await alert_configs.mirror(connection, "rules", {"old": RULE}, ())
            await alert_configs.mirror(connection, "rules", {"wide": RULE}, {"old"})
            await alert_configs.mirror(connection, "silences", {"quiet": SILENCE}, ())
            return [
                await alert_configs.stored(connection, "rules", Rule),
                await alert_configs.stored(connection, "silences", Silence),
            ]

    assert asyncio.run(run()) == [({"wide": RULE}, {"old"}), ({"quiet": SILENCE}, set())]
