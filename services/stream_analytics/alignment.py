"""Bring the two legs of a pair onto closed one-second samples, by event time alone."""

from typing import Literal

from msgspec import Struct

from services.common.clock import SECOND
from services.stream_analytics.tape import SymbolTape, Trade

Leg = Literal["y", "x"]


class Sample(Struct, frozen=True):
    """Both legs at the end of a second; their trades may be older than the second.

    `stale` names legs whose trade is too old, `torn` those whose tape misses trades there, and `lost` those of them
    whose trades there were, but got lost before they were read.
    """

    end_us: int
    y: Trade
    x: Trade
    stale: tuple[Leg, ...] = ()
    torn: tuple[Leg, ...] = ()
    lost: tuple[Leg, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Tell whether both prices are those of this second."""
        return not self.stale and not self.torn


class Alignment:
    """Close seconds in order, once both tapes are final beyond them.

    What a closed second holds depends on the two tapes only, each in its own order, so live and replay agree at
    any speed and however the tapes interleave.
    """

    def __init__(self, y: SymbolTape, x: SymbolTape, stale_after_us: int) -> None:
        self.stale_after_us = stale_after_us
        self._y_tape, self._x_tape = y, x
        self._y: Trade | None = None
        self._x: Trade | None = None
        self.closed_until = 0
        self.passed_us = 0
        """Every second before it is closed, or passed over because nothing traded."""

    @property
    def legs(self) -> tuple[Trade | None, Trade | None]:
        """The last trades before `closed_until`."""
        return self._y, self._x

    @property
    def is_heard(self) -> bool:
        """Tell whether both legs are known at all."""
        return self._y_tape.known_us > 0 and self._x_tape.known_us > 0

    def restore(self, closed_until: int, y: Trade | None, x: Trade | None) -> None:
        """Go on after the last closed second of an earlier run; what was closed is passed over."""
        self._y, self._x, self.closed_until, self.passed_us = y, x, closed_until, closed_until

    def close(self) -> list[Sample]:
        """Return the seconds that have become final, oldest first."""
        until = min(self._y_tape.final_us, self._x_tape.final_us)
        samples: list[Sample] = []
        while self.closed_until < until and (second := self._next_second()) is not None and second < until:
            self._y = self._y_tape.seconds.get(second, self._y)
            self._x = self._x_tape.seconds.get(second, self._x)
            self.closed_until = second + SECOND
            if self._y is not None and self._x is not None:
                samples.append(self._sample(self.closed_until, self._y, self._x))
        self.passed_us = max(self.passed_us, until)
        return samples

    def _next_second(self) -> int | None:
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
        seconds = (self._y_tape.next_second(after), self._x_tape.next_second(after))
        return min((second for second in seconds if second is not None), default=None)

    def _sample(self, end_us: int, y: Trade, x: Trade) -> Sample:
        oldest = end_us - self.stale_after_us
        if y.event_us >= oldest and x.event_us >= oldest and not self._y_tape.gaps and not self._x_tape.gaps:
            return Sample(end_us, y, x)
        legs: tuple[tuple[Leg, Trade, SymbolTape], ...] = (("y", y, self._y_tape), ("x", x, self._x_tape))
        return Sample(
            end_us,
            y,
            x,
            tuple(leg for leg, trade, _ in legs if trade.event_us < oldest),
            tuple(leg for leg, _, tape in legs if tape.gap_at(end_us)),
            tuple(leg for leg, _, tape in legs if (gap := tape.gap_at(end_us)) and gap.is_loss),
        )
