"""Recomputation of one second of a pair: line of the window, spread, z-score, and a program that does it.

The live window sees one sample after the other; here the whole window is fitted at once by the same estimator.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from services.quant.estimators.registry import MOVING, Method, create
from services.quant.fit import NotEnoughDataError
from services.quant.transform import TRANSFORMS, Transform

Prices = NDArray[np.float64]
INDEPENDENT: frozenset[Method] = frozenset({"ols", "ols_origin", "tls"})
"""Methods whose program needs statsmodels or numpy alone; the others' runs the estimator of pairstream."""


class Recomputation(Struct, frozen=True, kw_only=True):
    """The arithmetic of one second; `y`, `x` and all that follows are of prices as `transform` makes them.

    ``predicted = intercept + hedge_ratio * x``, ``spread = y - predicted``, ``zscore = spread / scale``. Without a
    line, or with one that has no error, these are None and `reason` says why.
    """

    transform: Transform
    samples: int
    y: float
    x: float
    hedge_ratio: float | None = None
    intercept: float | None = None
    predicted: float | None = None
    spread: float | None = None
    scale: float | None = None
    zscore: float | None = None
    reason: str | None = None


def recompute(
    method: Method, window: int, transform: Transform, legs: tuple[Prices, Prices], now: tuple[float, float]
) -> Recomputation:
    """Return the arithmetic of the prices `now` (y, x) by the window `legs` (y and x, oldest first) before them.

    `window` is the pair's, in samples. Methods without a window (`rls`, `kalman`, `ewma`) need every sample since they
    began. ValueError for a price that has no logarithm.
    """
    seen = TRANSFORMS[transform]
    estimator = create(method, window, transform)
    for y, x in zip(*(leg.tolist() for leg in legs), strict=True):
        estimator.update(seen(y), seen(x))
    y, x = map(seen, now)
    known = Recomputation(transform=transform, samples=len(legs[0]), y=y, x=x)
    try:
        fit = estimator.get()
        return structs.replace(
            known,
            hedge_ratio=fit.hedge_ratio,
            intercept=fit.intercept,
            predicted=fit.intercept + fit.hedge_ratio * x,
            spread=fit.spread(y, x),
            scale=fit.scale_at(x),
            zscore=fit.zscore(y, x),
        )
    except NotEnoughDataError as error:
        return structs.replace(known, reason=str(error))


def program(method: Method, window: int, transform: Transform, url: str) -> str:
    """Return a Python program that reads the window at `url` (CSV) and prints the z-score."""
    lines = [
        "import math",
        "",
        *(["import numpy as np"] if method == "tls" or transform == "log" else []),
        "import pandas as pd",
        *(["import statsmodels.api as sm"] if method in ("ols", "ols_origin") else []),
        *([] if method in INDEPENDENT else ["from services.quant.estimators.registry import create"]),
        "",
        f'rows = pd.read_csv("{url}")',
        *(
            ['rows[["y_price", "x_price"]] = np.log(rows[["y_price", "x_price"]])']
            if transform == "log"
            else []
        ),
        "window, now = rows[rows.in_window], rows[~rows.in_window].iloc[0]",
        *_fit(method, window, transform),
        "spread = now.y_price - (intercept + hedge_ratio * now.x_price)",
        'print(f"hedge ratio {hedge_ratio:.12g}  spread {spread:.12g}  z-score {spread / scale:.12g}")',
    ]
    if "math." not in "\n".join(lines):
        lines = lines[2:]
    return "\n".join(lines) + "\n"


def _fit(method: Method, window: int, transform: Transform) -> Sequence[str]:
    match method:
        case "ols":
            return (
                "fit = sm.OLS(window.y_price, sm.add_constant(window.x_price)).fit(method='qr')",
                'intercept, hedge_ratio = fit.params["const"], fit.params["x_price"]',
                "scale = math.sqrt(fit.mse_resid)",
            )
        case "ols_origin":
            return (
                "fit = sm.OLS(window.y_price, window.x_price).fit()",
                'intercept, hedge_ratio = 0.0, fit.params["x_price"]',
                "scale = math.sqrt(fit.mse_resid)",
            )
        case "tls":
            return (
                "centre = window[['x_price', 'y_price']].mean()",
                "direction = np.linalg.svd(window[['x_price', 'y_price']] - centre, full_matrices=False)[2][0]",
                "hedge_ratio = direction[1] / direction[0]",
                "intercept = centre.y_price - hedge_ratio * centre.x_price",
                "residuals = window.y_price - (intercept + hedge_ratio * window.x_price)",
                "scale = math.sqrt((residuals**2).sum() / (len(window) - 2))",
            )
        case _:
            since = "every sample since the method began" if method in MOVING else "the window"
            return (
                f'estimator = create("{method}", {window}, "{transform}")',
                f"for sample in window.itertuples():  # {since}",
                "    estimator.update(sample.y_price, sample.x_price)",
                "fit = estimator.get()",
                "intercept, hedge_ratio, scale = fit.intercept, fit.hedge_ratio, fit.scale_at(now.x_price)",
            )
