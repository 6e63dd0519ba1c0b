"""Minute statistics: computed once a minute over the whole window of a pair."""

from collections.abc import Iterable, Sequence
from zlib import crc32

import numpy as np
from msgspec import Struct, structs

from services.common.clock import SECOND
from services.quant import reversion
from services.quant.correlation.hayashi_yoshida import hayashi_yoshida, lead_lag
from services.quant.fit import NotEnoughDataError
from services.quant.reversion import Reversion
from services.quant.transform import Transform

_LAGS_US = np.arange(-10, 11) * SECOND
# Of a longer window the newest samples say enough of the returns.
_RETURNS = 1_000


class MinuteStatistics(Struct, frozen=True, array_like=True):
    """Statistics at the begin of the minute `number`; `lead_lag_s` is above 0 if y leads."""

    number: int = -1
    reversion: Reversion = Reversion("unproven")
    return_correlation: float | None = None
    lead_lag_s: float | None = None
    return_correlation_clipped: bool = False


NEVER = MinuteStatistics()


def phase_us(pair: str) -> int:
    """Return when in a minute a pair is looked at (µs): at a time of its own, so that not all are at once."""
    return crc32(pair.encode()) % 60 * SECOND


def measure(
    before: MinuteStatistics,
    number: int,
    times: Iterable[tuple[int, int, int]],
    legs: tuple[Sequence[float], Sequence[float]],
    transform: Transform,
    memory_us: int,
) -> MinuteStatistics:
    """Return what a window says.

    `legs` are the values of x and of y, `times` those of the trades of y and x, and of the ends of their seconds (µs).
    """
    x, y = map(np.array, legs)
    y_us, x_us, at_us = np.array(list(times), np.int64).T
    judged = _rounded(reversion.judge(before.reversion, at_us, y, x, memory_us))
    y_us, x_us = y_us[-_RETURNS:], x_us[-_RETURNS:]
    of_y, of_x = (np.exp(leg[-_RETURNS:]) if transform == "log" else leg[-_RETURNS:] for leg in (y, x))
    try:
        correlation = hayashi_yoshida(y_us, of_y, x_us, of_x)
        lag_us = lead_lag(y_us, of_y, x_us, of_x, _LAGS_US).lag_us
    except NotEnoughDataError:
        return MinuteStatistics(number, judged)
    lead_lag_s = None if lag_us is None else lag_us / SECOND
    return MinuteStatistics(number, judged, _round(correlation.value), lead_lag_s, correlation.clipped)


def _rounded(found: Reversion) -> Reversion:
    numbers = {name: _round(getattr(found, name)) for name in ("p_value", "half_life", "low", "high")}
    return structs.replace(found, **numbers)


def _round(value: float | None) -> float | None:
    """Return six digits: for the last bits, which are those of a processor, no second must be corrected."""
    return None if value is None else float(f"{value:.6g}")
