import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.quant.exact_sums import fixed, floating
from services.quant.fit import NotEnoughDataError
from services.quant.volatility import RealisedVolatility
from tests.unit.quant.series import kinds, legs, seeds


@settings(max_examples=60, deadline=None)
@given(kind=kinds, seed=seeds, window=st.integers(1, 50))
def test_every_window_equals_a_fresh_computation(kind: str, seed: int, window: int) -> None:
    prices = legs(kind, seed, 120)[0]
    returns = np.diff(np.array([np.log(price) for price in prices]))
    estimator = RealisedVolatility(window, interval_s=60)
    for end, price in enumerate(prices.tolist()):
        estimator.update(price)
        if end == 0:
            continue
        result = estimator.get()
        used = returns[max(0, end - window) : end]
        assert result.per_interval == pytest.approx(float(np.sqrt(np.mean(used**2))), rel=1e-9, abs=1e-20)
        assert result.annualised == pytest.approx(result.per_interval * np.sqrt(365 * 24 * 60))
        assert result.samples == len(used)


def test_an_absurd_price_leaves_no_trace_after_it_left_the_window() -> None:
    prices = legs("cents", 1, 200)[0].tolist()
    clean, soiled = RealisedVolatility(50), RealisedVolatility(50)
    for number, price in enumerate(prices):
        clean.update(price)
        soiled.update(1e9 if number == 80 else price)
        if 80 <= number <= 130:
            assert clean.get() != soiled.get()
        elif number:
            assert clean.get() == soiled.get()


def test_a_return_across_a_gap_is_none() -> None:
    estimator = RealisedVolatility(10)
    for price in (100.0, 101.0):
        estimator.update(price)
    estimator.skip()
    before = estimator.get()
    estimator.update(500.0)
    assert estimator.get() == before


def test_changing_the_future_changes_nothing_in_the_past() -> None:
    prices = legs("walk", 1, 60)[0].tolist()
    one, other = RealisedVolatility(20), RealisedVolatility(20)
    for number, price in enumerate(prices):
        one.update(price)
        other.update(price if number < 40 else 7.0)
        assert number == 0 or number >= 40 or one.get() == other.get()
    assert one.get() != other.get()


def test_what_it_cannot_take_is_refused() -> None:
    with pytest.raises(NotEnoughDataError, match="at least 2 prices"):
        RealisedVolatility(5).get()
    with pytest.raises(ValueError, match="a price above 0, received -1"):
        RealisedVolatility(5).update(-1)
    with pytest.raises(ValueError, match="at least 1 return, received 0"):
        RealisedVolatility(0)
    with pytest.raises(ValueError, match="above 0 s, received 0"):
        RealisedVolatility(5, interval_s=0)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1))
def test_a_sum_in_fixed_point_forgets_what_is_taken_away(values: list[float]) -> None:
    total = sum(map(fixed, values))
    assert total - sum(map(fixed, values[1:])) == fixed(values[0])
    assert floating(fixed(values[0])) == pytest.approx(values[0], rel=1e-15, abs=1e-48)
