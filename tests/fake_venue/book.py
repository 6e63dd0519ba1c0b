"""Trades of the fake venue: those of its market, those a test has added, and ids that were never issued."""

from collections.abc import Iterator
from itertools import islice

from tests.fake_venue.market import Market, Trade

_TOLD_FROM = 1_001


class Book:
    """The truth of the venue: the stream and REST both draw from it."""

    def __init__(self, symbols: dict[str, str], market: Market) -> None:
        self.market = market
        self.holes: dict[str, list[range]] = {symbol: [] for symbol in symbols}
        """Ids that were never issued."""
        self._told: dict[str, list[Trade]] = {symbol: [] for symbol in symbols}
        self._taken: dict[str, int] = {}

    def open(self, symbol: str, rate: float) -> None:
        """Let one more symbol be traded, by itself if it has a rate."""
        self.holes.setdefault(symbol, [])
        self._told.setdefault(symbol, [])
        if rate:
            self.market.rates[symbol] = rate

    def tell(self, symbol: str, price: str, time_ms: int) -> Trade:
        """Make one more trade of a symbol that has no rate."""
        told = self._told[symbol]
        told.append(Trade(symbol, _TOLD_FROM + len(told), price, "0.25", time_ms, False))
        return told[-1]

    def take(self, symbol: str, now_ms: int) -> Iterator[Trade]:
        """Return the market's trades since the last call, for the stream; the first call only says since when."""
        head = self.market.head(symbol, now_ms)
        ids = range(self._taken.setdefault(symbol, head) + 1, head + 1)
        self._taken[symbol] = max(head, self._taken[symbol])
        return self._issued(symbol, ids)

    def jump(self, symbol: str, count: int, now_ms: int) -> None:
        """Never issue the next `count` ids."""
        head = max(self._taken.get(symbol, 0), self.market.head(symbol, now_ms))
        if holes := self.holes[symbol]:
            head = max(head, holes[-1].stop - 1)
        self.holes[symbol].append(range(head + 1, head + 1 + count))

    def first_since(self, symbol: str, time_ms: int) -> int:
        """Return the id of the first trade at or after a time (epoch, ms)."""
        if told := self._told[symbol]:
            return next((one.trade_id for one in told if one.time_ms >= time_ms), told[-1].trade_id + 1)
        return self.market.first_since(symbol, time_ms)

    def time_ms(self, symbol: str, trade_id: int) -> int | None:
        """Return when a trade happens, None where nothing trades by itself."""
        if self._told[symbol] or self.market.rates.get(symbol, 0) <= 0:
            return None
        return self.market.time_ms(symbol, max(trade_id, self.market.first_id))

    def rows(self, symbol: str, first_id: int, limit: int, now_ms: int) -> list[Trade]:
        """Return trades from an id on, ascending, at most `limit`, none of the future."""
        if told := self._told[symbol]:
            return [one for one in told if one.trade_id >= first_id][:limit]
        ids = range(max(first_id, self.market.first_id), self.market.head(symbol, now_ms) + 1)
        return list(islice(self._issued(symbol, ids), limit))

    def _issued(self, symbol: str, ids: range) -> Iterator[Trade]:
        holes = [hole for hole in self.holes[symbol] if hole.start < ids.stop and hole.stop > ids.start]
        for trade_id in ids:
            if not any(trade_id in hole for hole in holes):
                yield self.market.trade(symbol, trade_id)
