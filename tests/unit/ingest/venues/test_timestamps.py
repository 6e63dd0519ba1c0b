import asyncio
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from services.cli.importing.tick_files import batches
from services.common.clock import SECOND
from services.common.codec import decode, encode
from services.contracts.messages import MarkPrice, Tick
from services.ingest.feed import Item, Rejected
from services.ingest.feeds.pace import Pace
from services.ingest.feeds.replay import ReplayFeed
from services.ingest.venues.timestamps import TimestampCheck
from tests.unit.ingest.tape.trades import trade


def ahead(trade_id: int, by_s: float) -> Tick:
    one = trade(trade_id)
    return structs.replace(one, received_us=one.event_us - round(by_s * SECOND))


@given(st.lists(st.floats(-60, 2), min_size=1))
def test_what_is_no_more_than_two_seconds_ahead_is_believed(ahead_s: list[float]) -> None:
    stamps = TimestampCheck()
    assert [stamps.refuse(ahead(number, by_s)) for number, by_s in enumerate(ahead_s)] == [None] * len(
        ahead_s
    )


@given(st.floats(2.001, 1e6), st.integers(0, 200))
def test_one_that_is_further_ahead_is_refused_and_says_by_how_much(by_s: float, after: int) -> None:
    stamps = TimestampCheck()
    assert not any(stamps.refuse(ahead(number, -0.1)) for number in range(after))
    refused = stamps.refuse(bad := ahead(after, by_s))
    assert refused is not None
    assert decode(refused.raw, Tick) == bad
    assert "s ahead of it" in refused.reason
    assert stamps.refuse(ahead(after + 1, -0.1)) is None


@given(st.floats(2.5, 86_400))
def test_a_clock_that_is_behind_refuses_nothing_but_what_is_ahead_of_the_venues(behind_s: float) -> None:
    """The first trades are refused: it takes 31 to tell a wrong clock from wrong stamps."""
    stamps = TimestampCheck()
    assert [bool(stamps.refuse(ahead(number, behind_s))) for number in range(50)] == [True] * 30 + [
        False
    ] * 20
    assert stamps.behind_us == round(behind_s * SECOND)
    assert stamps.refuse(ahead(50, behind_s + 3)) is not None


@given(st.floats(2.5, 86_400), st.integers(1, 100))
def test_one_symbol_that_is_ahead_is_no_wrong_clock(by_s: float, number: int) -> None:
    stamps = TimestampCheck()
    for place in range(40):
        assert stamps.refuse(structs.replace(ahead(place, 0.0), symbol="OTHER")) is None
    on_time = ahead(40, 0.0)
    bad = structs.replace(on_time, event_us=on_time.event_us + round(by_s * SECOND))
    assert all(stamps.refuse(bad) for _ in range(number))


@given(st.floats(2.001, 1e6), st.booleans())
def test_a_mark_price_from_ahead_is_refused_too(by_s: float, is_ahead: bool) -> None:
    now_us = trade(1).event_us
    price = MarkPrice(
        venue="test",
        symbol="BTCUSDT",
        event_us=now_us + (round(by_s * SECOND) if is_ahead else 0),
        received_us=now_us,
        mark_price=1.0,
    )
    refused = TimestampCheck().refuse(price)
    assert (refused is not None) == is_ahead
    assert refused is None or decode(refused.raw, MarkPrice) == price


@pytest.mark.usefixtures("_nobody_writes")
def test_of_a_recording_whose_clock_was_behind_no_trade_is_refused(tmp_path: Path) -> None:
    """The trades that tell it are there before the first one is judged; one that is ahead of the others is refused."""
    recorded = [ahead(number, 50.0 if number == 7 else 20.0) for number in range(100)]
    path = tmp_path / "recorded.ndjson"
    path.write_bytes(b"".join(encode(one) + b"\n" for one in recorded))

    async def replayed() -> list[Item]:
        feed = ReplayFeed(path, (recorded[0].symbol,), Pace(math.inf))
        return [item async for item in feed.stream()]

    items = asyncio.run(replayed())
    assert [item.trade_id for item in items if isinstance(item, Tick)] == [n for n in range(100) if n != 7]
    assert [decode(item.raw, Tick) for item in items if isinstance(item, Rejected)] == [recorded[7]]
    [batch] = batches(path, None)
    assert [damage.number for damage in batch.rejected] == [8]


@pytest.mark.usefixtures("_nobody_writes")
def test_a_replay_and_an_import_judge_by_the_recorded_receipt_and_alike(tmp_path: Path) -> None:
    recorded = [ahead(number, 50.0 if number == 60 else -0.1) for number in range(100)]
    path = tmp_path / "recorded.ndjson"
    path.write_bytes(b"".join(encode(one) + b"\n" for one in recorded))

    async def replayed() -> list[Item]:
        feed = ReplayFeed(path, (recorded[0].symbol,), Pace(math.inf))
        return [item async for item in feed.stream()]

    items = asyncio.run(replayed())
    assert [item.trade_id for item in items if isinstance(item, Tick)] == [n for n in range(100) if n != 60]
    assert [decode(item.raw, Tick) for item in items if isinstance(item, Rejected)] == [recorded[60]]
    [batch] = batches(path, None)
    assert [damage.number for damage in batch.rejected] == [61]
    assert len(batch.ticks[0].rows) == 99
