"""Symbols that users have added and removed, on the compacted topic ``symbols``."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from services.common.kafka import compacted
from services.common.kafka.compacted import CompactedTopic, Offsets
from services.common.kafka.dead_letters import DeadLetter
from services.common.kafka.losses import Outrun
from services.common.settings import KafkaSettings
from services.contracts.listings import SymbolConfig
from services.contracts.topics import SYMBOLS


async def publish(settings: KafkaSettings, changes: Mapping[str, SymbolConfig | None]) -> Offsets:
    """Put these decisions on the topic, None for one that is taken back, and return how far one must read to know them.

    AwayError unless the broker has acknowledged all of them; it may have them all the same.
    """
    return await compacted.publish(settings, SYMBOLS, changes)


class SymbolConfigs(CompactedTopic[SymbolConfig]):
    """The decisions by symbol; there may be none."""

    def __init__(
        self,
        dead_letter: Callable[[Sequence[DeadLetter]], Awaitable[None]] | None = None,
        outrun: Outrun = lambda *_: None,
        *,
        may_be_empty: bool = True,
    ) -> None:
        """Take all as the class below does."""
        super().__init__(SYMBOLS, SymbolConfig, dead_letter, outrun, may_be_empty=may_be_empty)
