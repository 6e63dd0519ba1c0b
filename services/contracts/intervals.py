"""Intervals of bars: their names, how wide they are, the usual one, and which are stored."""

from operator import itemgetter
from typing import Literal, get_args

Interval = Literal["1s", "1m", "5m", "1h"]
INTERVALS: tuple[Interval, ...] = get_args(Interval)
"""Those that are stored, narrowest first: the bars of each are made of those of the one before."""
WIDTHS_US: dict[Interval, int] = {
    "1s": 1_000_000,
    "1m": 60_000_000,
    "5m": 300_000_000,
    "1h": 3_600_000_000,
}
USUAL: Interval = "1m"
"""Default interval."""

DerivedInterval = Literal["5s", "15s", "15m", "4h", "1d"]
# One literal, so that a wrong word gets one answer.
AnyInterval = Literal[Interval, DerivedInterval]
_DERIVED_US: dict[AnyInterval, int] = {
    "5s": 5_000_000,
    "15s": 15_000_000,
    "15m": 900_000_000,
    "4h": 14_400_000_000,
    "1d": 86_400_000_000,
}
_STORED_US: dict[AnyInterval, int] = {interval: WIDTHS_US[interval] for interval in INTERVALS}
ALL_WIDTHS_US: dict[AnyInterval, int] = dict(sorted((_DERIVED_US | _STORED_US).items(), key=itemgetter(1)))
"""All that bars of the market can be read in, narrowest first: the stored and those that are derived from them."""


def source_of(interval: AnyInterval) -> Interval:
    """Return the widest stored interval that bars of `interval` are made of: itself, if it is stored.

    >>> source_of("15s"), source_of("15m"), source_of("1d"), source_of("1m")
    ('1s', '5m', '1h', '1m')
    """
    return max(
        (one for one in INTERVALS if ALL_WIDTHS_US[interval] % WIDTHS_US[one] == 0), key=WIDTHS_US.__getitem__
    )
