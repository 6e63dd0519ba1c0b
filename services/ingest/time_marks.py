"""Say of a quiet symbol how far its tape is known, by the event time of the others."""

from collections.abc import Sequence

from services.common.clock import SECOND
from services.common.messages import TapeEvent, Tick, TimeMark

# Trades of different symbols that happened at one moment are published within so long of each other.
_APART_US = 3 * SECOND
_DOUBTS = ("gap_found", "stream_stale", "reconnect", "dropped")


class TimeMarks:
    """Follow what is published, in its order; so the same recording gives the same marks at any speed.

    While a symbol's stream is in doubt nothing is said of it, for its silence may be ours; its next trade ends
    the doubt. What was repaired says nothing of the present.
    """

    def __init__(self) -> None:
        self._next_second_us = SECOND
        self._last_id: dict[str, int] = {}
        self._known_us: dict[str, int] = {}
        self._doubted: set[str] = set()

    def trade(self, tick: Tick) -> Sequence[TimeMark]:
        """Take a trade and return the marks it gives rise to, at most one for each symbol and second."""
        if tick.repaired:
            return ()
        symbol, event_us = tick.symbol, tick.event_us
        self._last_id[symbol] = tick.trade_id
        self._doubted.discard(symbol)
        if event_us > self._known_us.get(symbol, -1):
            self._known_us[symbol] = event_us
        if event_us < self._next_second_us:
            return ()
        second_us = event_us // SECOND * SECOND
        self._next_second_us = second_us + SECOND
        return self._marks(second_us - _APART_US)

    def event(self, event: TapeEvent) -> None:
        """Take what happened to a tape."""
        if event.kind in _DOUBTS:
            self._doubted.add(event.symbol)

    def end(self) -> Sequence[TimeMark]:
        """Return the marks that end every tape: nothing comes any more, so the last second is over."""
        return self._marks(max(self._known_us.values(), default=0) // SECOND * SECOND + SECOND)

    def _marks(self, until_us: int) -> Sequence[TimeMark]:
        marks = []
        for symbol, known_us in self._known_us.items():
            if known_us < until_us and symbol not in self._doubted:
                self._known_us[symbol] = until_us
                marks.append(TimeMark(symbol=symbol, event_us=until_us, trade_id=self._last_id[symbol]))
        return marks
