"""Rolling numbers of a history are those of a live stream."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.clock import SECOND
from services.common.messages import Method, PairConfig
from services.quant.estimators import ESTIMATORS, ON_BAR_CLOSE
from services.quant.rolling import refit_every, rolling
from services.stream_analytics.alignment import Sample
from services.stream_analytics.tape import Trade
from services.stream_analytics.windows import PairWindow
from tests.unit.quant.series import kinds, legs, seeds, walk

methods = st.sampled_from(sorted(ESTIMATORS))


def live(method: Method, window: int, y: list[float], x: list[float]) -> list[tuple[float | None, ...]]:
    """Return what signals say of these closes, a second apart."""
    judged = PairWindow(PairConfig(pair="ETHUSDT-BTCUSDT", window=window, method=method))
    said: list[tuple[float | None, ...]] = []
    for number, (one_y, one_x) in enumerate(zip(y, x, strict=True)):
        at_us = number * SECOND
        sample = Sample(at_us, Trade(at_us, one_y), Trade(at_us, one_x))
        signal = judged.judge(sample)
        said.append((signal.hedge_ratio, signal.intercept, signal.spread, signal.zscore, signal.correlation))
        judged.learn(sample)
    return said


@settings(max_examples=40, deadline=None)
@given(method=methods, kind=kinds, seed=seeds, window=st.integers(10, 60))
def test_they_are_to_the_bit_what_the_stream_says(method: Method, kind: str, seed: int, window: int) -> None:
    y, x = (leg.tolist() for leg in legs(kind, seed, 90))
    assert refit_every(method, window, 90) == 1
    *columns, _ = rolling(method, window, 30, y, x)
    assert list(zip(*columns, strict=True)) == live(method, window, y, x)


@pytest.mark.parametrize("method", sorted(ON_BAR_CLOSE))
def test_a_line_that_costs_much_serves_several_bars_and_never_looks_ahead(method: Method) -> None:
    y, x = (leg.tolist() for leg in walk(np.random.default_rng(1), 450))
    found = rolling(method, 100, 30, y, x)
    every = refit_every(method, 100, 450)
    assert found.refit_every == every > 1
    fresh = live(method, 100, y, x)
    for number in range(every * 10, 450, every):
        assert [column[number] for column in found[:5]] == list(fresh[number])
    cut = rolling(method, 100, 30, y[:200] + [9.0] * 250, x[:200] + [5.0] * 250)
    assert [column[:200] for column in cut[:5]] == [column[:200] for column in found[:5]]
