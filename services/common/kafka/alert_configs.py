"""Rules and silences on their compacted topics."""

from services.common.kafka.compacted import Compacted
from services.contracts.messages import Rule, Silence
from services.contracts.topics import RULES, SILENCES


class Rules(Compacted[Rule]):
    """The rules by id, without those that are built in."""

    topic = RULES
    kind = Rule
    key = "id"


class Silences(Compacted[Silence]):
    """The silences by id, those that are over too."""

    topic = SILENCES
    kind = Silence
    key = "id"
