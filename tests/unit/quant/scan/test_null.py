"""Measured null: the share of independent walks below a p-value, in proportion where there are few of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quant.scan import null
from services.quant.scan.null import measured_p_values, null_p_values
from services.quant.scan.scan import ScanOptions, scan
from tests.unit.quant.scan.test_scan import planted, walks

TIMES = 200


def test_the_greater_p_value_of_walks_is_below_its_level_too_seldom_and_the_measured_one_is_not() -> None:
    found = null_p_values(TIMES, "c", 1)
    assert len(found) == 4 * 4_950
    assert np.mean(found < 0.05) < 0.03
    measured = measured_p_values(found, found)
    for level, apart in ((0.5, 0.01), (0.05, 0.01), (0.01, 0.05), (0.001, 0.4)):
        assert np.mean(measured <= level) == pytest.approx(level, rel=apart)


def test_it_is_the_same_every_time() -> None:
    first = null_p_values(TIMES, "c", 1)
    null_p_values.cache_clear()
    assert np.array_equal(first, null_p_values(TIMES, "c", 1))


@given(st.lists(st.floats(0, 1) | st.just(float("nan")), min_size=1, max_size=30))
def test_order_stays_and_no_p_value_is_above_one(p_values: list[float]) -> None:
    given_values = np.array(p_values)
    measured = measured_p_values(given_values, np.linspace(0.0, 1.0, 1_001)[1:] ** 2)
    assert np.array_equal(np.isnan(measured), np.isnan(given_values))
    known = ~np.isnan(given_values)
    order = np.argsort(given_values[known], kind="stable")
    assert (np.diff(measured[known][order]) >= 0).all()
    assert (measured[known] <= 1).all()


def test_below_the_least_the_share_is_in_proportion() -> None:
    of = np.linspace(0.0, 1.0, 20_001)[1:]
    floor = of[null._LEAST - 1]
    (at_floor, half, none) = measured_p_values(np.array([floor, floor / 2, 0.0]), of)
    assert half == pytest.approx(at_floor / 2)
    assert none == 0


def test_of_noise_one_venue_in_twenty_has_a_false_pair_and_planted_ones_are_found() -> None:
    options = ScanOptions(lags=1, correction="measured")
    found = [scan(walks(seed, 286, 10), options) for seed in range(40)]
    assert sum(one.corrected > 0 for one in found) <= 5
    assert sum(one.confirmed > 0 for one in found) <= 1
    both = {frozenset((pair.y, pair.x)) for pair in scan(planted(3), options).pairs if pair.stage != "tried"}
    assert {frozenset((0, 1)), frozenset((2, 3))} <= both
