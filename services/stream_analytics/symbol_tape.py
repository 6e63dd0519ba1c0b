"""Symbol tape: the last trade of each second, how far the tape is known, and since when."""

from bisect import bisect_left, insort
from collections.abc import Sequence

from services.common.clock import SECOND
from services.stream_analytics.doubtful_stretches import DoubtfulStretch, DoubtfulStretches, HoleKind
from services.stream_analytics.missing_ids import MissingIds
from services.stream_analytics.pending_time_marks import PendingTimeMark, PendingTimeMarks
from services.stream_analytics.trades import Change, LateTrades, TapeTrade, order

# What is missing only because ids are swapped, or comes by another connection, is there this long after the second.
_SWAPPED_US = SECOND + SECOND // 4


class SymbolTape:
    """Take the trades of one symbol in the order of its partition, which every worker and every replay shares.

    A second closes once a later trade, or a mark, has ended it and `lateness_us` have passed. What comes for it then
    is late: it changes what the tape says *since that moment of the tape*, until `horizon_us` more have passed and
    the second is final. So whoever asks what was known at an event time is told the same, whenever he asks.
    """

    def __init__(self, lateness_us: int = 0, horizon_us: int = 0) -> None:
        self._lateness_us = lateness_us
        self._horizon_us = horizon_us
        self.newest: TapeTrade | None = None
        """The latest trade, known before the tape has it: what the moment is judged by."""
        self.known_us = 0
        """The event time up to which the tape is known."""
        self.closed_us = 0
        """The end of the last second that has closed."""
        self.final_us = 0
        """The end of the last second that nothing can change any more."""
        self.late = 0
        self.seconds: dict[int, TapeTrade] = {}
        """The last trade of each second when it closed, by its start, as long as a pair needs it."""
        self.holes = DoubtfulStretches()
        self.changes: list[Change] = []
        """Changes of closed seconds, in order of arrival."""
        self._late = LateTrades()
        self._starts: list[int] = []  # of `seconds` and of those with late trades alone, ascending
        self._awaited: tuple[int, int] | None = None
        self._loses = self._loses_until_gap = False
        self._last: TapeTrade | None = None
        self._is_restored = self._is_whole = False
        self._last_id = self._old_last_id = self._renumbered_us = -1
        self._missing = MissingIds()
        self._earlier = MissingIds()
        """The ids before the first one, which may still come."""
        self._marks = PendingTimeMarks()

    def restore(self, last: TapeTrade) -> None:
        """Know the last trade that the state of a pair holds: what follows the oldest of them may show a gap."""
        if (
            self.known_us == 0
            and not self._is_whole
            and (self._last is None or order(last) < order(self._last))
        ):
            self._last, self._is_restored = last, True
            self._begin_at(last.trade_id)
        self.peek(last)

    def begin(self) -> None:
        """Note that a pair whose state has no trade of it needs every coming one, whatever other states hold."""
        if self.known_us == 0:
            self._is_whole, self._is_restored, self._last, self._last_id = True, False, None, -1

    def peek(self, trade: TapeTrade) -> bool:
        """Look at a trade that the tape will bring, and tell whether it is the latest one."""
        if self.newest is not None and order(trade) <= order(self.newest):
            return False
        self.newest = trade
        return True

    def add(self, trade: TapeTrade, first_id: int | None = None) -> bool:
        """Take a trade and tell whether it is the latest one.

        With `first_id` it is the last of a run of trades of one second, whose ids begin there. A trade that has come
        before says nothing.
        """
        last, last_id = self._last, self._last_id
        begun_at = trade.trade_id if first_id is None else first_id
        second = trade.event_us - trade.event_us % SECOND
        is_of_old_numbers = trade.event_us <= self._renumbered_us and trade.trade_id <= self._old_last_id
        if trade.trade_id > last_id and not is_of_old_numbers:
            begun_at = max(begun_at, last_id + 1)
            self._follow(last, begun_at, trade)
        elif last is not None and trade.event_us > last.event_us and not self._lacks(trade.trade_id):
            # No trade after the latest one has come: the venue has started a new numbering.
            self._old_last_id, self._renumbered_us = last_id, last.event_us
            self._begin_at(trade.trade_id)
        elif not self._fill(begun_at, trade, second):
            return False
        if second < self.closed_us:
            self._add_late(second, trade, trade.trade_id - begun_at + 1)
        else:
            if (known := self.seconds.get(second)) is None:
                insort(self._starts, second)
            if known is None or known.trade_id <= trade.trade_id:
                self.seconds[second] = trade
            self._know(trade.event_us)
        if self._marks:
            self._heed()
        if last is None or order(trade) >= order(last):
            self._last = trade
        return self.peek(trade)

    def mark(self, event_us: int, trade_id: int, is_doubtful: bool = False) -> None:
        """Know that nothing came after the trade `trade_id` from before `event_us`; it counts once that one is here.

        One that `is_doubtful` only ends the wait: what seemed quiet since then may have traded.
        """
        self._marks.put(PendingTimeMark(event_us, trade_id, is_doubtful))
        self._heed()

    def follow_marks(self, ends_us: Sequence[int]) -> None:
        """Know the marks that came before the next trade: their ends, of certain and doubtful ones by turns."""
        for number, end_us in enumerate(ends_us):
            if number % 2:
                self._doubt(end_us)
            else:
                self._trust(end_us)

    def lose(self, until_gap: bool = False) -> None:
        """Know that messages were lost: if trades are missing before the next one, that is why.

        With `until_gap` those that are missing next are meant, whenever that is.
        """
        self._loses = True
        self._loses_until_gap |= until_gap

    def loses_after(self, event_us: int) -> bool:
        """Tell whether trades after `event_us` were lost, or those that come next may have been."""
        return self._loses or any(hole.kind == "lost" and hole.last_us > event_us for hole in self.holes)

    def next_second(self, since_us: int, at_us: int | None = None) -> int | None:
        """Return the first second that begins at `since_us` or later and has a trade that was known at `at_us`.

        Without `at_us` it was known when the second closed.
        """
        for place in range(bisect_left(self._starts, since_us), len(self._starts)):
            second = self._starts[place]
            if second in self.seconds or (at_us is not None and self.last_trade(second, at_us) is not None):
                return second
        return None

    def last_trade(self, second: int, at_us: int) -> TapeTrade | None:
        """Return the last trade of a second as known at `at_us`, None if there was none."""
        return self._late.last(second, self.seconds.get(second), at_us)

    def late_trades(self, second: int, at_us: int) -> int:
        """Return how many trades of a second had come after its close, as known at `at_us`."""
        return self._late.number(second, at_us)

    def hole_at(self, end_us: int, at_us: int) -> HoleKind | None:
        """Return why the trades just before `end_us` are unknown, as known at `at_us`; None if they are known."""
        return self.holes.kind_at(end_us, at_us)

    def adopt(self, other: "SymbolTape") -> None:
        """Take what another tape of the same trades remembers of earlier seconds."""
        self.seconds = other.seconds | self.seconds
        self._starts = sorted({*other._starts, *self._starts})
        self._late.adopt(other._late)
        known = list(self.holes)
        self.holes.put(*(hole for hole in other.holes if hole not in known))

    def forget(self, before_us: int) -> None:
        """Drop what no pair will ask for again."""
        place = bisect_left(self._starts, before_us)
        for second in self._starts[:place]:
            self.seconds.pop(second, None)
            self._late.forget(second)
        del self._starts[:place]
        self.holes.forget(before_us)
        self._missing.forget(before_us)
        self.changes = [change for change in self.changes if change.learned_us >= before_us]

    def _know(self, event_us: int) -> None:
        if event_us > self.known_us:
            self.known_us = event_us
            self._close()

    def _close(self) -> None:
        closed_us = self.known_us - self._lateness_us
        if self._awaited is not None:
            first_us, until_us = self._awaited
            if self.known_us < until_us:
                closed_us = min(closed_us, first_us)
            else:
                self._awaited = None
        self.closed_us = max(self.closed_us, closed_us - closed_us % SECOND)
        self.final_us = max(self.final_us, self.closed_us - self._horizon_us)

    def _add_late(self, second: int, trade: TapeTrade, number: int) -> None:
        self.late += number
        if second < self.final_us:
            return
        if self._late.add(second, trade, number, self.known_us) and second not in self.seconds:
            insort(self._starts, second)
        self._learn(second)

    def _follow(self, last: TapeTrade | None, begun_at: int, trade: TapeTrade) -> None:
        """Take a trade whose id is the highest: it may show that others are missing, and ends doubt."""
        if last is None:
            self._begin_at(begun_at)
        elif begun_at > self._last_id + 1:
            first_us = max(last.event_us, self.final_us)
            kind: HoleKind = "lost" if self._loses else "missing"
            holes = self._tear(first_us, trade.event_us, kind)
            if holes:
                self._missing.add(self._last_id + 1, begun_at - 1, holes)
            self._loses_until_gap = False
            # What another connection, or a swap of ids, brings a moment later is awaited before these seconds close.
            self._awaited = first_us, trade.event_us - trade.event_us % SECOND + _SWAPPED_US
        if self.holes:
            self._dispel_doubt(trade.event_us)
        self._last_id = trade.trade_id
        self._loses = self._loses_until_gap

    def _begin_at(self, trade_id: int) -> None:
        self._last_id, self._earlier = trade_id, MissingIds([(0, trade_id - 1)] if trade_id else ())

    def _dispel_doubt(self, until_us: int) -> None:
        """Know that what seemed quiet up to `until_us` was, but for trades that have come."""
        for hole in self.holes.dispelled(until_us):
            self._fill_hole(hole, until_us)

    def _tear(self, first_us: int, last_us: int, kind: HoleKind) -> tuple[DoubtfulStretch, ...]:
        """Note a doubtful stretch, and return its parts: closed seconds are doubtful from now on, open ones always."""
        self._learn(first_us)
        closed_us, parts = self.closed_us, []
        if first_us < closed_us:
            parts.append(DoubtfulStretch(first_us, min(last_us, closed_us), kind, self.known_us))
        if last_us > closed_us:
            parts.append(DoubtfulStretch(max(first_us, closed_us), last_us, kind, -1))
        self.holes.put(*parts)
        return tuple(parts)

    def _fill_hole(self, hole: DoubtfulStretch, until_us: int) -> None:
        self._learn(hole.first_us)
        self.holes.fill(hole, until_us, self.known_us, self.final_us)
        # What has not closed yet was never seen with it.
        hole.last_us = min(hole.last_us, max(hole.first_us, self.closed_us))
        if not hole.missing and self._awaited is not None:
            self._awaited = None
            self._close()

    def _has(self, trade_id: int) -> bool:
        # What came before the stored state is not known one by one: it is waited for, but not for long.
        waits = not self._is_restored or self._marks.span_us <= self._horizon_us
        lacks = (waits and trade_id in self._earlier) or trade_id in self._missing
        return trade_id <= self._last_id and not lacks

    def _lacks(self, trade_id: int) -> bool:
        return trade_id in self._earlier or trade_id in self._missing

    def _fill(self, begun_at: int, trade: TapeTrade, second: int) -> bool:
        """Take a trade whose id is not the highest; tell whether it is one that has not come before."""
        if not self._lacks(trade.trade_id):
            if second < self.final_us:
                self.late += trade.trade_id - begun_at + 1
            return False
        self._earlier.take(begun_at, trade.trade_id)
        for hole in self._missing.take(begun_at, trade.trade_id):
            # A trade that is too late to count fills nothing: the signals of these seconds stay.
            hole.is_final |= second < self.final_us
            if not hole.missing and not hole.is_final:
                self._fill_hole(hole, hole.last_us)
        return True

    def _heed(self) -> None:
        """Apply the marks whose trades are here, and those before them; drop those that say nothing new."""
        for event_us, _, is_doubtful in self._marks.heard(self._has):
            if is_doubtful:
                self._doubt(event_us)
            else:
                self._trust(event_us)
        self._marks.drop(self.known_us)

    def _trust(self, until_us: int) -> None:
        if until_us > self.known_us:
            self._dispel_doubt(until_us)
            self._know(until_us)

    def _doubt(self, until_us: int) -> None:
        first_us = self.known_us
        if until_us <= first_us:
            return
        self.holes.doubt(first_us, until_us)
        self._know(until_us)

    def _learn(self, first_us: int) -> None:
        """Note that something was learned of the time after `first_us`, if a second of it has closed."""
        if first_us < self.closed_us:
            now_us = self.known_us - self.known_us % SECOND
            if self.changes and self.changes[-1].learned_us == now_us:
                first_us = min(first_us, self.changes.pop().first_us)
            self.changes.append(Change(first_us, now_us))
