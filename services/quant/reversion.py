"""Mean reversion of a spread, judged again as its window moves."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from services.contracts.signals import ReversionState
from services.quant.fit import ROUNDING, NotEnoughDataError
from services.quant.options import SIGNIFICANCE
from services.quant.statistical_tests.dickey_fuller import choose_lags, cointegration_p, statistic
from services.quant.statistical_tests.half_life import HalfLife, RollingHalfLife, half_life_interval

Times = NDArray[np.int64]
Values = NDArray[np.float64]

BROKEN = 5.0
"""A spread is out of its line when it is so many of the line's standard deviations away."""
_NEWEST = 5
# A window with more samples is looked at in steps of several.
_MOST = 500
_LEAST = 30
_SECOND = 1_000_000


class ReversionLine(Struct, frozen=True, array_like=True):
    """The line and the deviation of the spread when it was last seen to come back, at `at_us`."""

    at_us: int
    slope: float
    intercept: float
    scale: float


class Reversion(Struct, frozen=True, array_like=True):
    """``reverting``, ``unproven`` or ``broken``, and why.

    `p_value` is that of Engle-Granger, the greater one of both ways round. The half-life is median-unbiased, with an
    interval of 95 %, in seconds; without a `p_value` nothing is known of it, with one None is no end. `line` and
    `broken_us` are for the next judgement.
    """

    state: ReversionState
    p_value: float | None = None
    half_life: float | None = None
    low: float | None = None
    high: float | None = None
    line: ReversionLine | None = None
    broken_us: int | None = None


def judge(before: Reversion | None, at_us: Times, y: Values, x: Values, memory_us: int) -> Reversion:
    """Return what the samples of a window (n of y and of x at their times, oldest first) say after what was `before`.

    Times may be missing among them: then the window lasts longer than `memory_us`, and so is remembered, and the
    half-life is of the steps that are of equal length.

    - ``broken``: within `memory_us` the spread was reverting, and the median of its newest five is now more than 5
      standard deviations off the line it had then. So it stays for `memory_us`, until the window has no more of what
      was before.
    - ``reverting``: Engle-Granger rejects at 5 %, both ways round.
    - ``unproven``: all else, also what cannot be tested.

    The line is that of least squares, whatever method estimates the hedge ratio.
    """
    now_us = int(at_us[-1])
    memory_us = max(memory_us, now_us - int(at_us[0]))
    line = None if before is None else before.line
    if line is not None and now_us - line.at_us > memory_us:
        line = None
    broken_us = None if before is None else before.broken_us
    if line is not None and _is_off(line, y, x):
        line, broken_us = None, now_us
    if broken_us is not None and now_us - broken_us >= memory_us:
        broken_us = None
    state: ReversionState = "unproven" if broken_us is None else "broken"
    try:
        chosen, step_us = _steps(at_us)
        at_us, y, x = at_us[chosen], y[chosen], x[chosen]
        spread, slope, intercept = _spread(y, x)
        p_value = max(_p_value(spread), _p_value(_spread(x, y)[0]))
        ends = half_life_interval(_half_life(at_us, spread, step_us))
    except NotEnoughDataError:
        return Reversion(state, line=line, broken_us=broken_us)
    if state == "unproven" and p_value < SIGNIFICANCE:
        state, line = "reverting", ReversionLine(now_us, slope, intercept, float(spread.std()))
    middle, low, high = (None if end is None else end * step_us / _SECOND for end in ends)
    return Reversion(state, p_value, middle, low, high, line, broken_us)


def _is_off(line: ReversionLine, y: Values, x: Values) -> bool:
    newest = y[-_NEWEST:] - (line.intercept + line.slope * x[-_NEWEST:])
    return bool(abs(np.median(newest)) > BROKEN * line.scale)


def _steps(at_us: Times) -> tuple[NDArray[np.bool_], int]:
    """Return which samples are looked at, the newest among them, and the time (us) between two without a gap."""
    if len(at_us) < _LEAST:
        raise NotEnoughDataError(f"a test needs at least {_LEAST} samples, there are {len(at_us)}")
    lengths, counts = np.unique(np.diff(at_us), return_counts=True)
    step_us = int(lengths[counts.argmax()]) * -(-len(at_us) // _MOST)
    return (at_us[-1] - at_us) % step_us == 0, step_us


def _half_life(at_us: Times, spread: Values, step_us: int) -> HalfLife:
    steps, last_us = RollingHalfLife(len(spread)), 0
    for one_us, value in zip(at_us.tolist(), spread.tolist(), strict=True):
        if one_us - last_us != step_us:
            steps.skip()
        steps.update(value)
        last_us = one_us
    found = steps.get()
    if found.steps < _LEAST - 1:
        raise NotEnoughDataError(
            f"a half-life needs {_LEAST - 1} steps of one length, there are {found.steps}"
        )
    return found


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
