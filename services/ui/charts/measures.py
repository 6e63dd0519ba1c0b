"""Measures of a pair, live or over bars: one label, colour and number of digits for cards, charts and tables."""

from collections.abc import Callable
from typing import NamedTuple

from services.ui.charts import palette
from services.ui.widgets import formatting
from services.ui.widgets.formatting import NONE, number, significant_decimals

Decimals = Callable[[float], int]


def fixed(decimals: int) -> Decimals:
    """Return the same number of decimals for every value."""
    return lambda value: decimals


def significant(digits: int) -> Decimals:
    """Return as many decimals as show so many significant digits."""
    return lambda value: significant_decimals(value, digits)


class Measure(NamedTuple):
    """A number; `decimals` is asked with the value that is written, of an axis with the one of the largest size."""

    label: str
    decimals: Decimals = significant(4)
    color: str = palette.SPREAD
    is_signed: bool = True
    write: Callable[[float], str] | None = None

    def text(self, value: float | None) -> str:
        """Return `value` as text."""
        if value is None:
            return NONE
        return self.write(value) if self.write else number(value, self.decimals(value), sign=self.is_signed)


HEDGE_RATIO = Measure("Hedge ratio", significant(5), palette.LEG_Y, is_signed=False)
INTERCEPT = Measure("Intercept", significant(5), is_signed=False)
SPREAD = Measure("Spread", significant(4))
ZSCORE = Measure("z-score", fixed(2), palette.ZSCORE)
CORRELATION = Measure("Correlation", fixed(3), write=formatting.correlation)
REVERSION = Measure("Mean reversion")

ROLLING = {
    "hedge_ratio": HEDGE_RATIO,
    "intercept": INTERCEPT,
    "spread": SPREAD,
    "zscore": ZSCORE,
    "correlation": CORRELATION,
}
"""Measures of each bar of an analysis, by the name of the field."""
