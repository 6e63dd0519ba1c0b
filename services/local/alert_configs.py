"""Rules and silences restored from the store to an embedded broker, which starts empty."""

from services.alerting.settings import AlertingSettings
from services.common.kafka.compacted import publish
from services.contracts.messages import Rule, Silence
from services.contracts.topics import RULES, SILENCES
from services.store import alert_configs, database


async def restore(settings: AlertingSettings) -> None:
    """Publish the rules and silences of the store, before any service starts."""
    async with database.connect(settings, "pairstream-up") as connection:
        rules, removed_rules = await alert_configs.stored(connection, "rules", Rule)
        silences, removed_silences = await alert_configs.stored(connection, "silences", Silence)
    if rules or removed_rules:
        await publish(settings, RULES, {**dict.fromkeys(removed_rules), **rules})
    if silences or removed_silences:
        await publish(settings, SILENCES, {**dict.fromkeys(removed_silences), **silences})
