"""Diagnostics of residuals."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from services.quant.fit import NotEnoughDataError
from services.quant.statistical_tests.diagnostics import diagnose


def test_residuals_of_noise_show_nothing() -> None:
    found = diagnose(np.random.default_rng(1).normal(size=1_000))
    assert found.durbin_watson == pytest.approx(2, abs=0.1)
    assert min(found.ljung_box.p_value, found.arch.p_value, found.jarque_bera.p_value) > 0.05
    assert (found.skew, found.kurtosis) == pytest.approx((0, 3), abs=0.2)


def test_each_diagnostic_sees_its_own_fault() -> None:
    random = np.random.default_rng(2)
    noise = random.normal(size=1_000)
    walk = diagnose(np.cumsum(noise))
    assert walk.durbin_watson < 0.1
    assert walk.ljung_box.p_value < 1e-6
    calm_and_wild = diagnose(noise * np.repeat([1, 5], 500))
    assert calm_and_wild.arch.p_value < 1e-6
    assert diagnose(random.exponential(size=1_000)).jarque_bera.p_value < 1e-6


@pytest.mark.parametrize("unit", [1.0, 1e-200, 1e150])
def test_they_do_not_depend_on_the_unit_and_equal_statsmodels(unit: float) -> None:
    residuals = np.random.default_rng(3).standard_t(4, size=200)
    found = diagnose(residuals * unit)
    assert found.durbin_watson == pytest.approx(sm.stats.durbin_watson(residuals), rel=1e-9)
    assert found.jarque_bera.statistic == pytest.approx(stats.jarque_bera(residuals).statistic, rel=1e-9)
    box = sm.stats.acorr_ljungbox(residuals, lags=[10])["lb_stat"].iloc[0]
    assert found.ljung_box.statistic == pytest.approx(box, rel=1e-9)
    changing = sm.stats.het_arch(residuals, nlags=10, result_object=True)
    assert found.arch.statistic == pytest.approx(changing.lm, rel=1e-9)
    assert found.arch.p_value == pytest.approx(changing.lmpval, rel=1e-9)
    normal = sm.stats.jarque_bera(residuals)
    assert (
        found.jarque_bera.statistic,
        found.jarque_bera.p_value,
        found.skew,
        found.kurtosis,
    ) == pytest.approx(normal, rel=1e-9)


def test_few_or_constant_residuals_are_refused() -> None:
    with pytest.raises(NotEnoughDataError, match="at least 30 observations, there are 29"):
        diagnose(np.arange(29.0))
    with pytest.raises(NotEnoughDataError, match="did not move"):
        diagnose(np.full(40, 0.5))
    with pytest.raises(NotEnoughDataError, match="moves too seldom"):
        diagnose(np.repeat([0.0, 4.0], [90, 10]))
