"""Rolling statistics of a history equal those of a live stream."""

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.clock import SECOND
from services.contracts.messages import Method, PairConfig
from services.quant.analysis.rolling import RollingStatistics, Series, refit_every, rolling
from services.quant.estimators.registry import ESTIMATORS, MOVING, ON_BAR_CLOSE
from services.quant.fit import NotEnoughDataError
from services.quant.transform import TRANSFORMS, Transform
from services.stream_analytics.alignment import Sample
from services.stream_analytics.pair_window import PairWindow
from services.stream_analytics.trades import TapeTrade
from tests.unit.quant.series import kinds, legs, seeds, walk

methods = st.sampled_from(sorted(ESTIMATORS))
transforms = st.sampled_from(sorted(TRANSFORMS))


def live(
    method: Method, transform: Transform, window: int, y: list[float], x: list[float]
) -> list[tuple[float | None, ...]]:
    """Return what signals say of these closes, a second apart."""
    config = PairConfig(pair="ETHUSDT-BTCUSDT", window=window, method=method, transform=transform)
    judged = PairWindow(config)
    said: list[tuple[float | None, ...]] = []
    for number, (one_y, one_x) in enumerate(zip(y, x, strict=True)):
        at_us = number * SECOND
        sample = Sample(at_us, TapeTrade(at_us, one_y), TapeTrade(at_us, one_x))
        signal = judged.judge(sample)
        said.append((signal.hedge_ratio, signal.intercept, signal.spread, signal.zscore, signal.correlation))
        judged.learn(sample, signal)
    return said


@settings(max_examples=40, deadline=None)
@given(method=methods, transform=transforms, kind=kinds, seed=seeds, window=st.integers(10, 60))
def test_they_are_to_the_bit_what_the_stream_says(
    method: Method, transform: Transform, kind: str, seed: int, window: int
) -> None:
    y, x = (leg.tolist() for leg in legs(kind, seed, 90))
    seen_y, seen_x = ([TRANSFORMS[transform](price) for price in leg] for leg in (y, x))
    try:
        columns = rolling(method, window, 30, seen_y, seen_x, range(90), transform)
    except NotEnoughDataError:
        nothing: Series = [None] * 90
        columns = RollingStatistics(*[nothing] * 5)
    every = refit_every(method, window)
    for number, (found, said) in enumerate(
        zip(zip(*columns, strict=True), live(method, transform, window, y, x), strict=True)
    ):
        if number % every == 0:
            assert found == said


def test_where_there_is_no_value_there_is_a_reason() -> None:
    y, x = (leg.tolist() for leg in walk(np.random.default_rng(1), 30))
    with pytest.raises(NotEnoughDataError, match="more than 30 observations are needed, there are 30"):
        rolling("ols", 300, 30, y, x, range(30))
    with pytest.raises(NotEnoughDataError, match="x did not move in the window"):
        rolling("ols", 300, 10, y, [7.0] * 30, range(30))
    with pytest.raises(NotEnoughDataError, match="the spread did not move in the window"):
        rolling("rls", 300, 10, x, x, range(30))


@pytest.mark.parametrize("method", sorted(ON_BAR_CLOSE))
def test_a_line_that_costs_much_serves_several_bars_and_never_looks_ahead(method: Method) -> None:
    y, x = (leg.tolist() for leg in walk(np.random.default_rng(1), 450))
    found = rolling(method, 100, 30, y, x, range(450))
    every = refit_every(method, 100)
    assert every > 1
    assert {len(list(line)) for _, line in groupby(found.hedge_ratio[100:-every])} == {every}
    cut = rolling(method, 100, 30, y[:200] + [9.0] * 250, x[:200] + [5.0] * 250, range(450))
    assert [column[:200] for column in cut] == [column[:200] for column in found]


@settings(max_examples=20, deadline=None)
@given(
    method=st.sampled_from(sorted(set(ESTIMATORS) - MOVING)),
    seed=seeds,
    window=st.integers(10, 60),
    first=st.integers(0, 90),
    last=st.integers(180, 299),
)
def test_a_value_does_not_depend_on_where_the_history_begins_or_ends(
    method: Method, seed: int, window: int, first: int, last: int
) -> None:
    random = np.random.default_rng(seed)
    y, x = (leg.tolist() for leg in walk(random, 300))
    bars = np.sort(random.choice(400, 300, replace=False)).tolist()
    whole = rolling(method, window, 30, y, x, bars)
    part = rolling(method, window, 30, y[first:last], x[first:last], bars[first:last])
    settled = window + refit_every(method, window)
    for column, of_whole in zip(part, whole, strict=True):
        # Where a robust line does not settle there is none, in both.
        known, expected = column[settled:], of_whole[first:last][settled:]
        assert [one is None for one in known] == [one is None for one in expected]
        assert [one for one in known if one is not None] == pytest.approx(
            [one for one in expected if one is not None], rel=1e-7, abs=1e-9
        )
