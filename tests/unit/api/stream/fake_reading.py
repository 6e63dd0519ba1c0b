"""Fake consumer and producer of the topic reader, and messages on the topics."""

import asyncio
from collections.abc import Iterable
from typing import Any, NamedTuple

from aiokafka import TopicPartition

from services.common.codec import encode
from services.contracts.messages import Heartbeat, ServiceState
from tests import builders

FIRST, ADDED = TopicPartition("ticks", 0), TopicPartition("ticks", 1)
BEATS = TopicPartition("heartbeats", 0)


START_US = 1_767_225_600_000_000


class Record(NamedTuple):
    """What is read of a consumer's record."""

    offset: int
    value: bytes | None
    timestamp: int = 0
    timestamp_type: int = 0


class Partitions:
    """A consumer of partitions that hold messages from `first` to `ends`; it forgets its positions when one is added.

    As a broker does, it moves a reader of what there is not to the first message.
    """

    def __init__(self, ends: dict[TopicPartition, int]) -> None:
        self.ends = ends
        self.positions = dict.fromkeys(ends, 0)
        self.steps: list[object] = []
        self.read: list[tuple[int, int]] = []
        self.first = 0
        self.sought: list[int] = []

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self.ends)

    async def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, self.first)

    async def position(self, partition: TopicPartition) -> int:
        return self.positions[partition]

    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return {partition: self.ends[partition] for partition in partitions}

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.positions[partition] = offset
        self.sought.append(offset)

    async def getmany(self, timeout_ms: int) -> dict[TopicPartition, list[Record]]:
        if self.steps:
            self.change(self.steps.pop(0))
        elif all(self.positions[partition] == end for partition, end in self.ends.items()):
            raise asyncio.CancelledError
        batches = {}
        for partition, end in self.ends.items():
            if not self.first <= self.positions[partition] <= end:
                self.positions[partition] = self.first
            batches[partition] = [
                Record(n, message(partition, n)) for n in range(self.positions[partition], end)
            ]
            self.read += [(partition.partition, record.offset) for record in batches[partition]]
            self.positions[partition] = end
        return {partition: records for partition, records in batches.items() if records}

    def change(self, step: object) -> None:
        if isinstance(step, tuple):
            self.first, step = step
        assert isinstance(step, dict)
        if step.keys() != self.ends.keys():
            self.positions = dict.fromkeys(step, 0)
        self.ends = step


class Letters:
    """A producer that keeps where it sends dead letters, and where they are from."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    async def send(self, topic: str, **message: Any) -> None:
        self.sent.append((topic, dict(message["headers"])["origin"].decode()))


def message(partition: TopicPartition, offset: int) -> bytes | None:
    if partition.topic == "heartbeats":
        state: ServiceState = "running" if offset < 12 else "degraded"
        at_us = START_US - offset  # a clock that goes backwards
        beat = Heartbeat(service="sink", at_us=at_us, started_us=0, state=state, version="1")
        return b'{"foreign":1}' if offset % 5 == 3 else encode(beat)
    if offset % 10 == 7:
        return b"{damaged" if offset % 20 == 7 else None
    return encode(
        builders.tick(
            venue="v", symbol=f"S{partition.partition}", trade_id=offset, event_us=START_US + offset
        )
    )
