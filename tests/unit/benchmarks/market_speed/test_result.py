"""Numbers of a benchmark's result."""

import pytest

from benchmarks.market_speed.costs import spent
from benchmarks.market_speed.result import Result, slope, spread


def test_a_spread_has_the_median_and_the_99th_percentile() -> None:
    assert spread([float(one) for one in range(101)]) == {"count": 101, "p50": 50, "p99": 99, "max": 100}


@pytest.mark.parametrize("values", [[], [1.0]])
def test_of_too_few_values_there_is_no_spread(values: list[float]) -> None:
    assert spread(values) is None


def test_a_slope_is_that_of_the_line_through_the_points() -> None:
    assert slope([(10.0, 1.0), (20.0, 3.0), (30.0, 5.0)]) == pytest.approx(0.2)


@pytest.mark.parametrize("points", [[], [(1.0, 5.0)], [(1.0, 5.0), (1.0, 7.0)]])
def test_of_one_moment_there_is_no_slope(points: list[tuple[float, float]]) -> None:
    assert slope(points) == 0


def test_a_process_that_began_in_the_window_has_spent_all_it_had() -> None:
    assert spent({"sink": 1.0}, {"sink": 4.0, "api": 1.5}, 10.0) == {"api": 15.0, "sink": 30.0}


def test_problems_stand_below_the_line_of_their_case() -> None:
    assert str(Result("ready", "not ready", problems=["why"])) == f"{'ready':<15}not ready\n{'':<15}! why"
