"""The correlation of two legs that trade at different times, from their ticks."""

import math
from collections import deque
from typing import Literal, NamedTuple

from services.quant.exact import fixed, floating
from services.quant.fit import NotEnoughDataError
from services.quant.transform import log_price


class TickCorrelation(NamedTuple):
    """A correlation in [-1, 1]; `raw` is what was computed, and `clipped` says that it was outside."""

    value: float
    raw: float
    clipped: bool
    intervals_y: int
    intervals_x: int


class _Tick:
    """A tick and the sums that leave the window with it, those of the interval that begins here."""

    __slots__ = ("cross", "leg", "next", "other", "square", "time_us", "value")

    def __init__(self, leg: "_Leg", time_us: float, value: float, other: "_Tick | None") -> None:
        self.leg = leg
        self.time_us = time_us
        self.value = value
        self.other = other
        """The other leg's last tick at this time."""
        self.next: _Tick | None = None
        self.square = self.cross = 0


class _Leg:
    __slots__ = ("before", "intervals", "last", "square")

    def __init__(self) -> None:
        # Stands before the first tick, and outside of any window.
        self.before = self.last = _Tick(self, -math.inf, 0.0, None)
        self.square = self.intervals = 0


class HayashiYoshida:
    """Sum of the products of all log returns whose intervals overlap, over the root of the sums of squares.

    It needs no sampling, so legs that trade at different times are not biased toward 0 (the Epps effect). Returns are
    those between ticks of the last `span_us` microseconds, (now - span_us, now]; ticks of one leg at one instant
    are one, with the last price. The value can be outside of [-1, 1]: it is then clipped, and says so.

    A tick costs the same at every span: a new interval overlaps, of the closed ones of the other leg, the one that
    began before it and all since, whose returns add up to a difference of two prices. Each product leaves
    with the earlier of its beginnings, and sums are in fixed point, so that nothing stays behind.
    Source: Hayashi and Yoshida (2005), "On Covariance Estimation of Non-synchronously Observed Diffusion Processes".
    """

    def __init__(self, span_us: int) -> None:
        if span_us < 1:
            raise ValueError(f"expected a span of at least 1 µs, received {span_us}")
        self.span_us = span_us
        self._now: float = -math.inf
        self._legs = {"y": _Leg(), "x": _Leg()}
        self._ticks: deque[_Tick] = deque()
        self._cross = 0

    def update(self, leg: Literal["y", "x"], time_us: int, price: float) -> None:
        """Add a tick; ValueError for a price not above 0, or one that is earlier than the last of either leg."""
        value = log_price(price)
        self.advance(time_us)
        mine, other = self._legs[leg], self._legs["x" if leg == "y" else "y"]
        last = mine.last
        if last.time_us == time_us:
            self._grow(mine.before, value - last.value, value, other)
            last.value = value
            return
        tick = _Tick(mine, time_us, value, other.last)
        last.next = tick
        if other.last.time_us == time_us:
            other.last.other = tick
        if self._is_inside(last):
            mine.intervals += 1
        self._grow(last, value - last.value, value, other)
        mine.before, mine.last = last, tick
        self._ticks.append(tick)

    def advance(self, time_us: int) -> None:
        """Move the end of the window; ValueError if that is back in time."""
        if time_us < self._now:
            raise ValueError(f"expected ticks in order of time, received {time_us} after {self._now:.0f}")
        self._now = time_us
        while self._ticks and not self._is_inside(self._ticks[0]):
            tick = self._ticks.popleft()
            if tick.next is not None:
                tick.leg.intervals -= 1
            tick.leg.square -= tick.square
            self._cross -= tick.cross
            tick.other = None  # else each tick would keep all before it

    def get(self) -> TickCorrelation:
        """Return the correlation; NotEnoughDataError if a leg did not move in the window."""
        y, x = self._legs["y"], self._legs["x"]
        for name, leg in (("y", y), ("x", x)):
            if leg.square == 0:
                raise NotEnoughDataError(f"{name} did not move in the window")
        raw = floating(self._cross) / math.sqrt(floating(y.square)) / math.sqrt(floating(x.square))
        value = max(-1.0, min(1.0, raw))
        return TickCorrelation(value, raw, value != raw, y.intervals, x.intervals)

    def _grow(self, start: _Tick, part: float, end: float, other: _Leg) -> None:
        """Let the interval that begins at `start` now end at the value `end`, which adds `part` to its return."""
        if not self._is_inside(start):
            return
        square = fixed((end - start.value) ** 2)
        start.leg.square += square - start.square
        start.square = square
        astride = start.other
        if astride is None or astride is other.last or (first := astride.next) is None:
            return
        if self._is_inside(astride):
            self._add(astride, part * (first.value - astride.value))
        self._add(start, part * (other.last.value - first.value))

    def _add(self, tick: _Tick, product: float) -> None:
        amount = fixed(product)
        tick.cross += amount
        self._cross += amount

    def _is_inside(self, tick: _Tick) -> bool:
        return tick.time_us > self._now - self.span_us
