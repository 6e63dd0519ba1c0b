"""Realised volatility over a rolling window."""

import math
from collections import deque
from typing import NamedTuple

from services.quant.exact_sums import fixed, floating
from services.quant.fit import NotEnoughDataError
from services.quant.transform import log_price

# Crypto trades without a break.
SECONDS_PER_YEAR = 365 * 86_400


class Volatility(NamedTuple):
    """Standard deviations of log returns (0.01 is about 1 %), of one interval and of a year."""

    per_interval: float
    annualised: float
    samples: int


class RealisedVolatility:
    """The root mean square of the last `window` log returns of prices that are `interval_s` seconds apart.

    Returns are taken about zero, not about their mean, as is usual for short intervals. The annualised figure
    is that of one interval times sqrt(intervals in a year), a year of 365 days of 24 hours, as if returns were
    independent: bid-ask bounce makes it too high at short intervals.
    Source: Andersen, Bollerslev, Diebold, Labys (2003), "Modeling and Forecasting Realized Volatility".
    """

    def __init__(self, window: int, interval_s: float = 1.0) -> None:
        if window < 1:
            raise ValueError(f"expected a window of at least 1 return, received {window}")
        if not interval_s > 0:
            raise ValueError(f"expected an interval above 0 s, received {interval_s}")
        self._per_year = SECONDS_PER_YEAR / interval_s
        self._squares: deque[int] = deque(maxlen=window)
        self._total = 0
        self._last: float | None = None

    def update(self, price: float) -> None:
        """Add the price at the end of an interval; ValueError unless it is above 0."""
        value = log_price(price)
        if self._last is not None:
            square = fixed((value - self._last) ** 2)
            if len(self._squares) == self._squares.maxlen:
                self._total -= self._squares[0]
            self._squares.append(square)
            self._total += square
        self._last = value

    def skip(self) -> None:
        """Forget the last price: the next return would span a gap, which is not one interval."""
        self._last = None

    def get(self) -> Volatility:
        """Return the volatility; NotEnoughDataError without a return."""
        n = len(self._squares)
        if n == 0:
            raise NotEnoughDataError("a volatility needs at least 2 prices")
        per_interval = math.sqrt(floating(self._total) / n)
        return Volatility(per_interval, per_interval * math.sqrt(self._per_year), n)
