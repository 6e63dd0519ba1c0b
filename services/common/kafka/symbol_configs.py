"""Symbols that users have added and removed, and what the venues list, on their compacted topics."""

from collections.abc import Mapping

from services.common.kafka import compacted
from services.common.kafka.compacted import CompactedTopic, Offsets
from services.common.settings import KafkaSettings
from services.contracts.listings import Listing, SymbolConfig
from services.contracts.topics import LISTINGS, SYMBOLS


async def publish(settings: KafkaSettings, changes: Mapping[str, SymbolConfig | None]) -> Offsets:
    """Put these decisions on the topic, None for one that is taken back, and return how far one must read to know them.

    AwayError unless the broker has acknowledged all of them; it may have them all the same.
    """
    return await compacted.publish(settings, SYMBOLS, changes)


class SymbolConfigs(CompactedTopic[SymbolConfig]):
    """The decisions by symbol; there may be none."""

    topic, kind = SYMBOLS, SymbolConfig


class Listings(CompactedTopic[Listing]):
    """What the venues list, by symbol; unknown until a venue has told."""

    topic, kind = LISTINGS, Listing
