"""Whether a spread is seen to come back, judged again and again as its window moves."""

from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from services.quant.dickey_fuller import choose_lags, cointegration_p, statistic
from services.quant.fit import ROUNDING, NotEnoughDataError
from services.quant.half_life import half_life, half_life_interval

Values = NDArray[np.float64]
ReversionState = Literal["reverting", "unproven", "broken"]

SIGNIFICANCE = 0.05
BROKEN = 5.0
"""A spread is out of its line when it is so many of the line's standard deviations away."""
_NEWEST = 5
# A window with more samples is looked at in steps of several.
_MOST = 500
_LEAST = 30


class Line(Struct, frozen=True, array_like=True):
    """The line and the deviation of the spread when it was last seen to come back, at `at_us`."""

    at_us: int
    slope: float
    intercept: float
    scale: float


class Reversion(Struct, frozen=True, array_like=True):
    """``reverting``, ``unproven`` or ``broken``, and why.

    `p_value` is that of Engle-Granger, the greater one of both ways round. The half-life is median-unbiased, with an
    interval of 95 %, in samples; None is no end. `line` and `broken_us` are for the next judgement.
    """

    state: ReversionState
    p_value: float | None = None
    half_life: float | None = None
    low: float | None = None
    high: float | None = None
    line: Line | None = None
    broken_us: int | None = None


def judge(before: Reversion | None, at_us: int, y: Values, x: Values, memory_us: int) -> Reversion:
    """Return what the samples of a window (n of y and of x, oldest first) say at `at_us`, after what was said `before`.

    - ``broken``: within `memory_us` the spread was reverting, and the median of its newest five is now more than 5
      standard deviations off the line it had then. So it stays for `memory_us`, until the window has no more of what
      was before.
    - ``reverting``: Engle-Granger rejects at 5 %, both ways round.
    - ``unproven``: all else, also what cannot be tested.

    The line is that of least squares, whatever method estimates the hedge ratio.
    """
    line = (
        None
        if before is None or before.line is None or at_us - before.line.at_us > memory_us
        else before.line
    )
    broken_us = None if before is None else before.broken_us
    if line is not None and _is_off(line, y, x):
        line, broken_us = None, at_us
    if broken_us is not None and at_us - broken_us >= memory_us:
        broken_us = None
    state: ReversionState = "unproven" if broken_us is None else "broken"
    step = -(-len(y) // _MOST)
    y, x = y[::-1][::step][::-1], x[::-1][::step][::-1]
    try:
        spread, slope, intercept = _spread(y, x)
        p_value = max(_p_value(spread), _p_value(_spread(x, y)[0]))
        ends = half_life_interval(half_life(spread.tolist()))
    except NotEnoughDataError:
        return Reversion(state, line=line, broken_us=broken_us)
    if state == "unproven" and p_value < SIGNIFICANCE:
        state, line = "reverting", Line(at_us, slope, intercept, float(spread.std()))
    samples, low, high = (None if end is None else end * step for end in ends)
    return Reversion(state, p_value, samples, low, high, line, broken_us)


def _is_off(line: Line, y: Values, x: Values) -> bool:
    newest = y[-_NEWEST:] - (line.intercept + line.slope * x[-_NEWEST:])
    return bool(abs(np.median(newest)) > BROKEN * line.scale)


def _spread(y: Values, x: Values) -> tuple[Values, float, float]:
    """Return what the least-squares line leaves of `y`, and the line; NotEnoughDataError if that is rounding."""
    if len(y) < _LEAST:
        raise NotEnoughDataError(f"a test needs at least {_LEAST} samples, there are {len(y)}")
    mean_y, mean_x = float(y.mean()), float(x.mean())
    dy, dx = y - mean_y, x - mean_x
    squares = float(dx @ dx)
    if squares <= len(x) * (ROUNDING * mean_x) ** 2:
        raise NotEnoughDataError("a leg did not move")
    slope = float(dx @ dy) / squares
    spread = dy - slope * dx
    if np.abs(spread).max() <= ROUNDING * max(abs(mean_y), np.abs(dy).max()):
        raise NotEnoughDataError("the spread is no more than the rounding of the legs")
    return spread, slope, mean_y - slope * mean_x


def _p_value(spread: Values) -> float:
    found, _ = statistic(spread, "n", choose_lags(spread, "n", "aic"))
    return cointegration_p(found)
