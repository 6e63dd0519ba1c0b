"""Scripted feed, and what the service publishes of it."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from services.common.heartbeat import HeartbeatState
from services.contracts.listings import Listing, SymbolConfig
from services.contracts.messages import FeedName, MarkPrice
from services.ingest.delivery_lag import DeliveryLags
from services.ingest.feed import Item
from services.ingest.service import publish
from tests import builders
from tests.publishing import FakeProducer, publisher

TICK = builders.tick(
    trade_id=7,
    event_us=1_750_000_000_123_000,
    received_us=1_750_000_000_200_000,
    price=65_000.1,
    size=0.5,
    buyer_is_maker=True,
)


class Scripted:
    """A feed that yields what it was given."""

    name: FeedName = "replay"

    def __init__(self, *items: Item) -> None:
        self.delivery = DeliveryLags()
        self.connection = True
        self._items = items

    async def check(self) -> None: ...

    async def listing(self) -> list[Listing]:
        return []

    def collect(self, decisions: Mapping[str, SymbolConfig], told: Mapping[str, Listing]) -> None: ...

    def vouches(self, price: MarkPrice) -> bool:
        return self.connection

    async def stream(self) -> AsyncGenerator[Item]:
        for item in self._items:
            yield item


Sent = list[tuple[str, dict[str, Any]]]


def run(feed: Scripted, heartbeat: HeartbeatState, producer: FakeProducer) -> None:
    """Publish a feed to its end."""

    async def to_its_end() -> None:
        out = publisher(producer)
        await publish(feed, out, heartbeat)
        await out.close()

    asyncio.run(to_its_end())


def published(*items: Item) -> tuple[Sent, HeartbeatState]:
    producer, heartbeat = FakeProducer(), HeartbeatState("ingest", "replay")
    run(Scripted(*items), heartbeat, producer)
    # What ends the tape at the end of a feed has tests of its own.
    return [
        (one.topic, {"key": one.key, "value": one.value, "headers": one.headers})
        for one in producer.taken
        if one.topic != "time-marks"
    ], heartbeat


def counted(heartbeat: HeartbeatState) -> dict[str, int]:
    return {counter: times for counter, times in heartbeat.counters.items() if times}
