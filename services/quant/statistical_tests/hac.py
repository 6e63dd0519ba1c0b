"""HAC standard error of a hedge ratio: residuals may be autocorrelated and of changing variance."""

import math

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from services.quant.statistical_tests.long_run import bandwidth, newey_west

Values = NDArray[np.float64]


class HacError(Struct, frozen=True):
    """A standard error that looks back `lags` bars."""

    standard_error: float
    lags: int


def hac_error(residuals: Values, x: Values, *, origin: bool = False) -> HacError:
    """Return the error of the slope of a least-squares line, through the origin or with an intercept.

    Source: Newey and West (1987), lags by Andrews (1991) from the residuals; equal to
    ``statsmodels.OLS(...).fit(cov_type="HAC", cov_kwds={"maxlags": lags})``.
    """
    moved = x if origin else x - x.mean()
    unit = moved / np.abs(moved).max()
    lags = bandwidth(residuals)
    scale = float(np.abs(residuals).max()) or 1.0
    variance = float(newey_west((unit * (residuals / scale))[:, None], lags)[0, 0])
    return HacError(scale * math.sqrt(variance) / float(unit @ unit) / float(np.abs(moved).max()), lags)
