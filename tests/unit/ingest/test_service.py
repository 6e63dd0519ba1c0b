"""Service loop of ingest: what each item of a feed becomes."""

import asyncio

import pytest
from msgspec import structs

from services.common.codec import decode
from services.common.heartbeat import HeartbeatState
from services.contracts.messages import Liquidation, MarkPrice, Quote, TapeEvent, Tick
from services.ingest.feed import DUPLICATE, SKIPPED, Counted, Item, Rejected
from services.ingest.service import publish
from services.ingest.time_marks import TimeMarks
from tests.publishing import FakeProducer, publisher
from tests.unit.ingest.scripted import TICK, Scripted, counted, published


def test_a_tick_is_keyed_by_symbol() -> None:
    [(topic, message)], heartbeat = published(TICK)
    assert topic == "ticks"
    assert message["key"] == b"BTCUSDT"
    assert decode(message["value"], Tick) == TICK
    assert counted(heartbeat) == {"ticks": 1}


def test_a_rejected_frame_goes_to_dead_letters_and_the_stream_goes_on() -> None:
    sent, heartbeat = published(Rejected(b"{", "it is cut off", "file:3"), SKIPPED, TICK)
    assert [topic for topic, _ in sent] == ["dead-letters", "ticks"]
    letter = sent[0][1]
    assert letter["value"] == b"{"
    assert dict(letter["headers"]) == {
        "reason": b"it is cut off",
        "source": b"feed replay",
        "origin": b"file:3",
        "service": b"ingest",
    }
    assert counted(heartbeat) == {"ticks": 1, "skipped": 1, "dead_letters": 1}


@pytest.mark.parametrize(
    ("item", "topic"),
    [
        (
            Quote(
                venue="binance",
                symbol="BTCUSDT",
                update_id=1,
                event_us=1,
                received_us=2,
                bid_price=1.0,
                bid_size=0.0,
                ask_price=2.0,
                ask_size=1.0,
            ),
            "quotes",
        ),
        (
            MarkPrice(venue="binance", symbol="BTCUSDT", event_us=1, received_us=2, mark_price=1.0),
            "mark-prices",
        ),
        (
            Liquidation(
                venue="binance",
                symbol="BTCUSDT",
                event_us=1,
                received_us=2,
                side="buy",
                price=1.0,
                average_price=None,
                size=1.0,
            ),
            "liquidations",
        ),
        (TapeEvent(kind="stream_stale", venue="binance", symbol="BTCUSDT", at_us=1), "tape-events"),
    ],
)
def test_every_other_kind_goes_to_its_topic_keyed_by_symbol(
    item: Quote | MarkPrice | Liquidation | TapeEvent, topic: str
) -> None:
    [(sent_to, message)], _ = published(item)
    assert (sent_to, message["key"]) == (topic, b"BTCUSDT")
    assert decode(message["value"], type(item)) == item


@pytest.mark.parametrize("vouches", [True, False])
def test_a_mark_price_vouches_for_its_symbol_if_the_feed_says_so(vouches: bool) -> None:
    class Noting(TimeMarks):
        def vouch(self, symbol: str, event_us: int, lag_us: int) -> None:
            vouched.append(symbol)

    async def to_its_end() -> None:
        out = publisher(FakeProducer())
        await publish(feed, out, HeartbeatState("ingest", "replay"), marks=marks)
        await out.close()

    feed = Scripted(MarkPrice(venue="binance", symbol="BTCUSDT", event_us=1, received_us=2, mark_price=1.0))
    feed.connection, marks, vouched = vouches, Noting(), list[str]()
    asyncio.run(to_its_end())
    assert vouched == ["BTCUSDT"] * vouches


def test_what_happens_to_the_tape_is_counted() -> None:
    gap = TapeEvent(kind="gap_found", venue="binance", symbol="BTCUSDT", at_us=1)
    items: list[Item] = [
        gap,
        structs.replace(TICK, repaired=True),
        DUPLICATE,
        Counted("dropped", 7),
        Counted("reconnects"),
    ]
    _, heartbeat = published(*items)
    assert counted(heartbeat) == {
        "ticks": 1,
        "gaps": 1,
        "tape_events": 1,
        "repaired": 1,
        "duplicates": 1,
        "dropped": 7,
        "reconnects": 1,
    }


def test_a_giant_rejected_frame_still_fits_into_a_message() -> None:
    [(_, letter)], _ = published(Rejected(b"x" * 3_000_000, "too long", "file:1"))
    assert len(letter["value"]) < 2**20
