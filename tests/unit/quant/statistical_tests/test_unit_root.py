"""ADF and Engle-Granger, against statsmodels."""

import math
import re
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.stattools import adfuller, coint

from services.quant.fit import NotEnoughDataError
from services.quant.options import Criterion, Trend
from services.quant.statistical_tests.dickey_fuller import choose_lags
from services.quant.statistical_tests.unit_root import UnitRoot, adf, engle_granger
from tests.unit.quant.series import Array, kinds, legs, seeds

trends = st.sampled_from(["n", "c", "ct", "ctt"])
criteria = st.sampled_from(["aic", "bic"])


def autoregressive(random: np.random.Generator, n: int, b: float) -> Array:
    """Return s[t] = b * s[t-1] + e."""
    s = np.zeros(n)
    for t in range(1, n):
        s[t] = b * s[t - 1] + random.normal()
    return s


def easy(series: Array, trend: Trend) -> Array:
    """Return `series` in another unit, where that is the same to the test: in raw prices statsmodels loses digits."""
    if trend == "n" or not np.ptp(series):
        return series
    moved: Array = (series - series[0]) * (len(series) / np.ptp(series))
    return moved


@settings(max_examples=40, deadline=None)
@given(kind=kinds, seed=seeds, n=st.integers(30, 300), trend=trends, criterion=criteria)
def test_adf_is_that_of_statsmodels(kind: str, seed: int, n: int, trend: Trend, criterion: Criterion) -> None:
    series, _ = legs(kind, seed, n)
    if not np.ptp(series):
        with pytest.raises(NotEnoughDataError):
            adf(series, trend, criterion)
        return
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        statistic, p_value, lags, samples, critical, _ = adfuller(
            easy(series, trend), regression=trend, autolag=criterion.upper(), result_object=False
        )
    try:
        ours = adf(series, trend, criterion)
    except NotEnoughDataError:
        assert warned or np.ptp(series) < 1e-10 * np.abs(series).max() or abs(statistic) > 1e9
        return
    # As good as each other but for rounding, or statsmodels has lost the digits that decide.
    if ours.lags != lags:
        least = information(series, trend, lags, criterion)
        assert information(series, trend, ours.lags, criterion) <= least + 1e-6 * abs(least) + 1e-3
        return
    assert ours.samples == samples
    assert ours.critical_values == critical
    # Beside a level of 1 that may not be taken out, a move of 1e-12 has few digits. Beside absurd prices and powers of
    # the time statsmodels loses some, ours do not: in arithmetic of 60 digits 1.67411923229, not 1.67411187.
    known = 2e-2 if (kind, trend) == ("tiny", "n") else 1e-4 if kind == "outliers" else 1e-6
    assert (ours.statistic, ours.p_value) == pytest.approx((statistic, p_value), rel=known, abs=known)


def test_absurd_prices_cost_no_digits() -> None:
    series, _ = legs("outliers", 256, 256)
    assert adf(series, "ctt", "aic").statistic == pytest.approx(1.67411923228909, rel=1e-8)


def information(series: Array, trend: Trend, lags: int, criterion: Criterion) -> float:
    """Return the criterion of so many lags, from the residuals of statsmodels."""
    most = min(
        len(series) // 2 - len(trend.replace("n", "")) - 1, math.ceil(12 * (len(series) / 100) ** 0.25)
    )
    # In other units, because beside a constant statsmodels loses the digits of what hardly moves.
    origin = 0.0 if trend == "n" else series[0]
    found = adfuller(
        (series[most - lags :] - origin) / np.ptp(series), maxlag=lags, autolag=None, regression=trend,
        store=True, regresults=True, result_object=True,
    )  # fmt: skip
    return float(getattr(found.resstore.resols, criterion))


@settings(max_examples=25, deadline=None)
@given(seed=seeds, n=st.integers(30, 400), b=st.floats(0, 1), trend=trends, lags=st.integers(0, 12))
def test_engle_granger_is_that_of_statsmodels_with_chosen_and_with_given_lags(
    seed: int, n: int, b: float, trend: Trend, lags: int
) -> None:
    random = np.random.default_rng(seed)
    x = 100 + np.cumsum(random.normal(size=n))
    y = 7 + 0.5 * x + autoregressive(random, n, b)
    for asked, options in (
        ("aic", {"autolag": "aic"}),
        ("bic", {"autolag": "bic"}),
        (lags, {"maxlag": lags, "autolag": None}),
    ):
        ours = engle_granger(y, x, trend, asked)  # type: ignore[arg-type]
        theirs = coint(easy(y, trend), easy(x, trend), trend=trend, return_results=True, **options)
        assert ours.statistic == pytest.approx(theirs.coint_t, rel=1e-9)
        assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-9, abs=1e-300)
        if trend == "n":
            assert ours.critical_values is None
        else:
            assert ours.critical_values == dict(zip(("1%", "5%", "10%"), theirs.critical_values, strict=True))


@settings(max_examples=40, deadline=None)
@given(kind=kinds, seed=seeds, trend=trends)
def test_legs_of_any_kind_are_tested_or_refused_and_never_a_nan(kind: str, seed: int, trend: Trend) -> None:
    y, x = legs(kind, seed, 120)
    try:
        found = engle_granger(y, x, trend)
    except NotEnoughDataError:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            coint(y, x, trend=trend, return_results=True)
        assert warned or min(np.ptp(y) / y.max(), np.ptp(x) / x.max()) < 1e-10
    else:
        assert math.isfinite(found.statistic)
        assert 0 <= found.p_value <= 1


@pytest.mark.parametrize(
    ("series", "reason"),
    [
        (np.arange(29.0), "at least 30 observations, there are 29"),
        (np.full(50, 7.0), "does not move but for its trend"),
        (3.0 + 0.25 * np.arange(50), "does not move but for its trend"),
    ],
)
def test_what_cannot_be_tested_has_a_reason(series: Array, reason: str) -> None:
    with pytest.raises(NotEnoughDataError, match=reason):
        adf(series, "ct")
    with pytest.raises(NotEnoughDataError, match=reason):
        engle_granger(series, np.random.default_rng(1).normal(size=len(series)), "ct")


def test_more_lags_than_there_is_room_for_are_refused() -> None:
    series = np.random.default_rng(1).normal(size=40)
    assert adf(series, "c", 18).lags == 18
    with pytest.raises(NotEnoughDataError, match="at most 18 lags, 19 were asked for"):
        adf(series, "c", 19)


@pytest.mark.parametrize("n", [30, 31, 60])
@pytest.mark.parametrize("trend", ["n", "c", "ct", "ctt"])
def test_the_most_lags_leave_a_statistic_its_errors(n: int, trend: Trend) -> None:
    y, x = np.cumsum(np.random.default_rng(2).normal(size=(2, n)), axis=1)
    tests: list[Callable[[int], UnitRoot]] = [
        lambda lags: engle_granger(y, x, trend, lags),
        lambda lags: adf(y, trend, lags),
    ]
    for test in tests:
        with pytest.raises(NotEnoughDataError) as refused:
            test(99)
        most = int(re.findall(r"at most (\d+) lags", str(refused.value))[0])
        assert 1e-6 < abs(test(most).statistic) < 1e3


@pytest.mark.parametrize("trend", ["c", "ct", "ctt"])
@pytest.mark.parametrize("line", [(2.0, 3.0), (1 / 3, 7.0), (1.0, -60_000.0), (1e-9, 0.0)])
def test_the_same_leg_twice_is_collinear(line: tuple[float, float], trend: Trend) -> None:
    _, x = legs("walk", 1, 2_000)
    with pytest.raises(NotEnoughDataError, match="the same but for a constant and a factor"):
        engle_granger(line[0] * x + line[1], x, trend)


def test_legs_that_hold_very_well_are_tested() -> None:
    random = np.random.default_rng(1)
    x = 6e4 * np.exp(np.cumsum(random.normal(0, 2e-3, 500)))
    assert engle_granger(x + random.normal(0, 0.5, 500), x).statistic < -20
    logs = np.log(3e3 * np.exp(np.cumsum(random.normal(0, 2e-3, 500))))
    found = engle_granger(logs, np.log(x), "n")
    expected = adfuller(
        logs - (logs @ np.log(x)) / (np.log(x) @ np.log(x)) * np.log(x), regression="n", result_object=False
    )
    assert found.statistic == pytest.approx(expected[0], rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, trend=trends, unit=st.sampled_from([1e-12, 1e-8, 1e-5, 1e3, 1e9]))
def test_the_unit_of_prices_does_not_matter(seed: int, trend: Trend, unit: float) -> None:
    random = np.random.default_rng(seed)
    x = np.exp(np.cumsum(random.normal(0, 3e-4, 1_000)))
    y = x * np.exp(5e-4 * autoregressive(random, 1_000, 0.98))
    assert adf(unit * y, trend, 3).statistic == pytest.approx(adf(y, trend, 3).statistic, abs=1e-8)
    for other in (1.0, unit):
        assert engle_granger(unit * y, other * x, trend, 3).statistic == pytest.approx(
            engle_granger(y, x, trend, 3).statistic, abs=1e-8
        )


def test_on_independent_walks_engle_granger_cries_five_percent_of_the_time_and_adf_twice_as_often() -> None:
    random = np.random.default_rng(20260101)
    n, runs = 100, 300
    cries = {"engle_granger": 0, "adf": 0}
    for _ in range(runs):
        y, x = np.cumsum(random.normal(size=(2, n)), axis=1)
        slope, intercept = np.polyfit(x, y, 1)
        cries["engle_granger"] += engle_granger(y, x, lags=0).p_value < 0.05
        cries["adf"] += adf(y - intercept - slope * x, lags=0).p_value < 0.05
    assert 0.02 < cries["engle_granger"] / runs < 0.08
    assert cries["adf"] / runs > 0.08


def test_lags_are_found_where_there_are_some() -> None:
    random = np.random.default_rng(3)
    steps = np.zeros(2_000)
    for t in range(4, 2_000):
        steps[t] = 0.5 * steps[t - 4] + random.normal()
    assert choose_lags(np.cumsum(steps), "c", "bic") == 4


@pytest.mark.parametrize("trend", ["n", "c", "ctt"])
def test_the_memory_it_takes_changes_no_lag_and_no_digit(
    monkeypatch: pytest.MonkeyPatch, trend: Trend
) -> None:
    series = autoregressive(np.random.default_rng(3), 1_000, 0.9)
    whole = adf(series, trend)
    monkeypatch.setattr("services.quant.statistical_tests.dickey_fuller._ROWS", 64)
    parts = adf(series, trend)
    assert parts.lags == whole.lags
    assert parts.statistic == pytest.approx(whole.statistic, rel=1e-12)


def test_lags_beyond_ten_thousand_observations_are_no_more() -> None:
    steps = np.random.default_rng(4).normal(size=12_000)
    for at in range(39, len(steps)):
        steps[at] += 0.5 * steps[at - 39]
    series = np.cumsum(steps)
    ours = adf(series)
    theirs = adfuller(series, maxlag=38, result_object=False)
    assert ours.lags == theirs[2] <= 38
    assert ours.statistic == pytest.approx(theirs[0], rel=1e-9)
