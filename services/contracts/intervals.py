"""Intervals of bars: their names, how wide they are, and the usual one."""

from typing import Literal, get_args

Interval = Literal["1s", "1m", "5m", "1h"]
INTERVALS: tuple[Interval, ...] = get_args(Interval)
"""Narrowest first: the bars of each are made of those of the one before."""
WIDTHS_US: dict[Interval, int] = {
    "1s": 1_000_000,
    "1m": 60_000_000,
    "5m": 300_000_000,
    "1h": 3_600_000_000,
}
USUAL: Interval = "1m"
"""Default interval."""
