"""Bundle: one Faust event for all that a fetch brought of a partition; an event costs ten times a message."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from services.contracts.topics import LEG_TRADES, TICKS, TIME_MARKS

BUNDLED = frozenset(topic.name for topic in (TICKS, TIME_MARKS, LEG_TRADES))


class Fetched(NamedTuple):
    """Records of one partition, at least one, and whether the broker had deleted some before them unread."""

    records: Sequence[Any]
    is_after_loss: bool


@dataclass(frozen=True, slots=True)
class Bundle:
    """Bundle that Faust takes for one record of Kafka: the `value` is the records themselves.

    Its offset is that of the last, so that an acknowledgement is one of all; its time is that of the first.
    """

    topic: str
    partition: int
    value: Fetched
    offset: int
    timestamp: int
    timestamp_type: int = 0
    key: None = None
    checksum: None = None
    serialized_key_size: int = 0
    serialized_value_size: int = 0
    headers: Sequence[tuple[str, bytes]] = field(default=())


def bundle(records: Sequence[Any], is_after_loss: bool = False) -> Bundle:
    """Return the records of one partition, ascending, as one."""
    first, last = records[0], records[-1]
    return Bundle(first.topic, first.partition, Fetched(records, is_after_loss), last.offset, first.timestamp)
