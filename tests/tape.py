"""Source with every message at hand: the sink without a broker."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from services.common.codec import encode
from services.common.heartbeat import HeartbeatState
from services.common.kafka.dead_letters import DeadLetters
from services.contracts.messages import Tick
from services.sink.batch import PartitionBatch, SinkBatch
from services.sink.service import Sink
from services.sink.settings import SinkSettings
from services.sink.source import TopicSource

PLACE = PartitionBatch("ticks", 0)
_NAP_S = 0.002


class Message(NamedTuple):
    """As much of a broker's record as the sink looks at."""

    offset: int
    value: bytes


class Tape(TopicSource):
    """One partition of ticks, of which those before `until` have come."""

    def __init__(self, ticks: Sequence[Tick], batch_rows: int) -> None:
        self.placed = False
        self.until = len(ticks)
        self._messages = [Message(offset, encode(tick)) for offset, tick in enumerate(ticks)]
        self._batch_rows = batch_rows
        self._next = {PLACE: 0}
        self._written = {PLACE: 0}
        self._reached = asyncio.Event()

    async def cluster_id(self) -> str:
        """Return a name of its own."""
        return "tape"

    async def place(self, stored: Mapping[PartitionBatch, int]) -> None:
        """Go on where the database says."""
        self.placed = True
        self._next = {PLACE: stored.get(PLACE, 0)}

    async def read(self) -> SinkBatch:
        """Return the next messages, decoded as a broker's are."""
        batch, first = SinkBatch(), self._next[PLACE]
        if self.placed and first < self.until:
            last = min(first + self._batch_rows, self.until)
            await self._add(batch, PLACE, self._messages[first:last])
        else:
            await asyncio.sleep(_NAP_S)
        return batch

    async def commit(self, read: Mapping[PartitionBatch, int]) -> None:
        """Say so when the last message that has come is written."""
        if read[PLACE] == self.until:
            self._reached.set()

    async def written(self, until: int) -> None:
        """Let the messages before `until` come, and return when they are written."""
        self._reached.clear()
        self.until = until
        await self._reached.wait()


def sink_of(url: str, tape: Tape) -> tuple[Sink, HeartbeatState]:
    """Return a sink that writes `tape` to the database at `url`, and what it says of itself."""

    async def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("expected no dead letter")

    heartbeat = HeartbeatState("sink")
    return Sink(SinkSettings(database_url=url), tape, DeadLetters(refuse, "sink"), heartbeat), heartbeat
