"""Venue clock: the venue's time counts, however wrong the local clock is, and no trade is lost or waits."""

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common import clock
from services.common.clock import SECOND
from services.common.errors import TransientError
from services.contracts.messages import Tick
from services.ingest.feed import Item, Rejected
from services.ingest.venues.venue_clock import VenueClock
from tests.stub_venue import StubVenue
from tests.unit.ingest.feeds.test_live_filling import Reader, reading, running

_TRUE_US = 1_750_000_000 * SECOND


class Asked(StubVenue):
    """A venue whose answers take a while."""

    def __init__(self, took_s: float, wrong_us: int) -> None:
        super().__init__("ws://nowhere")
        self.steady_s = 100.0
        self.took_s, self.wrong_us = took_s, wrong_us
        self.is_silent = False

    def local_us(self) -> int:
        return self.true_us() + self.wrong_us

    def true_us(self) -> int:
        return _TRUE_US + round(self.steady_s * SECOND)

    async def time_us(self) -> int:
        if self.is_silent:
            raise TransientError("expected an answer, received none")
        self.steady_s += self.took_s / 2
        found = self.true_us()
        self.steady_s += self.took_s / 2
        return found

    def clock(self) -> VenueClock:
        return VenueClock(self.local_us, lambda: self.steady_s)


@given(st.floats(0, 1.9), st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12), st.floats(0, 600))
def test_it_is_the_venues_time_whatever_the_local_clock_says_and_is_set_to(
    took_s: float, wrong_us: int, then_us: int, passed_s: float
) -> None:
    venue = Asked(took_s, wrong_us)
    told = venue.clock()
    assert told.now_us() == venue.local_us()
    asyncio.run(told.ask(venue))
    venue.is_silent = True
    asyncio.run(told.ask(venue))
    venue.wrong_us = then_us
    venue.steady_s += passed_s
    assert told.now_us() == pytest.approx(venue.true_us(), abs=SECOND // 2 + 10)
    assert told.behind_us == 0 or told.behind_us == pytest.approx(-then_us, abs=10)
    assert (told.behind_us == 0) or abs(then_us) > SECOND // 2 - 10


def test_an_answer_that_was_long_on_its_way_says_nothing() -> None:
    venue = Asked(2.1, SECOND * 60)
    told = venue.clock()
    asyncio.run(told.ask(venue))
    assert told.behind_us == 0


@pytest.mark.parametrize("wrong_s", [-3600, -2.5, 2.5, 3600])
def test_a_wrong_local_clock_costs_no_trade_and_delays_none(
    monkeypatch: pytest.MonkeyPatch, wrong_s: float
) -> None:
    right, wrong_us = clock.now_us, [round(wrong_s * SECOND)]

    async def live(reader: Reader) -> list[Tick]:
        items = [await reader.read_until(any_tick) for _ in range(60)]
        assert not [item for item in reader.items if isinstance(item, Rejected)]
        return items

    async def run() -> None:
        async with reading({"BTCUSDT": 40.0, "ETHUSDT": 10.0}, minutes=1) as reader:
            monkeypatch.setattr(clock, "now_us", lambda: right() + wrong_us[0])
            await reader.read_until(running)
            for error_us in (wrong_us[0], -wrong_us[0]):
                wrong_us[0] = error_us
                ticks = await live(reader)
                assert all(-SECOND // 2 < tick.received_us - tick.event_us < SECOND for tick in ticks[5:])
                # It is told once a second.
                await reader.read_until(
                    lambda _: abs(reader.feed.delivery.behind_us + wrong_us[0]) < SECOND // 2 or None
                )
                assert -500 < reader.feed.delivery.by_symbol()["BTCUSDT"].now_ms < 1_000
            ids = [
                item.trade_id for item in reader.items if isinstance(item, Tick) and item.symbol == "BTCUSDT"
            ]
            assert all(later == one + 1 for one, later in itertools.pairwise(ids))

    asyncio.run(run())


def any_tick(item: Item) -> Tick | None:
    return item if isinstance(item, Tick) else None
