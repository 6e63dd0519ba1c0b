"""Timestamp check of trades and mark prices: none can happen after it was received."""

from collections import deque
from collections.abc import Iterable
from itertools import islice
from statistics import median_low
from typing import TypeVar

from msgspec import structs

from services.common.clock import MINUTE, SECOND
from services.common.codec import encode
from services.common.plausibility import AHEAD_US
from services.contracts.messages import MarkPrice, Tick
from services.ingest.feed import Rejected

# Trades of all symbols, and of each, that it takes to tell whether a clock is wrong.
_OF_ALL = 31
_OF_EACH = 5
# A symbol that has been silent for longer says nothing of the clock.
_SILENT_US = MINUTE

Judged = TypeVar("Judged", Tick, MarkPrice)


class TimestampCheck:
    """Timestamp check of one recording or venue: refuses times more than 2 s after the receipt.

    It would make all that follows late, in every pair. The receipt is the recorded one where there is a recording. If
    the trades of every symbol are ahead, it is the clock of the receipts that is behind: then the venue's counts.
    """

    def __init__(self) -> None:
        self.behind_us = 0
        """Lag of the receiving clock behind the venue's at the latest accepted item (us)."""
        self._of_all: deque[int] = deque(maxlen=_OF_ALL)
        self._of_each: dict[str, deque[int]] = {}
        self._received_us: dict[str, int] = {}

    def foresee(self, ticks: Iterable[Tick]) -> None:
        """Know of the first trades how the clock was before they are judged: of a recording they are there already."""
        for tick in islice(ticks, _OF_ALL):
            self._note(tick, tick.event_us - tick.received_us)

    def judged(self, item: Judged, asked_for: bool = False) -> Judged | Rejected:
        """Return a trade or a mark price, received by the venue's clock, or why its time cannot be true.

        One that was `asked_for` is judged alike, but comes too late to say anything of the clock.
        """
        if rejected := self.refuse(item, asked_for):
            return rejected
        if self.behind_us:
            return structs.replace(item, received_us=item.received_us + self.behind_us)
        return item

    def refuse(self, item: Tick | MarkPrice, asked_for: bool = False) -> Rejected | None:
        """Return why the time of a trade or a mark price cannot be true, if so."""
        ahead_us = item.event_us - item.received_us
        if isinstance(item, Tick) and not asked_for:
            self._note(item, ahead_us)
        self.behind_us = 0
        if ahead_us <= AHEAD_US:
            return None
        behind_us = self._clock_behind_us(item.received_us)
        if ahead_us - behind_us <= AHEAD_US:
            self.behind_us = behind_us
            return None
        what = f"trade {item.trade_id}" if isinstance(item, Tick) else "mark price"
        reason = (
            f"expected a {what.partition(' ')[0]} from before its receipt, "
            f"received one dated {(ahead_us - behind_us) / SECOND:.0f} s ahead of it; "
            "it is put aside, for all that follows would seem late"
        )
        return Rejected(encode(item), reason, f"{item.symbol} {what}")

    def _note(self, tick: Tick, ahead_us: int) -> None:
        symbol = tick.symbol
        self._of_all.append(ahead_us)
        self._received_us[symbol] = tick.received_us
        if (latest := self._of_each.get(symbol)) is None:
            latest = self._of_each[symbol] = deque(maxlen=_OF_EACH)
        latest.append(ahead_us)

    def _clock_behind_us(self, at_us: int) -> int:
        """Return by how much every symbol says that the clock is behind, 0 before there is enough to tell."""
        if len(self._of_all) < _OF_ALL:
            return 0
        each = (
            median_low(self._of_each[symbol])
            for symbol, received_us in self._received_us.items()
            if at_us - received_us <= _SILENT_US
        )
        return max(0, min(median_low(self._of_all), *each))
