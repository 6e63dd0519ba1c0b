"""Bring the two legs of a pair onto closed one-second samples, by event time alone."""

from typing import Literal

from msgspec import Struct

from services.common.clock import SECOND

Leg = Literal["y", "x"]


class Trade(Struct, frozen=True):
    """A leg's last trade: when, at what price, and its id, for of trades of one instant the highest id is the last."""

    event_us: int
    price: float
    trade_id: int = 0


class Sample(Struct, frozen=True):
    """Both legs at the end of a second. A leg's trade may be older than the second; `stale` names legs too old."""

    end_us: int
    y: Trade
    x: Trade
    stale: tuple[Leg, ...]


class Alignment:
    """Close seconds in order, once both legs are known to have passed them.

    A second closes when each leg has traded at or after its end, or when `advance` says that time has passed.
    What a closed second holds depends on event times only, so live and replay agree at any speed.
    """

    def __init__(self, stale_after_us: int) -> None:
        self._stale_after_us = stale_after_us
        self._last: dict[Leg, Trade] = {}
        self._waiting: dict[Leg, dict[int, Trade]] = {"y": {}, "x": {}}
        self._known_until: dict[Leg, int] = {"y": 0, "x": 0}
        self.closed_until = 0
        self.late = 0

    def restore(self, closed_until: int, y: Trade, x: Trade) -> None:
        """Go on after the last sample of an earlier run; trades of closed seconds are then ignored."""
        self._last = {"y": y, "x": x}
        self._known_until = {"y": closed_until, "x": closed_until}
        self.closed_until = closed_until

    def add(self, leg: Leg, trade: Trade) -> list[Sample]:
        """Take a trade and return the seconds it closes, oldest first; a trade in a closed second is late."""
        if trade.event_us < self.closed_until:
            self.late += 1
            return []
        second = trade.event_us - trade.event_us % SECOND
        known = self._waiting[leg].get(second)
        if known is None or (known.event_us, known.trade_id) <= (trade.event_us, trade.trade_id):
            self._waiting[leg][second] = trade
        self._known_until[leg] = max(self._known_until[leg], trade.event_us)
        return self._close(min(self._known_until.values()))

    def advance(self, event_us: int) -> list[Sample]:
        """Close every second up to `event_us`: the legs are known to have been quiet until then."""
        self._known_until = {leg: max(known, event_us) for leg, known in self._known_until.items()}
        return self._close(event_us)

    @property
    def waiting_since(self) -> int | None:
        """The start of the oldest second that a trade waits in, or None."""
        return min((second for waiting in self._waiting.values() for second in waiting), default=None)

    @property
    def known_until(self) -> int:
        """The latest event time seen on either leg."""
        return max(self._known_until.values())

    def _close(self, until: int) -> list[Sample]:
        samples = []
        until -= until % SECOND
        while (second := self._next_second()) is not None and second < until:
            for leg, waiting in self._waiting.items():
                if (trade := waiting.pop(second, None)) is not None:
                    self._last[leg] = trade
            self.closed_until = second + SECOND
            if len(self._last) == 2:
                samples.append(self._sample(self.closed_until))
        return samples

    def _next_second(self) -> int | None:
        """Return the next second to close.

        When both legs are silent the first second in which both are stale is still closed, to say so; the
        following ones are passed over.
        """
        if len(self._last) == 2 and any(
            self.closed_until - trade.event_us <= self._stale_after_us for trade in self._last.values()
        ):
            return self.closed_until
        return self.waiting_since

    def _sample(self, end_us: int) -> Sample:
        y, x = self._last["y"], self._last["x"]
        stale = tuple(
            leg for leg, trade in self._last.items() if end_us - trade.event_us > self._stale_after_us
        )
        return Sample(end_us, y, x, tuple(sorted(stale, reverse=True)))
