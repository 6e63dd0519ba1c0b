"""Correlation matrix, against scipy."""

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from services.quant.correlation.matrix import correlate
from tests.unit.quant.series import kinds, legs, seeds


@settings(max_examples=100, deadline=None)
@given(
    kind=kinds, seed=seeds, n=st.integers(31, 200), method=st.sampled_from(["pearson", "spearman"]),
    of=st.sampled_from(["returns", "prices"]),
)  # fmt: skip
def test_it_is_that_of_scipy(kind: str, seed: int, n: int, method: str, of: str) -> None:
    y, x = legs(kind, seed, n)
    found = correlate(y, x, method, of)  # type: ignore[arg-type]
    if of == "returns":
        y, x = np.diff(np.log(y)), np.diff(np.log(x))
    assert found.samples == len(y)
    if found.value is None:
        assert found.reason == "one of them did not vary"
        assert (
            min(np.ptp(y) / np.abs(y).max(initial=1e-300), np.ptp(x) / np.abs(x).max(initial=1e-300)) < 1e-12
        )
        return
    expected = (stats.pearsonr if method == "pearson" else stats.spearmanr)(y, x).statistic
    assert found.value == pytest.approx(expected, abs=1e-9)
    assert -1 <= found.value <= 1


def test_too_few_samples_have_a_reason() -> None:
    y, x = legs("walk", 1, 30)
    assert correlate(y, x, "pearson", "prices").value is not None
    assert correlate(y, x, "pearson", "returns") == (None, 29, "29 samples, 30 needed")
    assert correlate(y[:0], x[:0], "pearson", "returns") == (None, 0, "0 samples, 30 needed")


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_the_rounding_of_a_constant_growth_is_no_movement(method: Literal["pearson", "spearman"]) -> None:
    _, x = legs("walk", 1, 500)
    growing = np.array([100 * 1.001**number for number in range(500)])
    assert correlate(growing, x, method, "returns").reason == "one of them did not vary"
    assert correlate(growing, x, method, "prices").value is not None
