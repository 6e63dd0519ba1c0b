"""Correlation of two legs that trade at different times, and which of them leads, from their ticks."""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.quant.fit import NotEnoughDataError

Times = NDArray[np.int64]
Values = NDArray[np.float64]

# Probability that chance alone exceeds the threshold.
_CHANCE = 0.05


class TickCorrelation(NamedTuple):
    """Correlation in [-1, 1]; `raw` is the computed value, and `clipped` tells that it was outside."""

    value: float
    raw: float
    clipped: bool
    intervals_y: int
    intervals_x: int


class LeadLag(NamedTuple):
    """By how much y leads x (x leads where it is below 0), or None with the `reason`.

    `correlation` is the one with x taken `lag_us` earlier, without a lag the largest of all. It is not clipped.
    """

    lag_us: int | None
    correlation: float
    reason: str | None = None


class _Leg(NamedTuple):
    """Instants, log prices there counted from the first, and the squares of their changes."""

    times: Times
    levels: Values
    squares: Values


def hayashi_yoshida(y_us: Times, y: Values, x_us: Times, x: Values) -> TickCorrelation:
    """Return the sum of products of all log returns whose intervals overlap, over the root of the sums of squares.

    Ticks are prices above 0 at times that never go back, ValueError otherwise; of ticks of one leg at one instant the
    last counts. NotEnoughDataError if a leg did not move. No sampling, so legs that trade at different times are not
    biased toward 0 (the Epps effect). The value can be outside of [-1, 1]: it is then clipped, and says so.
    Source: Hayashi and Yoshida (2005), "On Covariance Estimation of Non-synchronously Observed Diffusion Processes".
    """
    of_y, of_x = _leg("y", y_us, y), _leg("x", x_us, x)
    raw = float(_products(of_y, of_x, np.zeros(1, np.int64))[0].sum()) / _size(of_y, of_x)
    value = max(-1.0, min(1.0, raw))
    return TickCorrelation(value, raw, value != raw, len(of_y.squares), len(of_x.squares))


def lead_lag(y_us: Times, y: Values, x_us: Times, x: Values, lags_us: Times) -> LeadLag:
    """Return the lag of `lags_us` with the largest absolute correlation, if it stands out.

    Legs that move at once have their largest correlation near 0, seldom at it: a lag that does not stand out from 0
    is 0 if the correlation there stands out, else None. A correlation stands out if less than 5 % of independent legs
    have one as large at any of the lags, a lag if its sum differs from that at 0 by more than 1.96 standard
    errors. Errors are the squares of the products themselves, so a calm hour and a wild one count as they are; a bounce
    between bid and ask is taken for movement. A lag at the end of `lags_us` may be a longer one.
    Ticks and errors are those of ``hayashi_yoshida``.
    Source: Hoffmann, Rosenbaum and Yoshida (2013), "Estimation of the lead-lag parameter from non-synchronous data".
    """
    of_y, of_x = _leg("y", y_us, y), _leg("x", x_us, x)
    lags = np.append(lags_us, 0)
    products, variances = _products(of_y, of_x, lags)
    sums = products.sum(axis=1)
    correlations = sums / _size(of_y, of_x)
    stands_out = np.abs(sums) > NormalDist().inv_cdf(1 - _CHANCE / 2 / len(lags)) * np.sqrt(variances)
    best, at_once = int(np.argmax(np.abs(sums))), len(lags) - 1
    largest = float(correlations[best])
    if not stands_out[best]:
        return LeadLag(None, largest, f"no lag stands out: a correlation of {largest:.2f} comes by chance")
    apart = products[best] - products[at_once]
    if abs(apart.sum()) > NormalDist().inv_cdf(1 - _CHANCE / 2) * np.sqrt(apart @ apart):
        return LeadLag(int(lags[best]), largest)
    if stands_out[at_once]:
        return LeadLag(0, float(correlations[at_once]))
    both = f"{largest:.2f} at {lags[best] / 1e6:g} s and {correlations[at_once]:.2f} at 0 s"
    return LeadLag(None, largest, f"no lag stands out: correlations of {both} differ by chance")


def _leg(name: str, times: Times, prices: Values) -> _Leg:
    if len(times) != len(prices):
        raise ValueError(f"expected a time for each price of {name}, received {len(times)} for {len(prices)}")
    steps = np.diff(times)
    if (steps < 0).any():
        raise ValueError(f"expected ticks of {name} in order of time, received one that goes back")
    if not ((prices > 0) & (prices < np.inf)).all():
        raise ValueError(f"expected prices of {name} above 0, received one that is not")
    kept = np.append(steps > 0, True)[: len(times)]
    times, prices = times[kept], prices[kept]
    if len(times) < 2:
        raise NotEnoughDataError(f"{name} traded at {len(times)} instants, 2 are needed")
    # From the first: near 0 a logarithm has more digits.
    levels = np.log(prices / prices[0])
    squares = np.diff(levels) ** 2
    if not squares.any():
        raise NotEnoughDataError(f"{name} did not move")
    return _Leg(times, levels, squares)


def _size(y: _Leg, x: _Leg) -> float:
    return float(np.sqrt(y.squares.sum()) * np.sqrt(x.squares.sum()))


def _products(y: _Leg, x: _Leg, lags: Times) -> tuple[Values, Values]:
    """Return, by lag, the products of each return of y with all of x that overlap it, and the sum of their squares.

    Those of x are neighbours, so their sum is a difference of two levels.
    """
    first = np.searchsorted(x.times, y.times[:-1] + lags[:, np.newaxis], "right") - 1
    end = np.searchsorted(x.times, y.times[1:] + lags[:, np.newaxis], "left")
    first, end = np.maximum(first, 0), np.minimum(end, len(x.times) - 1)
    squares = np.append(0.0, np.cumsum(x.squares))
    return (x.levels[end] - x.levels[first]) * np.diff(y.levels), (squares[end] - squares[first]) @ y.squares
