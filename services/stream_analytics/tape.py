"""The tape of one symbol as its pairs need it: the last trade of each second, and how far it is known."""

from bisect import bisect_left, insort
from typing import NamedTuple

from msgspec import Struct

from services.common.clock import SECOND


class Trade(Struct, frozen=True):
    """A trade: when, at what price, and its id, for of trades of one instant the highest id is the last."""

    event_us: int
    price: float
    trade_id: int = 0


class Gap(NamedTuple):
    """Event times between which trades are missing, and whether they are because messages were lost on their way."""

    first_us: int
    last_us: int
    is_loss: bool


class SymbolTape:
    """Take the trades of one symbol in the order of its partition, which every worker and every replay shares.

    Whether a trade is late depends on its own symbol alone: it is once a later trade, or a mark, has ended its
    second and `lateness_us` have passed.
    """

    def __init__(self, lateness_us: int = 0) -> None:
        self._lateness_us = lateness_us
        self.newest: Trade | None = None
        """The latest trade, known before the tape has it: what the moment is judged by."""
        self.known_us = 0
        """The event time up to which the tape is known."""
        self.final_us = 0
        """The end of the last second that nothing can change any more."""
        self.late = 0
        self.seconds: dict[int, Trade] = {}
        """The last trade of each second, by its start; those that every pair has passed are forgotten."""
        self.gaps: list[Gap] = []
        self._loses = False
        self._starts: list[int] = []  # of `seconds`, ascending
        self._last: Trade | None = None
        self._last_id: int | None = None
        self._mark: tuple[int, int] | None = None

    def restore(self, last: Trade) -> None:
        """Know the last trade of an earlier run: what follows it may show a gap."""
        if self._last is None or _order(last) > _order(self._last):
            self._last, self._last_id = last, last.trade_id
        self.glimpse(last)

    def glimpse(self, trade: Trade) -> bool:
        """Look at a trade that the tape will bring, and tell whether it is the latest one."""
        if self.newest is not None and _order(trade) <= _order(self.newest):
            return False
        self.newest = trade
        return True

    def add(self, trade: Trade, first_id: int | None = None) -> bool:
        """Take a trade and tell whether it is the latest one.

        With `first_id` it is the last of a run of trades of one second, whose ids begin there.
        """
        last, last_id = self._last, self._last_id
        begun_at = trade.trade_id if first_id is None else first_id
        if last_id is None or trade.trade_id > last_id:
            if last is not None and last_id is not None and begun_at > last_id + 1:
                self._tear(last.event_us, trade.event_us)
            self._last_id = trade.trade_id
            self._loses = False
        second = trade.event_us - trade.event_us % SECOND
        if second < self.final_us:
            self.late += trade.trade_id - begun_at + 1
            return False
        if (known := self.seconds.get(second)) is None:
            insort(self._starts, second)
        if known is None or _order(known) <= _order(trade):
            self.seconds[second] = trade
        self._know(trade.event_us)
        if self._mark is not None:
            self.mark(*self._mark)
        if last is None or _order(trade) >= _order(last):
            self._last = trade
        return self.glimpse(trade)

    def mark(self, event_us: int, trade_id: int) -> None:
        """Know that nothing traded after `trade_id` up to `event_us`; it counts once that trade is here."""
        if self._last_id is not None and self._last_id >= trade_id:
            self._know(event_us)
            self._mark = None
        else:
            self._mark = event_us, trade_id

    def lose(self) -> None:
        """Know that messages were lost: if trades are missing before the next one, that is why."""
        self._loses = True

    def next_second(self, since_us: int) -> int | None:
        """Return the first second that begins at `since_us` or later and has a trade."""
        place = bisect_left(self._starts, since_us)
        return self._starts[place] if place < len(self._starts) else None

    def gap_at(self, event_us: int) -> Gap | None:
        """Return the gap in which trades just before `event_us` are missing, if there is one."""
        return next((gap for gap in self.gaps if gap.first_us < event_us <= gap.last_us), None)

    def forget(self, before_us: int) -> None:
        """Drop what no pair will ask for again."""
        place = bisect_left(self._starts, before_us)
        for second in self._starts[:place]:
            del self.seconds[second]
        del self._starts[:place]
        self.gaps = [gap for gap in self.gaps if gap.last_us >= before_us]

    def _know(self, event_us: int) -> None:
        if event_us > self.known_us:
            self.known_us = event_us
            final_us = event_us - self._lateness_us
            self.final_us = max(self.final_us, final_us - final_us % SECOND)

    def _tear(self, first_us: int, last_us: int) -> None:
        # Inside one second a gap hides nothing: the second's last trade is here.
        if first_us // SECOND < last_us // SECOND:
            self.gaps.append(Gap(first_us, last_us, self._loses))


def _order(trade: Trade) -> tuple[int, int]:
    return trade.event_us, trade.trade_id
