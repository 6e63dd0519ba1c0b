"""P-values and critical values of MacKinnon, against statsmodels."""

from itertools import product
from typing import get_args

import numpy as np
import pytest
from statsmodels.tsa.adfvalues import mackinnoncrit, mackinnonp

from services.quant.options import Trend
from services.quant.statistical_tests.mackinnon import Series, critical_values, p_values

KINDS = list(product(get_args(Trend), get_args(Series)))


@pytest.mark.parametrize(("trend", "series"), KINDS)
def test_p_values_are_those_of_statsmodels(trend: Trend, series: Series) -> None:
    statistics = np.concatenate([np.linspace(-23, 3, 500), [-1e9, 1e9]])
    expected = [mackinnonp(one, regression=trend, N=series) for one in statistics]
    assert p_values(statistics, trend, series) == pytest.approx(expected, abs=1e-12)
    assert np.isnan(p_values(np.array([np.nan]), trend, series)).all()


@pytest.mark.parametrize(("trend", "series"), KINDS)
def test_critical_values_are_those_of_statsmodels(trend: Trend, series: Series) -> None:
    for observations in (20, 300, 1_000_000):
        found = critical_values(observations, trend, series)
        if (trend, series) == ("n", 2):
            assert found is None
        else:
            assert found is not None
            expected = mackinnoncrit(N=series, regression=trend, nobs=observations)
            assert list(found.values()) == pytest.approx(list(expected), rel=1e-12)
