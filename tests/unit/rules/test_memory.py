import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import SECOND
from services.contracts.conditions import Condition
from services.rules.memory import NOTHING, follow


def followed(condition: Condition, values: list[float], every_s: int = 1) -> list[float | None]:
    """Return what is compared of each value."""
    memory, told = NOTHING, []
    for second, value in enumerate(values):
        memory, compared = follow(condition, memory, second * every_s * SECOND, value)
        told.append(compared)
    return told


def test_a_crossing_is_told_in_its_second_alone_and_once_a_side() -> None:
    condition = Condition(metric="zscore", operator="crosses", fire=1.0, clear=0.0)
    assert followed(condition, [0.5, -1.0, 0.5, 1.5, 2.0, 0.5, 1.5, -1.0]) == [0, 0, 0, 1, 0, 0, 0, 1]


def test_a_change_is_that_of_its_stretch_of_time() -> None:
    condition = Condition(metric="y_price", operator="changes_by", fire=1.0, over_s=2)
    assert followed(condition, [10.0, 11.0, 13.0, 16.0, 16.0, 16.0]) == [0, 1, 3, 5, 3, 0]


def test_a_change_in_per_cent_is_of_the_earlier_value() -> None:
    condition = Condition(metric="y_price", operator="changes_by", fire=1.0, over_s=2, percent=True)
    assert followed(condition, [10.0, 11.0])[-1] == pytest.approx(10)
    assert followed(condition, [0.0, 1.0])[-1] is None


@given(st.lists(st.floats(1, 100), min_size=100, max_size=100), st.sampled_from([2.0, 60.0, 600.0]))
def test_memory_stays_small(prices: list[float], over_s: float) -> None:
    for metric, operator in (("y_price", "changes_by"), ("y_volatility", "above")):
        condition = Condition(metric=metric, operator=operator, fire=1.0, over_s=over_s)  # type: ignore[arg-type]
        memory = NOTHING
        for second, price in enumerate(prices):
            memory, _ = follow(condition, memory, second * SECOND, price)
            assert len(memory) <= 63


def test_a_volatility_is_that_of_the_returns_and_not_known_before_its_stretch_of_time() -> None:
    condition = Condition(metric="y_volatility", operator="above", fire=1.0, over_s=3)
    prices = [100.0, 101.0, 100.0, 102.0, 101.0]
    returns = [math.log(after / before) for before, after in pairwise(prices)]
    told = followed(condition, prices)
    assert told[:3] == [None, None, None]
    assert told[3] == pytest.approx(100 * math.sqrt(sum(one**2 for one in returns[:3])))
    assert told[4] == pytest.approx(100 * math.sqrt(sum(one**2 for one in returns[1:])))
