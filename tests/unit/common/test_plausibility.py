"""Plausible times of ticks, whatever unit or clock a writer used by mistake."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from services.common.clock import HOUR, SECOND
from services.common.codec import encode
from services.common.plausibility import EARLIEST_US, decode_ticks
from services.contracts.messages import Tick

NOW_US = 1_750_000_000 * SECOND
TICK = Tick(
    venue="binance",
    symbol="BTCUSDT",
    trade_id=7,
    event_us=NOW_US,
    received_us=NOW_US,
    price=1.0,
    size=1.0,
    buyer_is_maker=True,
)


def reason(**times: int) -> str:
    found = decode_ticks([encode(structs.replace(TICK, **times))], NOW_US)
    assert found.messages == []
    return str(found.bad[0])


@given(st.integers(EARLIEST_US, NOW_US + 24 * HOUR), st.integers(-2 * SECOND, 10**15))
def test_a_time_from_2009_to_a_day_ahead_is_taken(received_us: int, lag_us: int) -> None:
    one = structs.replace(TICK, event_us=max(EARLIEST_US, received_us - lag_us), received_us=received_us)
    assert decode_ticks([encode(one)], NOW_US) == ([one], {})


@pytest.mark.parametrize("divisor", [SECOND, 1_000])
@given(moment_us=st.integers(EARLIEST_US, NOW_US))
def test_seconds_and_milliseconds_are_told_from_microseconds(divisor: int, moment_us: int) -> None:
    said = reason(event_us=moment_us // divisor, received_us=moment_us // divisor)
    assert "expected event_us of BTCUSDT trade 7 in microseconds, from 2009 on" in said
    assert f"received {moment_us // divisor}" in said


def test_zero_is_no_time() -> None:
    assert "received 0 (1970-01-01T00:00:00.000000Z)" in reason(event_us=0)


@given(st.integers(EARLIEST_US, NOW_US))
def test_nanoseconds_are_told_from_microseconds(moment_us: int) -> None:
    assert reason(event_us=moment_us * 1_000)


@given(st.integers(1, 10**16))
def test_an_event_after_its_receipt_is_refused(over_us: int) -> None:
    said = reason(event_us=NOW_US + 2 * SECOND + over_us)
    assert "no more than 2 s after received_us" in said


@given(st.integers(1, 10**16))
def test_a_receipt_more_than_a_day_ahead_of_the_clock_is_refused(over_us: int) -> None:
    at_us = NOW_US + 24 * HOUR + over_us
    assert "no more than a day ahead of the clock" in reason(event_us=at_us, received_us=at_us)


def test_the_made_up_market_may_run_ahead() -> None:
    one = structs.replace(TICK, venue="synthetic", event_us=NOW_US + 100 * HOUR)
    assert decode_ticks([encode(one)], NOW_US).messages == [one]
    assert decode_ticks([encode(structs.replace(one, event_us=1))], NOW_US).messages == []


@given(st.lists(st.sampled_from(["good", "damaged", "0", "ahead"]), max_size=30))
def test_a_bad_one_is_known_by_its_place_and_takes_nothing_from_the_others(kinds: list[str]) -> None:
    events = {"good": NOW_US, "0": 0, "ahead": NOW_US + HOUR}
    ticks = [structs.replace(TICK, trade_id=n, event_us=events.get(kind, 1)) for n, kind in enumerate(kinds)]
    raws = [b"{" if kind == "damaged" else encode(tick) for tick, kind in zip(ticks, kinds, strict=True)]
    found = decode_ticks(raws, NOW_US)
    assert found.messages == [tick for tick, kind in zip(ticks, kinds, strict=True) if kind == "good"]
    assert [*found.bad] == [n for n, kind in enumerate(kinds) if kind != "good"]
