"""Rules and silences on their compacted topics."""

from collections.abc import Awaitable, Callable, Sequence

from services.common.kafka.compacted import CompactedTopic
from services.common.kafka.dead_letters import DeadLetter
from services.common.kafka.losses import Outrun
from services.contracts.messages import Rule, Silence
from services.contracts.topics import RULES, SILENCES

PutAside = Callable[[Sequence[DeadLetter]], Awaitable[None]]


class Rules(CompactedTopic[Rule]):
    """The rules by id, without those that are built in."""

    def __init__(self, dead_letter: PutAside | None = None, outrun: Outrun = lambda *_: None) -> None:
        """Take both as the class below does."""
        super().__init__(RULES, Rule, dead_letter, outrun, may_be_empty=True)


class Silences(CompactedTopic[Silence]):
    """The silences by id, those that are over too."""

    def __init__(self, dead_letter: PutAside | None = None, outrun: Outrun = lambda *_: None) -> None:
        """Take both as the class below does."""
        super().__init__(SILENCES, Silence, dead_letter, outrun, may_be_empty=True)
