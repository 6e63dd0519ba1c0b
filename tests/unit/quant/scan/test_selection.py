"""P-values corrected for the number of tests, against statsmodels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from services.quant.scan.selection import adjusted_p_values


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_adjusted_p_values_are_those_of_statsmodels(p_values: list[float]) -> None:
    for method, however_dependent in (("fdr_by", True), ("fdr_bh", False)):
        expected = multipletests(p_values, method=method)[1]
        found = adjusted_p_values(np.array(p_values), however_dependent=however_dependent)
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_what_was_not_tested_counts_as_no_try() -> None:
    found = adjusted_p_values(np.array([0.01, np.nan, 0.04]))
    assert np.isnan(found[1])
    assert found[[0, 2]] == pytest.approx(adjusted_p_values(np.array([0.01, 0.04])))
    assert np.isnan(adjusted_p_values(np.array([np.nan]))).all()
