"""Trades and quote volume a second of each symbol, over the last minute of publication, and its last price. No I/O."""

from collections import deque

from services.contracts.messages import TradeRate

_MINUTE_S = 60.0

_Totals = tuple[float, int, float]


class TradeRates:
    """Counts trades as they are published; ``mark`` is called about once a second.

    Rates are of the time between the oldest mark of the last minute and the newest. A symbol without trades has
    rates of 0.
    """

    def __init__(self) -> None:
        self._symbols: dict[str, _Symbol] = {}

    def count(self, symbol: str, price: float, size: float) -> None:
        """Count one trade; this runs for every trade there is."""
        one = self._symbols.get(symbol)
        if one is None:
            one = self._symbols[symbol] = _Symbol()
        one.trades += 1
        one.volume += price * size
        one.price = price

    def mark(self, now_s: float) -> None:
        """Note the totals at a time (s) of a clock that only goes forward."""
        for one in self._symbols.values():
            one.mark(now_s)

    def drop(self, symbol: str) -> None:
        """Forget a symbol that is collected no longer."""
        self._symbols.pop(symbol, None)

    def restart(self) -> None:
        """Begin anew: what was counted, as a history, came in no time of its own."""
        self._symbols.clear()

    def by_symbol(self) -> dict[str, TradeRate]:
        """Return the rates of each symbol that has been counted for a second or more."""
        return {symbol: rate for symbol, one in self._symbols.items() if (rate := one.rate()) is not None}


class _Symbol:
    """Totals of one symbol, now and at the marks of the last minute."""

    __slots__ = ("_marks", "price", "trades", "volume")

    def __init__(self) -> None:
        self.trades, self.volume, self.price = 0, 0.0, 0.0
        self._marks: deque[_Totals] = deque()

    def mark(self, now_s: float) -> None:
        while self._marks and self._marks[0][0] < now_s - _MINUTE_S:
            self._marks.popleft()
        self._marks.append((now_s, self.trades, self.volume))

    def rate(self) -> TradeRate | None:
        if len(self._marks) < 2:
            return None
        (began_s, trades, volume), (ended_s, all_trades, all_volume) = self._marks[0], self._marks[-1]
        seconds = ended_s - began_s
        volume_rate = max(0.0, all_volume - volume) / seconds
        return TradeRate((all_trades - trades) / seconds, volume_rate, self.price)
