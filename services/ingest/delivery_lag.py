"""Delivery lag of each symbol: receipt time minus event time over the last minute of receipts. No I/O."""

from collections import deque
from collections.abc import Callable, Iterable

from services.common.clock import SECOND
from services.contracts.messages import DeliveryLag

# A minute in slots: the oldest is forgotten as a whole.
_SLOT_US = 5 * SECOND
_SLOTS = 12
# Up to here a lag is counted to the millisecond, beyond it to this many significant bits.
_EXACT_MS = 256
_BITS = 8
_BEHIND_MS = -500


class DeliveryLags:
    """Counts the lags of each symbol, from its receipt time and its event time.

    Quantiles are right to 0.5 ms and, beyond 256 ms, to 0.4 %. Trades that were asked for afterwards have no
    delivery and are not to be taken.
    """

    def __init__(self, now_us: Callable[[], int] | None = None) -> None:
        """`now_us` is the clock of the receipts; without it the latest receipt of any symbol is now."""
        self._now_us = now_us
        self.behind_us = 0
        """Lag of the local clock behind the venue's (us), negative if ahead; receipt times are corrected by it."""
        self._latest_us = 0
        self._symbols: dict[str, _Lags] = {}

    def take(self, symbol: str, received_us: int, event_us: int) -> None:
        """Count one trade; this runs for every trade there is."""
        lags = self._symbols.get(symbol)
        if lags is None or not lags.begin_us <= received_us < lags.end_us:
            lags = self._turned(symbol, lags, received_us)
        lags.now_us = lag_us = received_us - event_us
        ms = (lag_us + 500) // 1000
        if not -_EXACT_MS < ms < _EXACT_MS:
            ms = _coarse(ms) if ms > 0 else -_coarse(-ms)
        counts = lags.counts
        counts[ms] = counts.get(ms, 0) + 1

    def told(self) -> dict[str, DeliveryLag]:
        """Return the lag of each symbol that had trades in the last minute."""
        slot = (self._now_us() if self._now_us else self._latest_us) // _SLOT_US
        found = {}
        for symbol, lags in list(self._symbols.items()):
            if counts := lags.all(slot):
                p50_ms, p99_ms = quantiles(counts, (50, 99))
                found[symbol] = DeliveryLag(round(lags.now_us / 1000), p50_ms, p99_ms)
            else:
                del self._symbols[symbol]
        return found

    def _turned(self, symbol: str, lags: "_Lags | None", received_us: int) -> "_Lags":
        slot = received_us // _SLOT_US
        self._latest_us = max(self._latest_us, received_us)
        if lags is None or slot < lags.slot:
            # The clock may have been set back, too: what was counted by the one before is of no use.
            lags = self._symbols[symbol] = _Lags(slot)
            self._latest_us = received_us
        else:
            lags.turn(slot)
        return lags


class _Lags:
    """The lags of one symbol: how many there were of each, by slot of their receipt."""

    __slots__ = ("_closed", "_slots", "begin_us", "counts", "end_us", "now_us", "slot")

    def __init__(self, slot: int) -> None:
        self._slots: deque[tuple[int, dict[int, int]]] = deque()
        self._closed: dict[int, int] = {}
        self.now_us = 0
        self._open(slot)

    def turn(self, slot: int) -> None:
        """Begin a later slot."""
        self._slots.append((self.slot, self.counts))
        self._closed = _sum((self._closed, self.counts))
        self._forget(slot)
        self._open(slot)

    def all(self, slot: int) -> dict[int, int]:
        """Return how many there were of each lag (ms) in the minute before the end of `slot`."""
        self._forget(slot)
        return _sum((self._closed, self.counts)) if self.slot > slot - _SLOTS else {}

    def _forget(self, slot: int) -> None:
        kept = len(self._slots)
        while self._slots and self._slots[0][0] <= slot - _SLOTS:
            self._slots.popleft()
        if len(self._slots) < kept:
            self._closed = _sum(counts for _, counts in self._slots)

    def _open(self, slot: int) -> None:
        self.slot = slot
        self.counts: dict[int, int] = {}
        # Receipts that are a little out of order are of the open slot.
        self.begin_us, self.end_us = (slot - 1) * _SLOT_US, (slot + 1) * _SLOT_US


def quantiles(counts: dict[int, int], percents: Iterable[int]) -> list[int]:
    """Return the quantile of the counts for each of `percents`.

    >>> quantiles({5: 98, 900: 2}, (50, 99))
    [5, 900]
    """
    total, values = sum(counts.values()), sorted(counts)
    found, below, place = [], 0, -1
    for rank in (-(-total * percent // 100) for percent in sorted(percents)):
        while below < rank:
            place += 1
            below += counts[values[place]]
        found.append(values[place])
    return found


def behind_s(lags: dict[str, DeliveryLag]) -> float | None:
    """Return how far the clock of the receipts is behind the venue's, None unless half of a symbol's trades say so."""
    least_ms = min((lag.p50_ms for lag in lags.values()), default=0)
    return -least_ms / 1000 if least_ms < _BEHIND_MS else None


def _coarse(ms: int) -> int:
    shift = ms.bit_length() - _BITS
    return (ms >> shift << shift) + (1 << shift >> 1)


def _sum(several: Iterable[dict[int, int]]) -> dict[int, int]:
    total: dict[int, int] = {}
    for counts in several:
        for ms, count in counts.items():
            total[ms] = total.get(ms, 0) + count
    return total
