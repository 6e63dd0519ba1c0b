"""Pair analysis: its parts agree, and each verdict comes where it should."""

import math
import re
from typing import get_args

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec import Struct, structs, to_builtins

from services.quant.analysis.evidence import Evidence
from services.quant.analysis.pair_analysis import Analysis, analyse, refuse
from services.quant.analysis.verdict import judge
from services.quant.estimators.registry import ESTIMATORS, MOVING, Method
from services.quant.options import AnalysisOptions, Conclusion, Part
from services.quant.statistical_tests.half_life import HalfLife
from services.quant.statistical_tests.unit_root import UnitRoot, adf, engle_granger
from services.quant.transform import TRANSFORMS
from tests.unit.quant.series import Array, kinds, legs, seeds
from tests.unit.quant.statistical_tests.test_unit_root import autoregressive

methods = st.sampled_from(sorted(ESTIMATORS))


def pair(seed: int, n: int, b: float) -> tuple[Array, Array]:
    """Return legs whose spread is an autoregression: of b = 1 they have nothing in common."""
    random = np.random.default_rng(seed)
    x = 1_000 + np.cumsum(random.normal(size=n))
    return 500 + 0.5 * x + autoregressive(random, n, b), x


def numbers(value: object) -> list[float]:
    """Return every number within."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [number for one in value for number in numbers(one)]
    return [value] if isinstance(value, float) else []


@settings(max_examples=80, deadline=None)
@given(
    method=methods, kind=kinds, seed=seeds, n=st.integers(0, 200), window=st.integers(3, 50),
    transform=st.sampled_from(["price", "log"]), trend=st.sampled_from(["n", "c", "ct", "ctt"]),
    lags=st.sampled_from(["aic", "bic", 0, 5, 70]),
)  # fmt: skip
def test_any_legs_give_finite_numbers_or_reasons(
    method: Method, kind: str, seed: int, n: int, window: int, transform: str, trend: str, lags: str | int
) -> None:
    y, x = legs(kind, seed, n)
    assume((method, transform) != ("ols_origin", "log"))
    options = AnalysisOptions(method=method, window=window, transform=transform, trend=trend, lags=lags)  # type: ignore[arg-type]
    found = analyse(y, x, options)
    parts = {name: getattr(found, name) for name in get_args(Part)}
    assert {name for name, value in parts.items() if value is None} == found.not_enough_data.keys()
    assert all(found.not_enough_data.values())
    statistics = {name: value for name, value in parts.items() if isinstance(value, Struct | HalfLife)}
    assert all(map(math.isfinite, numbers(to_builtins(statistics))))
    columns = [found.sample_spread, found.sample_zscore, *(found.rolling or [])]
    assert {len(column) for column in columns if column is not None} <= {n}
    assert found.samples == n
    assert found.verdict.text


def test_the_parts_are_those_of_the_spread_that_is_given() -> None:
    y, x = pair(1, 400, 0.8)
    found = analyse(y, x, AnalysisOptions(trend="ct", lags=2))
    assert found.regression is not None
    assert found.sample_spread is not None
    assert found.sample_spread == pytest.approx(
        y - found.regression.intercept - found.regression.hedge_ratio * x
    )
    assert found.sample_zscore == pytest.approx(found.sample_spread / found.regression.scale)
    assert found.regression.r_squared == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2)
    assert found.adf_spread == adf(found.sample_spread, "ct", 2)
    assert (found.adf_y, found.adf_x) == (adf(y, "ct", 2), adf(x, "ct", 2))
    assert found.engle_granger_y_on_x == engle_granger(y, x, "ct", 2)
    assert found.engle_granger_x_on_y == engle_granger(x, y, "ct", 2)
    assert found.half_life is not None
    b = np.polyfit(found.sample_spread[:-1], found.sample_spread[1:], 1)[0]
    assert found.half_life.samples == pytest.approx(math.log(0.5) / math.log(b), rel=1e-9)


def test_logarithms_are_taken_before_everything() -> None:
    y, x = pair(2, 200, 0.8)
    logs, prices = (
        analyse(y, x, AnalysisOptions(transform="log")),
        analyse(np.log(y), np.log(x), AnalysisOptions()),
    )
    assert logs.regression == prices.regression
    assert logs.engle_granger_y_on_x == prices.engle_granger_y_on_x
    assert logs.rolling == prices.rolling


@pytest.mark.parametrize("method", sorted(MOVING))
def test_the_spread_of_a_moving_line_is_its_forecast_error(method: Method) -> None:
    found = analyse(*pair(3, 300, 0.8), AnalysisOptions(method=method, window=50))
    assert found.rolling is not None
    assert found.sample_spread is not None
    known = [value for value in found.rolling.spread if value is not None]
    assert found.sample_spread[-len(known) :].tolist() == known
    assert np.isnan(found.sample_spread[: -len(known)]).all()


@pytest.mark.parametrize(
    ("legs_of", "conclusion"),
    [
        (pair(1, 500, 0.7), "cointegrated"),
        (tuple(1_000 + np.cumsum(np.random.default_rng(5).normal(size=(2, 500)), axis=1)), "not_cointegrated"),
        (tuple(100 + np.random.default_rng(6).normal(size=(2, 500))), "cointegrated"),
        ((np.full(500, 7.0), pair(1, 500, 0.7)[1]), "not_enough_data"),
        ((pair(1, 500, 0.7)[1] * 2, pair(1, 500, 0.7)[1]), "not_enough_data"),
        (pair(1, 20, 0.7), "not_enough_data"),
    ],
    ids=["cointegrated", "independent", "stationary", "constant", "collinear", "short"],
)  # fmt: skip
def test_verdicts(legs_of: tuple[Array, Array], conclusion: Conclusion) -> None:
    found = analyse(*legs_of, AnalysisOptions())
    assert found.verdict.conclusion == conclusion
    if conclusion == "not_enough_data":
        assert found.not_enough_data["engle_granger_y_on_x"] in found.verdict.text
    else:
        assert found.engle_granger_y_on_x is not None
        assert f"{found.engle_granger_y_on_x.p_value:.3g}" in found.verdict.text


def notes_of(found: Analysis) -> str:
    return " ".join(found.verdict.notes)


def test_notes_say_what_to_keep_in_mind() -> None:
    held = analyse(*pair(1, 500, 0.7), AnalysisOptions())
    assert held.half_life_interval is not None
    samples, low, high = held.half_life_interval
    assert None not in (samples, low, high)
    assert f"Half-life: {samples:.3g} bars ({low:.3g} to {high:.3g} at 95 %)." in notes_of(held)
    assert "the spread reverts more than a random walk" in notes_of(held)
    assert "autocorrelated (Durbin-Watson" in notes_of(held)
    random = np.random.default_rng(5)
    for _ in range(100):
        y, x = 1_000 + np.cumsum(random.normal(size=(2, 200)), axis=1)
        fooled = analyse(y, x, AnalysisOptions())
        if (
            fooled.adf_spread
            and fooled.adf_spread.p_value < 0.04
            and fooled.verdict.conclusion == "not_cointegrated"
        ):
            break
    assert "would call it stationary, but that is biased" in notes_of(fooled)


def test_the_critical_value_decides_and_not_the_asymptotic_p_value() -> None:
    near = UnitRoot(-3.45, 0.048, 0, 99, {"1%": -4.01, "5%": -3.46, "10%": -3.13})
    beyond = structs.replace(near, statistic=-3.47)
    asked = Evidence(samples=100, y_on_x=near, x_on_y=near)
    assert judge(asked).conclusion == "not_cointegrated"
    assert "-3.45, p = 0.048 (Y on X)" in judge(asked).text
    assert judge(structs.replace(asked, y_on_x=beyond)).conclusion == "one_way"
    assert judge(structs.replace(asked, y_on_x=beyond, x_on_y=beyond)).conclusion == "cointegrated"
    without = structs.replace(near, critical_values=None)
    assert judge(structs.replace(asked, y_on_x=without, x_on_y=without)).conclusion == "cointegrated"


def test_random_walks_are_not_said_to_trend_or_to_come_back() -> None:
    random = np.random.default_rng(8)
    told = 0
    for _ in range(40):
        y, x = 1_000 + np.cumsum(random.normal(size=(2, 300)), axis=1)
        found = analyse(y, x, AnalysisOptions(lags=0))
        told += "than a random walk" in notes_of(found) or "trends" in notes_of(found)
        if found.half_life and found.half_life.samples and found.half_life_interval.high is None:  # type: ignore[union-attr]
            assert "a random walk, which does not revert, is not excluded" in notes_of(found)
    assert told <= 4


def test_a_filter_knows_that_it_sees_logarithms() -> None:
    """Of two coins near 1 it would take their logarithms, near 0, for the unit of what walks."""
    random = np.random.default_rng(6)
    y, x = 1 + 1e-5 * np.cumsum(random.normal(size=(2, 200)), axis=1)
    prices, logs = (
        analyse(y, x, AnalysisOptions(method="kalman", transform=transform)) for transform in TRANSFORMS
    )
    assert prices.regression
    assert logs.regression
    assert logs.regression.hedge_ratio == pytest.approx(prices.regression.hedge_ratio, rel=1e-3)
    assert prices.rolling
    assert logs.rolling
    assert logs.rolling.hedge_ratio[-1] == pytest.approx(prices.rolling.hedge_ratio[-1], rel=1e-3)


@pytest.mark.parametrize("method", ESTIMATORS)
def test_the_rounding_of_a_perfect_line_is_no_spread(method: Method) -> None:
    _, x = pair(4, 300, 0.8)
    found = analyse(x / 3 + (0 if method == "ols_origin" else 7), x, AnalysisOptions(method=method))
    assert found.regression is not None
    parts: tuple[Part, ...] = (
        "sample_spread",
        "sample_zscore",
        "adf_spread",
        "hurst",
        "half_life",
        "diagnostics",
    )
    for name in parts:
        assert re.search("rounding of the legs|did not move", found.not_enough_data[name])


@pytest.mark.parametrize("method", ["ewma", "rls"])
def test_what_was_never_forecast_has_no_r_squared_and_the_true_reason(method: Method) -> None:
    _, x = pair(4, 300, 0.8)
    found = analyse(x, x, AnalysisOptions(method=method))
    assert found.regression is not None
    assert (found.regression.r_squared, found.regression.r_squared_samples) == (None, 0)
    assert found.not_enough_data["rolling"] == "the spread did not move in the window"
    assert found.not_enough_data["adf_spread"] == "the spread did not move in the window"


def test_columns_without_a_value_have_a_reason() -> None:
    y, x = pair(4, 29, 0.8)
    assert analyse(y, x, AnalysisOptions()).not_enough_data["rolling"] == (
        "more than 30 observations are needed, there are 29"
    )
    still = np.where(np.arange(100) < 90, 5.0, 9.0)
    found = analyse(still, pair(4, 100, 0.8)[1], AnalysisOptions(method="theil_sen"))
    assert found.not_enough_data["rolling"] == "the spread did not move in the window"
    assert found.not_enough_data["sample_zscore"] == "the scale of the spread is 0"


def test_a_refusal_gives_its_reason_for_everything() -> None:
    found = refuse(3, "only 3 of 10 bars are there for both legs")
    assert set(found.not_enough_data) == set(get_args(Part))
    assert found.verdict.conclusion == "not_enough_data"
    assert "only 3 of 10 bars" in found.verdict.text
