"""Comparison of signals: a benchmark's figure counts only if the numbers computed are the same."""

import math

import pytest
from msgspec import structs

from benchmarks.market_speed.rated import difference
from benchmarks.market_speed.replay import compare
from benchmarks.market_speed.result import Result
from services.contracts.messages import Signal

ONE = Signal(
    pair="Y-X", event_us=1_000_000, y_price=2.0, x_price=1.0, hedge_ratio=1.0, intercept=0.0, method="ols",
    spread=0.5, zscore=1.25, correlation=0.5, window=300, samples=40, quality="ok",
)  # fmt: skip
KEY = (ONE.pair, ONE.event_us)
OTHER = structs.replace(ONE, event_us=2_000_000)


def test_equal_signals_differ_by_nothing() -> None:
    assert difference({KEY: ONE}, {KEY: ONE}) == 0


def test_the_largest_difference_of_z_scores_counts() -> None:
    mine = {KEY: structs.replace(ONE, zscore=1.5), ("Y-X", 2): OTHER}
    assert difference(mine, {KEY: ONE, ("Y-X", 2): OTHER}) == 0.25


@pytest.mark.parametrize("changed", [{"zscore": None}, {"y_price": 2.5}, {"samples": 39}])
def test_what_is_not_the_same_sample_is_infinitely_far(changed: dict[str, object]) -> None:
    assert math.isinf(difference({KEY: structs.replace(ONE, **changed)}, {KEY: ONE}))


def test_a_signal_too_few_or_too_many_is_infinitely_far() -> None:
    assert math.isinf(difference({}, {KEY: ONE}))
    assert math.isinf(difference({KEY: ONE}, {}))


def test_a_replay_that_says_the_same_has_no_problem() -> None:
    result = Result("replay", "line")
    compare(result, {KEY: ONE}, {KEY: ONE})
    assert result.problems == []
    assert result.line == "line; 1 signals the same to the bit"


def test_a_replay_that_differs_names_the_first_signal_and_what_differs() -> None:
    result = Result("replay", "line")
    compare(result, {KEY: structs.replace(ONE, zscore=1.2500000000000002)}, {KEY: ONE})
    assert result.problems == [
        "1 closed signals differ, the first of Y-X at 1970-01-01T00:00:01.000000Z: zscore 1.2500000000000002, not 1.25"
    ]
    assert result.figures["signals_unlike"] == 1


def test_a_replay_without_a_signal_says_so() -> None:
    result = Result("replay", "line")
    compare(result, {("Y-X", 2): OTHER}, {KEY: ONE})
    assert result.problems == [
        "1 of 1 closed signals are not in the database, and 1 are there that should not"
    ]
