"""Symbols that are added to a feed that plays, and removed from it."""

import asyncio
import math
from collections.abc import Callable, Iterable
from contextlib import aclosing
from functools import partial
from typing import TypeGuard

import pytest

from services.common.clock import SECOND
from services.common.errors import FatalError
from services.contracts.listings import Listing, SymbolConfig
from services.contracts.messages import TapeEvent, Tick
from services.ingest.feed import FeedStatus, Item
from services.ingest.feeds.pace import Pace
from services.ingest.feeds.played import PlayedFeed
from services.ingest.feeds.replay import ReplayFeed
from services.ingest.feeds.synthetic.feed import SyntheticFeed
from tests.fixtures.recorded_frames import PATH


@pytest.fixture(autouse=True)
def _nobody_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were written a moment ago are not waited for."""
    monkeypatch.setattr("services.ingest.feeds.file_growth.STOPPED_S", 0.0)


def replay(*items: str, speed: float = math.inf) -> PlayedFeed:
    pace = Pace(speed)
    return PlayedFeed(items, lambda symbols, _: ReplayFeed(PATH, symbols, pace))


def synthetic(*items: str) -> PlayedFeed:
    pace = Pace(1.0)
    return PlayedFeed(items, lambda symbols, share: SyntheticFeed(symbols, 7, 200 * share, 60, pace))


def decide(feed: PlayedFeed, symbol: str, collected: bool = True) -> None:
    feed.collect({symbol: SymbolConfig(symbol=symbol, collected=collected)}, {})


async def played(
    feed: PlayedFeed, when: Callable[[Item], bool], then: Callable[[], None], until: Callable[[Item], bool]
) -> list[Item]:
    """Play up to the item that is wanted last, and do something at the first one that is awaited."""
    items, is_done = list[Item](), False
    async with asyncio.timeout(30), aclosing(feed.stream()) as stream:
        async for item in stream:
            items.append(item)
            if not is_done and when(item):
                then()
                is_done = True
            if until(item):
                break
    assert is_done
    return items


def ids(items: Iterable[Item], symbol: str) -> list[int]:
    return [item.trade_id for item in items if isinstance(item, Tick) and item.symbol == symbol]


def is_state(item: Item, symbol: str) -> TypeGuard[TapeEvent]:
    return isinstance(item, TapeEvent) and item.kind == "symbol_state" and item.symbol == symbol


def states(items: Iterable[Item], symbol: str) -> list[str | None]:
    return [item.state for item in items if is_state(item, symbol)]


def is_tick(item: Item) -> bool:
    return isinstance(item, Tick)


def never(_: Item) -> bool:
    return False


def test_a_symbol_that_is_added_to_a_replay_is_played_from_its_beginning() -> None:
    feed = replay("BTCUSDT", speed=20.0)
    items = asyncio.run(played(feed, is_tick, partial(decide, feed, "ETHUSDT"), never))
    assert ids(items, "ETHUSDT") == asyncio.run(all_of("ETHUSDT"))
    assert len(ids(items, "ETHUSDT")) > 100
    assert states(items, "ETHUSDT") == ["filling", "live"]
    assert ids(items, "BTCUSDT") == asyncio.run(all_of("BTCUSDT"))


async def all_of(symbol: str) -> list[int]:
    return ids([item async for item in ReplayFeed(PATH, (symbol,), Pace(math.inf)).stream()], symbol)


def test_the_past_of_an_added_symbol_comes_alone_and_joins_its_present() -> None:
    feed = synthetic("BTCUSDT", "ETHUSDT")

    def is_present(item: Item) -> bool:
        return isinstance(item, FeedStatus) and item.filling is None

    left = iter(range(100 * 60 + 200))

    def is_enough(item: Item) -> bool:
        return bool(ids([item], "SOLUSDT")) and next(left, None) is None

    items = asyncio.run(played(feed, is_present, partial(decide, feed, "SOLUSDT"), is_enough))
    found = ids(items, "SOLUSDT")
    assert found == list(range(found[0], found[-1] + 1))
    places = [place for place, item in enumerate(items) if is_state(item, "SOLUSDT")]
    assert states(items, "SOLUSDT") == ["filling", "live"]
    past = [item for item in items[slice(*places)] if isinstance(item, Tick)]
    assert {tick.symbol for tick in past} == {"SOLUSDT"}
    assert past[-1].event_us - past[0].event_us > 55 * SECOND
    assert not [item for item in items[places[0] :] if isinstance(item, FeedStatus)]


def test_a_removed_symbol_comes_no_longer() -> None:
    feed = replay("BTCUSDT", "ETHUSDT", speed=20.0)
    items = asyncio.run(played(feed, is_tick, partial(decide, feed, "ETHUSDT", False), never))
    assert states(items, "ETHUSDT") == ["live", "removed"]
    (place,) = [
        place for place, item in enumerate(items) if isinstance(item, TapeEvent) and item.state == "removed"
    ]
    assert ids(items[place:], "ETHUSDT") == []
    assert ids(items, "BTCUSDT") == asyncio.run(all_of("BTCUSDT"))


def test_a_selection_is_of_what_the_feed_has() -> None:
    feed = replay("all")
    items = asyncio.run(played(feed, is_tick, lambda: None, never))
    assert {item.symbol for item in items if isinstance(item, Tick)} == {"BTCUSDT", "ETHUSDT", "SOLUSDT"}
    listed = asyncio.run(feed.listing())
    assert {(one.symbol, one.state) for one in listed} >= {("BTCUSDT", "live")}
    assert all(isinstance(one, Listing) for one in listed)
    with pytest.raises(FatalError, match=r"of the 3 symbols of the feed, received \*USDC, which fits none"):
        asyncio.run(replay("*USDC").check())


def test_the_error_of_a_player_is_that_of_the_feed() -> None:
    async def run() -> None:
        async for _ in PlayedFeed(
            ("BTCUSDT",), lambda symbols, _: ReplayFeed(PATH.with_suffix(".gone"), symbols, Pace(1))
        ).stream():
            raise AssertionError("expected no item")

    with pytest.raises(FatalError, match="gone"):
        asyncio.run(run())
