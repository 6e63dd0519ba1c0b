"""Delivery lag of each symbol: exact to its resolution, over the last minute of receipts."""

from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import HOUR, SECOND
from services.contracts.messages import DeliveryLag
from services.ingest.delivery_lag import DeliveryLags, behind_s, quantiles

T0_US = 1_750_000_000_000_000
LAGS_US = st.lists(
    st.one_of(st.integers(-1_000, 400_000), st.integers(-10 * SECOND, HOUR)), min_size=1, max_size=300
)


def near(ms: int, us: float) -> bool:
    """Whether a value is right to the resolution: 0.5 ms, beyond 256 ms 0.4 % more."""
    return abs(ms - us / 1000) <= 0.5 + (abs(us) / 1000 / 256 if abs(us) > 255_000 else 0)


def counted(lags_us: list[int], apart_us: int = 1_000) -> DeliveryLags:
    delivery = DeliveryLags()
    for number, lag_us in enumerate(lags_us):
        received_us = T0_US + number * apart_us
        delivery.take("BTCUSDT", received_us, received_us - lag_us)
    return delivery


@given(LAGS_US)
def test_quantiles_are_those_of_numpy(lags_us: list[int]) -> None:
    lag = counted(lags_us).by_symbol()["BTCUSDT"]
    median, slow = np.quantile(lags_us, (0.5, 0.99), method="inverted_cdf")
    assert near(lag.p50_ms, median)
    assert near(lag.p99_ms, slow)
    assert abs(lag.now_ms - lags_us[-1] / 1000) <= 0.5
    assert lag.p50_ms <= lag.p99_ms


@given(st.lists(st.tuples(st.integers(-3000, 3000), st.integers(0, 9 * SECOND)), min_size=1, max_size=200))
def test_the_last_minute_counts_to_five_seconds(trades: list[tuple[int, int]]) -> None:
    delivery, now_us = DeliveryLags(), T0_US
    received: list[tuple[int, int]] = []
    for lag_ms, apart_us in trades:
        now_us += apart_us
        received.append((now_us, lag_ms * 1000))
        delivery.take("BTCUSDT", now_us, now_us - lag_ms * 1000)
    first_us = now_us // (5 * SECOND) * 5 * SECOND - 55 * SECOND
    kept = [lag_us for at_us, lag_us in received if at_us >= first_us]
    lag = delivery.by_symbol()["BTCUSDT"]
    for percent, found in ((0.5, lag.p50_ms), (0.99, lag.p99_ms)):
        assert near(found, np.quantile(kept, percent, method="inverted_cdf"))


def test_what_is_older_than_a_minute_is_forgotten() -> None:
    delivery = counted([5_000_000] * 100)
    for number in range(100):
        received_us = T0_US + 61 * SECOND + number
        delivery.take("BTCUSDT", received_us, received_us - 80_000)
    assert delivery.by_symbol() == {"BTCUSDT": DeliveryLag(80, 80, 80)}


def test_a_symbol_without_trades_in_the_last_minute_has_no_lag() -> None:
    now_us = T0_US
    delivery = DeliveryLags(lambda: now_us)
    delivery.take("BYUSDT", T0_US, T0_US - 5_100_000)
    delivery.take("BTCUSDT", T0_US + 30 * SECOND, T0_US + 30 * SECOND - 80_000)
    now_us += 54 * SECOND
    assert delivery.by_symbol()["BYUSDT"].now_ms == 5_100
    now_us += 7 * SECOND
    assert list(delivery.by_symbol()) == ["BTCUSDT"]
    delivery.take("BYUSDT", now_us, now_us - 90_000)
    assert delivery.by_symbol()["BYUSDT"] == DeliveryLag(90, 90, 90)


def test_without_a_clock_the_other_symbols_tell_the_time() -> None:
    delivery = counted([80_000])
    delivery.take("ETHUSDT", T0_US + 59 * SECOND, T0_US + 59 * SECOND - 1_000)
    assert set(delivery.by_symbol()) == {"BTCUSDT", "ETHUSDT"}
    delivery.take("ETHUSDT", T0_US + 65 * SECOND, T0_US + 65 * SECOND - 1_000)
    assert set(delivery.by_symbol()) == {"ETHUSDT"}


def test_receipts_may_be_a_little_out_of_order_and_the_clock_may_be_set_back() -> None:
    delivery = counted([80_000] * 3, apart_us=5 * SECOND)
    delivery.take("BTCUSDT", T0_US + 9 * SECOND, T0_US + 9 * SECOND - 90_000)
    assert delivery.by_symbol() == {"BTCUSDT": DeliveryLag(90, 80, 90)}
    back_us = T0_US - HOUR
    delivery.take("BTCUSDT", back_us, back_us - 300)
    assert delivery.by_symbol() == {"BTCUSDT": DeliveryLag(0, 0, 0)}


def test_receipts_of_a_backlog_are_counted_though_the_clock_has_gone_on() -> None:
    """Frames may wait before they are read: their receipt is when they came."""
    now_us = T0_US + 40 * SECOND
    delivery = DeliveryLags(lambda: now_us)
    for number in range(4):
        received_us = T0_US + number * SECOND
        delivery.take("BTCUSDT", received_us, received_us - (number + 1) * 10_000)
        lag = delivery.by_symbol()["BTCUSDT"]
    assert lag == DeliveryLag(40, 20, 40)


def test_the_memory_of_a_symbol_is_bounded() -> None:
    delivery = counted([number * 997 % (6 * HOUR) for number in range(0, 60_000_000, 600)], apart_us=1)
    # Of each power of two beyond 256 ms, 128 values.
    assert len(delivery._symbols["BTCUSDT"].counts) < 256 + 128 * 17


@given(st.dictionaries(st.integers(-500, 5_000), st.integers(1, 50), min_size=1), st.integers(1, 100))
def test_a_quantile_is_a_value_that_so_many_do_not_exceed(counts: dict[int, int], percent: int) -> None:
    every = sorted(value for value, count in counts.items() for _ in range(count))
    (found,) = quantiles(counts, (percent,))
    assert found == every[ceil(len(every) * percent / 100) - 1]


@pytest.mark.parametrize(
    ("medians", "seconds"), [((), None), ((-500, 80), None), ((-501,), 0.501), ((90, -3200, -900), 3.2)]
)
def test_the_clock_is_behind_if_a_median_says_so(medians: tuple[int, ...], seconds: float | None) -> None:
    assert behind_s({str(ms): DeliveryLag(0, ms, 9_000) for ms in medians}) == seconds
