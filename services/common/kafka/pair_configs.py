"""Pair configurations on the compacted topic ``pairs``."""

from collections.abc import Mapping

from services.common.kafka import compacted
from services.common.kafka.compacted import CompactedTopic, Offsets
from services.common.settings import KafkaSettings, PairSettings
from services.contracts.messages import PairConfig
from services.contracts.topics import PAIRS

Configs = Mapping[str, PairConfig]


def configured(settings: PairSettings, *names: str) -> dict[str, PairConfig]:
    """Return the pairs of the settings, as they are published at the first start, or those called `names`."""
    return {
        name: PairConfig(
            pair=name,
            window=settings.window,
            min_samples=min(settings.window, settings.min_samples),
            entry_z=settings.entry_z,
            exit_z=settings.exit_z,
            stale_after_s=settings.stale_after_s,
        )
        for name in names or map(str, settings.pairs)
    }


async def publish(settings: KafkaSettings, changes: Mapping[str, PairConfig | None]) -> Offsets:
    """Put these pairs on the topic, None for one that is removed, and return how far one must read to know them.

    AwayError unless the broker has acknowledged all of them; it may have them all the same.
    """
    return await compacted.publish(settings, PAIRS, changes)


class PairConfigs(CompactedTopic[PairConfig]):
    """The pairs by name."""

    topic, kind = PAIRS, PairConfig
    may_be_empty = False
