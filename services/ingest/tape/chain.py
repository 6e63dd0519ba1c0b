"""Chain of a symbol's trades, known from consecutive ids alone: no id is stored.

Seen is every id from the first to the last, except the spans that are missing. So the memory of months is two
numbers and the open gaps, and a duplicate is recognised however late it comes.
"""

from bisect import bisect_left, bisect_right
from enum import Enum, auto
from operator import attrgetter
from typing import NamedTuple

from services.contracts.messages import Tick

# A trade dated after the last one, with an id so far below it, is of another numbering: late trades are older.
BACK = 1_000
# Ids that the busiest contract uses in a year.
_AHEAD = 1_000_000_000
_FIRST = attrgetter("first_id")
_LAST = attrgetter("last_id")


class IdSpan(NamedTuple):
    """Consecutive ids, from the first to the last, and two event times (epoch, us).

    Of ids that we have, the times are those of the first and the last; of ids that are missing, those of the
    neighbours, between which they are taken to be spread evenly.
    """

    first_id: int
    last_id: int
    start_us: int
    end_us: int

    @property
    def ids(self) -> int:
        """Return the number of ids."""
        return self.last_id - self.first_id + 1

    def since(self, us: int) -> int:
        """Return how many of the missing ids fall on `us` or later."""
        low, high = sorted((self.start_us, self.end_us))
        if us <= low:
            return self.ids
        if us > high:
            return 0
        # The i-th of n is at low + i (high - low) / (n + 1).
        before = ((us - low) * (self.ids + 1) - 1) // (high - low)
        return self.ids - min(self.ids, before)

    def without(self, first_id: int, last_id: int) -> list["IdSpan"]:
        """Return what is left of the missing ids without some of them."""
        left = self._part(self.first_id, min(self.last_id, first_id - 1))
        right = self._part(max(self.first_id, last_id + 1), self.last_id)
        return [part for part in (left, right) if part.ids > 0]

    def within(self, first_id: int, last_id: int) -> "IdSpan":
        """Return the missing ids that are in a range; there must be some."""
        return self._part(max(self.first_id, first_id), min(self.last_id, last_id))

    def _part(self, first_id: int, last_id: int) -> "IdSpan":
        start_us = self.start_us if first_id == self.first_id else self._moment(first_id - 1)
        end_us = self.end_us if last_id == self.last_id else self._moment(last_id + 1)
        return IdSpan(first_id, last_id, start_us, end_us)

    def _moment(self, trade_id: int) -> int:
        place = trade_id - self.first_id + 1
        return self.start_us + (self.end_us - self.start_us) * place // (self.ids + 1)


class Taken(Enum):
    """Verdict on a trade by its chain."""

    NEXT = auto()
    AHEAD = auto()
    """The trade leaves a span missing before it."""
    LATE = auto()
    """The trade was missing."""
    DUPLICATE = auto()
    RENUMBERED = auto()
    """Its id cannot belong to this numbering; the chain is as it was."""


class Chain:
    """The ids of one symbol: up to `next_id`, which is expected next, all have been seen but those `missing`."""

    __slots__ = ("last_us", "missing", "next_id")

    def __init__(self, next_id: int, last_us: int) -> None:
        """Expect `next_id`, after a trade at `last_us`."""
        self.next_id = next_id
        self.last_us = last_us
        self.missing: list[IdSpan] = []
        """Ascending and disjoint; a trade that was seen lies between any two."""

    def take(self, tick: Tick) -> Taken:
        """Count a trade as seen, and return what it is."""
        trade_id, event_us = tick.trade_id, tick.event_us
        step = trade_id - self.next_id
        if step < 0:
            if step < -BACK and event_us > self.last_us:
                return Taken.RENUMBERED
            return Taken.LATE if self.fill(trade_id, event_us) else Taken.DUPLICATE
        if step > _AHEAD:
            return Taken.RENUMBERED
        if step:
            self.missing.append(IdSpan(self.next_id, trade_id - 1, self.last_us, event_us))
        self.next_id = trade_id + 1
        self.last_us = event_us
        return Taken.AHEAD if step else Taken.NEXT

    def is_near(self, tick: Tick) -> bool:
        """Return whether an id is so close to the one expected that it can hardly be of another numbering."""
        return abs(tick.trade_id - self.next_id) <= BACK

    def fill(self, trade_id: int, event_us: int) -> bool:
        """Count a missing id as seen at `event_us`; False if it was not missing."""
        place = bisect_left(self.missing, trade_id, key=_LAST)
        if place == len(self.missing) or (span := self.missing[place]).first_id > trade_id:
            return False
        parts = (
            IdSpan(span.first_id, trade_id - 1, span.start_us, event_us),
            IdSpan(trade_id + 1, span.last_id, event_us, span.end_us),
        )
        self.missing[place : place + 1] = [part for part in parts if part.ids > 0]
        return True

    def missing_in(self, first_id: int, last_id: int) -> list[IdSpan]:
        """Return what is missing of a range of ids, ascending."""
        return [span.within(first_id, last_id) for span in self.missing[self._places(first_id, last_id)]]

    def first_missing(self, first_id: int, last_id: int) -> int | None:
        """Return the lowest missing id of a range."""
        place = bisect_left(self.missing, first_id, key=_LAST)
        if place == len(self.missing) or self.missing[place].first_id > last_id:
            return None
        return max(first_id, self.missing[place].first_id)

    def discard(self, first_id: int, last_id: int) -> list[IdSpan]:
        """Miss none of a range of ids any longer; return those that were missing."""
        found, places = self.missing_in(first_id, last_id), self._places(first_id, last_id)
        self.missing[places] = [
            part for span in self.missing[places] for part in span.without(first_id, last_id)
        ]
        return found

    def _places(self, first_id: int, last_id: int) -> slice:
        return slice(
            bisect_left(self.missing, first_id, key=_LAST), bisect_right(self.missing, last_id, key=_FIRST)
        )
