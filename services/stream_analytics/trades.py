"""Trades of a tape, and changes by trades that come after their second has closed."""

from operator import attrgetter
from typing import NamedTuple

from msgspec import Struct

from services.common.clock import SECOND


class TapeTrade(Struct, frozen=True):
    """A trade: when, at what price, and its id: the highest of a second is the last, as in its bar."""

    event_us: int
    price: float
    trade_id: int = 0


_ID = attrgetter("trade_id")


def order(trade: TapeTrade) -> tuple[int, int]:
    """Return what trades of one symbol are sorted by: the last one is the price of this moment."""
    return trade.event_us, trade.trade_id


class Change(NamedTuple):
    """Change of the tape from `first_us` on, learned when the tape was in the second `learned_us`."""

    first_us: int
    learned_us: int


class _Late(NamedTuple):
    """The last of `number` trades of one second that came while the tape was in the second `learned_us`."""

    learned_us: int
    trade: TapeTrade
    number: int


class LateTrades:
    """The late trades of each second, and since when they are known."""

    def __init__(self) -> None:
        self._seconds: dict[int, list[_Late]] = {}

    def add(self, second: int, trade: TapeTrade, number: int, known_us: int) -> bool:
        """Take the last of `number` trades that came when the tape was at `known_us`; tell if they are the first."""
        is_first = second not in self._seconds
        found, now_us = self._seconds.setdefault(second, []), known_us - known_us % SECOND
        if found and found[-1].learned_us == now_us:
            _, last, before = found.pop()
            trade, number = max(last, trade, key=_ID), before + number
        found.append(_Late(now_us, trade, number))
        return is_first

    def last(self, second: int, known: TapeTrade | None, at_us: int) -> TapeTrade | None:
        """Return which is the last of `known` and the late trades of a second that had come at `at_us`."""
        for learned_us, trade, _ in self._seconds.get(second, ()):
            if learned_us < at_us and (known is None or known.trade_id <= trade.trade_id):
                known = trade
        return known

    def number(self, second: int, at_us: int) -> int:
        """Return how many late trades of a second had come at `at_us`."""
        if not self._seconds:
            return 0
        return sum(one.number for one in self._seconds.get(second, ()) if one.learned_us < at_us)

    def adopt(self, other: "LateTrades") -> None:
        """Take those of seconds of which there are none."""
        self._seconds = other._seconds | self._seconds

    def forget(self, second: int) -> None:
        """Drop those of a second."""
        self._seconds.pop(second, None)
