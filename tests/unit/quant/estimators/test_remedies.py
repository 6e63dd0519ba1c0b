"""Remedies against an outlier: the recommended methods do not follow it, the others do."""

import numpy as np
import pytest

from services.quant.estimators.registry import Method, create

RATIO = 0.05


def fitted(method: Method, leg: str, factor: float) -> float:
    """Return the hedge ratio of 300 seconds, one of which has a price of one leg that is `factor` of what it was."""
    random = np.random.default_rng(1)
    x = 60_000 + np.cumsum(random.normal(0, 5, 300))
    y = 300 + RATIO * x + random.normal(0, 0.5, 300)
    (y if leg == "y" else x)[250] *= factor
    estimator = create(method, 300)
    for sample in zip(y.tolist(), x.tolist(), strict=True):
        estimator.update(*sample)
    return estimator.get().hedge_ratio


@pytest.mark.parametrize("factor", [0.8, 1.02, 1.05, 1.2])
@pytest.mark.parametrize(("method", "leg"), [("theil_sen", "y"), ("theil_sen", "x"), ("huber", "y")])
def test_a_robust_line_does_not_follow_a_wick(method: Method, leg: str, factor: float) -> None:
    assert fitted(method, leg, factor) == pytest.approx(RATIO, rel=0.02)


@pytest.mark.parametrize(("method", "leg"), [("ols", "y"), ("ols", "x"), ("huber", "x")])
def test_the_others_do(method: Method, leg: str) -> None:
    assert fitted(method, leg, 1.2) != pytest.approx(RATIO, rel=0.5)
