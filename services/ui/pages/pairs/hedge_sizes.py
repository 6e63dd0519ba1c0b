"""Sizes of a hedged position: units and notional of both legs from the notional of one, and their rounding.

Of prices the spread is y − (a + b·x): one unit of Y is hedged by b units of X. Of logarithms it is ln y − (a + b·ln x):
one unit of currency in Y is hedged by b in X. Long the spread buys Y and, where b > 0, sells X.
"""

import math
from decimal import ROUND_DOWN, Decimal
from typing import Literal, NamedTuple

Transform = Literal["price", "log"]
LegName = Literal["y", "x"]


class LegSize(NamedTuple):
    """Size of a leg, bought (above 0) or sold: exact, rounded towards 0 to the step, and what that is worth."""

    exact: float
    units: float
    notional: float
    is_rounded: bool


class HedgeSizes(NamedTuple):
    """Both legs of a position that is long the spread; short, each has the other sign.

    `ratio` is the hedge ratio that the rounded units have, None where nothing is left of Y.
    """

    y: LegSize
    x: LegSize
    ratio: float | None


def hedge_sizes(
    notional: float,
    of: LegName,
    prices: tuple[float, float],
    hedge_ratio: float,
    transform: Transform,
    steps: tuple[float | None, float | None] = (None, None),
) -> HedgeSizes:
    """Return the sizes of both legs where the leg `of` is worth `notional`; prices and steps are those of Y and X.

    ValueError if a number is none that sizes can be computed from.
    """
    y_price, x_price = prices
    if not all(math.isfinite(one) and one > 0 for one in (notional, *prices)):
        raise ValueError("expected a notional and prices above 0")
    if not math.isfinite(hedge_ratio) or hedge_ratio == 0:
        raise ValueError("expected a hedge ratio other than 0")
    # Units of X for one of Y.
    per_unit = hedge_ratio if transform == "price" else hedge_ratio * y_price / x_price
    y_exact = notional / y_price if of == "y" else notional / x_price / abs(per_unit)
    y, x = _leg(y_exact, y_price, steps[0]), _leg(-y_exact * per_unit, x_price, steps[1])
    if y.units == 0:
        return HedgeSizes(y, x, None)
    rounded = -x.units / y.units
    return HedgeSizes(y, x, rounded if transform == "price" else rounded * x_price / y_price)


def _leg(exact: float, price: float, step: float | None) -> LegSize:
    units = exact if step is None else _rounded(exact, step)
    return LegSize(exact, units, units * price, step is not None)


def _rounded(units: float, step: float) -> float:
    # In decimals, as venues count: 0.3 is three steps of 0.1.
    exact, part = Decimal(repr(units)), Decimal(repr(step))
    return float((exact / part).to_integral_value(ROUND_DOWN) * part)
