"""What the service makes of what a feed yields."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from msgspec import structs

from services.common.clock import MINUTE
from services.common.errors import FatalError
from services.common.heartbeat import Pulse
from services.common.messages import FeedName, Tick, decode
from services.common.settings import load
from services.ingest.feeds.feed import SKIPPED, Item, Rejected, Status
from services.ingest.outbox import Outbox
from services.ingest.service import check, publish
from services.ingest.settings import IngestSettings

TICK = Tick(
    venue="binance",
    symbol="BTCUSDT",
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
        self._items = items

    async def check(self) -> None: ...

    async def stream(self) -> AsyncGenerator[Item]:
        for item in self._items:
            yield item


def published(*items: Item) -> tuple[list[tuple[str, dict[str, Any]]], Pulse]:
    sent: list[tuple[str, dict[str, Any]]] = []
    pulse = Pulse("ingest", "replay")

    async def send(topic: str, **message: Any) -> asyncio.Future[Any]:
        sent.append((topic, message))
        delivery = asyncio.get_running_loop().create_future()
        delivery.set_result(None)
        return delivery

    asyncio.run(publish(Scripted(*items), Outbox(send), pulse))
    return sent, pulse


def test_a_tick_is_keyed_by_symbol() -> None:
    [(topic, message)], pulse = published(TICK)
    assert topic == "ticks"
    assert message["key"] == b"BTCUSDT"
    assert decode(message["value"], Tick) == TICK
    assert pulse.counters == {"ticks": 1, "skipped": 0, "dead_letters": 0}


def test_a_trade_ahead_of_the_clock_goes_to_dead_letters() -> None:
    """Taken for true it would make every trade that follows late."""
    future = structs.replace(TICK, event_us=TICK.received_us + 2 * MINUTE)
    sent, pulse = published(future, TICK)
    assert [topic for topic, _ in sent] == ["dead-letters", "ticks"]
    assert decode(sent[0][1]["value"], Tick) == future
    assert pulse.counters == {"ticks": 1, "skipped": 0, "dead_letters": 1}


def test_a_rejected_frame_goes_to_dead_letters_and_the_stream_goes_on() -> None:
    sent, pulse = published(Rejected(b"{", "it is cut off", "file:3"), SKIPPED, TICK)
    assert [topic for topic, _ in sent] == ["dead-letters", "ticks"]
    letter = sent[0][1]
    assert letter["value"] == b"{"
    assert dict(letter["headers"]) == {
        "reason": b"it is cut off",
        "source": b"feed replay",
        "origin": b"file:3",
        "service": b"ingest",
    }
    assert pulse.counters == {"ticks": 1, "skipped": 1, "dead_letters": 1}


def test_a_giant_rejected_frame_still_fits_into_a_message() -> None:
    [(_, letter)], _ = published(Rejected(b"x" * 3_000_000, "too long", "file:1"))
    assert len(letter["value"]) < 2**20


def test_the_state_is_the_feeds_until_it_ends() -> None:
    states = []

    class Watched(Scripted):
        async def stream(self) -> AsyncGenerator[Item]:
            async for item in super().stream():
                yield item
                states.append((pulse.state, pulse.detail))

    pulse = Pulse("ingest", "replay")
    feed = Watched(Status("degraded", "the venue is away"), Status("running"))
    asyncio.run(publish(feed, Outbox(asyncio.sleep), pulse))
    assert states == [("degraded", "the venue is away"), ("running", None)]
    assert pulse.state == "finished"


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"PAIRSTREAM_FEED": "replay", "PAIRSTREAM_REPLAY_FILE": "/no/such/file"}, "No such file"),
        ({"PAIRSTREAM_FEED": "synthetic", "PAIRSTREAM_SYMBOLS": "DOGEUSDT"}, "BTCUSDT, ETHUSDT.*DOGEUSDT"),
        ({"PAIRSTREAM_FEED": "synthetic", "PAIRSTREAM_RATE": "0.001"}, "PAIRSTREAM_RATE: expected 0, or"),
    ],
)
def test_check_refuses_before_anything_starts(environment: dict[str, str], complaint: str) -> None:
    with pytest.raises(FatalError, match=complaint):
        asyncio.run(check(load(IngestSettings, environment)))
