"""Alignment of the two legs of a pair on closed one-second samples, by event time alone."""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from services.common.clock import SECOND
from services.contracts.pairs import Pair
from services.stream_analytics.doubtful_stretches import HoleKind
from services.stream_analytics.symbol_tape import SymbolTape
from services.stream_analytics.trades import TapeTrade

Leg = Literal["y", "x"]

_UNKNOWN: dict[HoleKind, str] = {
    "missing": "are missing",
    "lost": "were lost unread",
    "doubtful": "may be on their way",
}

EVER = 1 << 62
"""A moment of the tape at which all is known that will ever be."""


class Sample(Struct, frozen=True):
    """Both legs at the end of a second; their trades may be older than the second.

    `stale` names legs whose trade is too old, and `holes` those whose tape is unknown there, with the reason. `late`
    counts trades of the second that came after it had closed.
    """

    end_us: int
    y: TapeTrade
    x: TapeTrade
    stale: tuple[Leg, ...] = ()
    holes: tuple[tuple[Leg, HoleKind], ...] = ()
    late: int = 0

    @property
    def is_whole(self) -> bool:
        """Tell whether both prices are those of this second."""
        return not self.stale and not self.holes

    def why_not(self, pair: Pair) -> str:
        """Return why not, with the names of the legs of `pair`."""
        names, holes = {"y": pair.y, "x": pair.x}, dict(self.holes)
        reasons = []
        # A leg of whose trades some are not here may have traded all the while.
        if quiet := [leg for leg in self.stale if leg not in holes]:
            reasons.append(" and ".join(names[leg] for leg in quiet) + " went quiet")
        for kind, words in _UNKNOWN.items():
            if legs := [leg for leg in holes if holes[leg] == kind]:
                reasons.append("trades of " + " and ".join(names[leg] for leg in legs) + " " + words)
        return "; ".join(reasons)


class Alignment:
    """Step through the seconds of two tapes, in order.

    What a closed second holds depends on the two tapes only, each in its own order, so live and replay agree at
    any speed and however the tapes interleave.
    """

    def __init__(self, y: SymbolTape, x: SymbolTape, stale_after_us: int) -> None:
        self.stale_after_us = stale_after_us
        self._y_tape, self._x_tape = y, x
        self._y: TapeTrade | None = None
        self._x: TapeTrade | None = None
        self.closed_until = 0
        self.passed_us = 0
        """Every second before it is closed, or passed over because nothing traded."""

    @property
    def legs(self) -> tuple[TapeTrade | None, TapeTrade | None]:
        """The last trades before `closed_until`."""
        return self._y, self._x

    @property
    def is_heard(self) -> bool:
        """Tell whether both legs are known at all."""
        return self._y_tape.known_us > 0 and self._x_tape.known_us > 0

    def restore(self, closed_until: int, y: TapeTrade | None, x: TapeTrade | None) -> None:
        """Continue after the last closed second of an earlier run; earlier seconds are skipped."""
        self._y, self._x, self.closed_until, self.passed_us = y, x, closed_until, closed_until

    def follow(self, y: SymbolTape, x: SymbolTape) -> None:
        """Go on along other tapes of the same trades."""
        self._y_tape, self._x_tape = y, x

    def skip(self, until: int) -> None:
        """Go on to `until`: no second before it is a sample, by what the tapes so far know."""
        for _ in self.close(until, EVER):
            raise AssertionError
        self.closed_until = max(self.closed_until, until)

    def copy(self) -> "Alignment":
        """Return a copy at the same position, on the same tapes."""
        other = Alignment(self._y_tape, self._x_tape, self.stale_after_us)
        other._y, other._x = self._y, self._x
        other.closed_until, other.passed_us = self.closed_until, self.passed_us
        return other

    def close(self, until: int, at_us: int | None = None) -> Iterator[Sample]:
        """Yield the seconds before `until`, oldest first, by what the tapes knew at `at_us`.

        Without `at_us` each second is what was known at its end.
        """
        while self.closed_until < until:
            second = self._next_second(at_us)
            if second is None or second >= until:
                break
            self.closed_until = end_us = second + SECOND
            known_us = end_us if at_us is None else at_us
            self._y = self._y_tape.last_trade(second, known_us) or self._y
            self._x = self._x_tape.last_trade(second, known_us) or self._x
            if self._y is not None and self._x is not None:
                yield self._sample(end_us, self._y, self._x, known_us)
        self.passed_us = max(self.passed_us, until)

    def _next_second(self, at_us: int | None) -> int | None:
        """Return the next second to close.

        When both legs are silent the first second in which both are stale is still closed, to say so; the
        following ones are passed over.
        """
        after = self.closed_until
        if (
            self._y is not None
            and self._x is not None
            and after - max(self._y.event_us, self._x.event_us) <= self.stale_after_us
        ):
            return after
        seconds = (self._y_tape.next_second(after, at_us), self._x_tape.next_second(after, at_us))
        return min((second for second in seconds if second is not None), default=None)

    def _sample(self, end_us: int, y: TapeTrade, x: TapeTrade, at_us: int) -> Sample:
        oldest = end_us - self.stale_after_us
        y_tape, x_tape = self._y_tape, self._x_tape
        second = end_us - SECOND
        late = y_tape.late_trades(second, at_us) + x_tape.late_trades(second, at_us)
        if y.event_us >= oldest and x.event_us >= oldest and not y_tape.holes and not x_tape.holes:
            return Sample(end_us, y, x, late=late)
        legs: tuple[tuple[Leg, TapeTrade, SymbolTape], ...] = (("y", y, y_tape), ("x", x, x_tape))
        return Sample(
            end_us,
            y,
            x,
            tuple(leg for leg, trade, _ in legs if trade.event_us < oldest),
            tuple((leg, kind) for leg, _, tape in legs if (kind := tape.hole_at(end_us, at_us))),
            late,
        )
