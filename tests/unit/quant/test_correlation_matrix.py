"""Correlation of two symbols, against scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from services.quant.correlation_matrix import correlate
from tests.unit.quant.series import kinds, legs, seeds


@settings(max_examples=100, deadline=None)
@given(
    kind=kinds, seed=seeds, n=st.integers(4, 200), method=st.sampled_from(["pearson", "spearman"]),
    of=st.sampled_from(["returns", "prices"]),
)  # fmt: skip
def test_it_is_that_of_scipy(kind: str, seed: int, n: int, method: str, of: str) -> None:
    y, x = legs(kind, seed, n)
    found = correlate(y, x, method, of)  # type: ignore[arg-type]
    if of == "returns":
        y, x = np.diff(np.log(y)), np.diff(np.log(x))
    assert found.samples == len(y)
    if found.value is None:
        assert found.reason == "one of them did not move"
        assert (
            min(np.ptp(y) / np.abs(y).max(initial=1e-300), np.ptp(x) / np.abs(x).max(initial=1e-300)) < 1e-12
        )
        return
    expected = (stats.pearsonr if method == "pearson" else stats.spearmanr)(y, x).statistic
    assert found.value == pytest.approx(expected, abs=1e-9)
    assert -1 <= found.value <= 1


def test_too_few_samples_have_a_reason() -> None:
    prices = np.array([1.0, 2.0, 4.0])
    assert correlate(prices, prices, "pearson", "prices").value == pytest.approx(1)
    assert correlate(prices, prices, "pearson", "returns").reason == "2 samples, 3 needed"
