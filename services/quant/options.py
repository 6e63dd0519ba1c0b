"""Options and result names of an analysis, without the libraries that compute it."""

from typing import Literal

from msgspec import Struct

from services.contracts.scans import Criterion as Criterion
from services.quant.estimators.registry import Method
from services.quant.transform import Transform

Trend = Literal["n", "c", "ct", "ctt"]
"""Deterministic terms of a test's regression: none, a constant, also a trend, also a quadratic trend."""
Part = Literal[
    "regression", "diagnostics", "adf_y", "adf_x", "adf_spread", "engle_granger_y_on_x", "engle_granger_x_on_y",
    "half_life", "hurst", "rolling", "sample_spread", "sample_zscore", "returns_correlation", "price_correlation",
    "gregory_hansen_y_on_x", "gregory_hansen_x_on_y", "structural_break", "edge", "thirds", "cusum", "innovations",
]  # fmt: skip
Conclusion = Literal["cointegrated", "broken", "unstable", "one_way", "not_cointegrated", "not_enough_data"]

SIGNIFICANCE = 0.05
"""A null hypothesis is rejected below the critical value of this level or, without one, below this p-value."""


class AnalysisOptions(Struct, frozen=True, kw_only=True):
    """Options of an analysis. `window` and `min_samples` are of the rolling numbers, in bars.

    ValueError for a line of logarithms through the origin: its slope would depend on the unit of the prices.
    """

    method: Method = "ols"
    transform: Transform = "price"
    window: int = 300
    min_samples: int = 30
    trend: Trend = "c"
    lags: int | Criterion = "aic"
    level: float = 0.95

    def __post_init__(self) -> None:
        if self.method == "ols_origin" and self.transform == "log":
            raise ValueError(
                f"expected an intercept with {self.transform}, received the method {self.method}"
            )
