"""Intervals of the hedge ratio, on fewer tapes than `python -m benchmarks.coverage` takes."""

import pytest

from benchmarks.coverage import AFTER, CASES, TRANSFORMS, Case, coverage
from services.quant.estimators.registry import MOVING
from services.quant.transform import Transform

# Of 200 tapes 95 % are 190, with a standard deviation of 3.
TAPES = 200


def covered(case: Case, after: tuple[int, ...]) -> list[float]:
    return [-1.0 if row.covered is None else row.covered for row in coverage(case, TAPES, after)]


@pytest.mark.parametrize("case", [case for case in CASES if case.method != "tls"], ids=str)
def test_the_interval_holds_the_true_hedge_ratio_in_95_of_100_markets(case: Case) -> None:
    is_long = case.transform == "log" and case.method in MOVING
    shares = covered(case, AFTER if is_long else AFTER[:2])
    if is_long and case.method == "kalman" and not case.walks:
        # It takes the line to walk: of an hour without a change it makes less than it could.
        assert shares.pop() >= 0.95
    assert all(0.91 <= share <= 0.985 for share in shares), shares


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_the_nearest_line_has_no_interval(transform: Transform) -> None:
    assert covered(Case("tls", transform), (60,)) == [-1]


def test_a_filter_makes_the_same_of_prices_and_of_their_logarithms() -> None:
    """So delta means the same in both, and currencies and the level of prices nothing."""
    prices, logs = (coverage(Case("kalman", transform), 20) for transform in TRANSFORMS)
    for one, other in zip(prices, logs, strict=True):
        assert one.error == pytest.approx(other.error, rel=0.02)
        assert one.width == pytest.approx(other.width, rel=0.02)
