"""How wide bars are: what most steps are, in days, weeks and months of a calendar too."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
WEEK_US = 7 * DAY_US
MONTH_US = 2_629_746_000_000
"""The mean of a month: a year of 365.2425 days has twelve."""
# Between two midnights of a zone an hour is missing, or twice, where its clocks are changed.
_SHIFT_US = HOUR_US
_MONTHS = {1: (28, 31), 3: (90, 92), 6: (181, 184), 12: (365, 366)}
# Months begin up to two days from where the mean of a month has them; a first day of trade may come later.
_MONTH_SLACK_US = 4 * DAY_US


class Step(NamedTuple):
    """A distance from bar to bar of a symbol, and how many bars have it."""

    symbol: str
    us: int
    bars: int


class Width(NamedTuple):
    """The width of bars; those of a calendar are `slack_us` longer or shorter."""

    us: int
    slack_us: int = 0

    @property
    def is_calendar(self) -> bool:
        """Return whether bars are days, weeks or months."""
        return self.slack_us > 0

    def is_odd(self, step_us: int) -> bool:
        """Return whether a step is no whole number of widths.

        >>> Width(DAY_US, HOUR_US).is_odd(23 * HOUR_US), Width(HOUR_US).is_odd(1_772_000_000)
        (False, True)
        """
        rest = step_us % self.us
        return min(rest, self.us - rest) > self.slack_us


def width_of(steps: Iterable[Step]) -> Width | None:
    """Return how wide the bars are: the narrowest of what most steps of each symbol are, None without a step.

    `steps` are the commonest of each symbol. What a symbol has once does not count beside what another has twice.

    >>> width_of([Step("A", 60, 5), Step("A", 17, 1), Step("A", 120, 2)])
    Width(us=60, slack_us=0)
    """
    of_symbols: dict[str, list[Step]] = {}
    for step in steps:
        if step.us > 0:
            of_symbols.setdefault(step.symbol, []).append(step)
    widths = [_width(found) for found in of_symbols.values()]
    common = [width for width, bars in widths if bars > 1] or [width for width, _ in widths]
    return min(common, default=None)


def _width(steps: Sequence[Step]) -> tuple[Width, int]:
    """Return the width of a symbol, and how many bars have it."""
    most = min(steps, key=lambda step: (-step.bars, step.us))
    for month, (least, longest) in _MONTHS.items():
        like = [one for one in steps if least * DAY_US - _SHIFT_US <= one.us <= longest * DAY_US + _SHIFT_US]
        # Four weeks and thirty days may be meant; the months of a calendar differ.
        differ = len({round(one.us / DAY_US) for one in like}) > 1
        if most in like and (differ or (month, most.us) == (1, 31 * DAY_US)):
            return Width(month * MONTH_US, _MONTH_SLACK_US), sum(one.bars for one in like)
    for days in (7, 1):
        if abs(most.us - days * DAY_US) <= _SHIFT_US and most.us % HOUR_US == 0:
            return Width(days * DAY_US, _SHIFT_US), most.bars
    return Width(most.us), most.bars
