"""Rules and silences on their compacted topics."""

from services.common.kafka.compacted import CompactedTopic
from services.contracts.messages import Rule, Silence
from services.contracts.topics import RULES, SILENCES


class Rules(CompactedTopic[Rule]):
    """The rules by id, without those that are built in."""

    topic, kind = RULES, Rule


class Silences(CompactedTopic[Silence]):
    """The silences by id, those that are over too."""

    topic, kind = SILENCES, Silence
