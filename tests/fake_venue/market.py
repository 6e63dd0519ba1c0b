"""Market whose every trade is known beforehand: trade n is a function of the symbol and n alone."""

import math
import zlib
from typing import Any, NamedTuple

from services.contracts.messages import Tick

VENUE = "binance"
_BASES = {"BTCUSDT": 65_000.0, "ETHUSDT": 3_400.0}


class Trade(NamedTuple):
    """An aggregated trade as the venue tells it: decimal strings, milliseconds."""

    symbol: str
    trade_id: int
    price: str
    size: str
    time_ms: int
    maker: bool

    def frame(self, sent_ms: int) -> dict[str, Any]:
        """Return the payload of its stream frame."""
        return {"e": "aggTrade", "E": sent_ms, "s": self.symbol, **self.row(), "st": 1}

    def row(self) -> dict[str, Any]:
        """Return its row in the answer of REST."""
        return {
            "a": self.trade_id,
            "p": self.price,
            "q": self.size,
            "nq": self.size,
            "f": 2 * self.trade_id,
            "l": 2 * self.trade_id + 1,
            "T": self.time_ms,
            "m": self.maker,
        }

    def tick(self) -> Tick:
        """Return what has to be on the topic, received at 0."""
        return Tick(
            venue=VENUE,
            symbol=self.symbol,
            trade_id=self.trade_id,
            event_us=self.time_ms * 1000,
            received_us=0,
            price=float(self.price),
            size=float(self.size),
            buyer_is_maker=self.maker,
        )


class Market(NamedTuple):
    """Symbols that trade at a steady rate (trades a second) from `start_ms` on, for ever; ids are consecutive."""

    rates: dict[str, float]
    start_ms: int
    first_id: int = 1_000

    def trade(self, symbol: str, trade_id: int) -> Trade:
        """Return a trade; nothing but the arguments and the start decides what is in it."""
        mixed = zlib.crc32(b"%s%d" % (symbol.encode(), trade_id))
        price = _BASES.get(symbol, 100.0) * (1 + 0.01 * math.sin(trade_id / 1000)) + mixed % 1000 / 1000
        return Trade(
            symbol,
            trade_id,
            f"{price:.4f}",
            f"{0.001 * (1 + (mixed >> 10) % 9999):.3f}",
            self.time_ms(symbol, trade_id),
            bool(mixed >> 31),
        )

    def time_ms(self, symbol: str, trade_id: int) -> int:
        """Return when a trade happens (epoch, ms)."""
        return self.start_ms + math.floor((trade_id - self.first_id) * 1000 / self.rates[symbol])

    def head(self, symbol: str, now_ms: float) -> int:
        """Return the id of the latest trade; one below the first id where there is none yet."""
        if (rate := self.rates.get(symbol, 0)) <= 0 or now_ms < self.start_ms:
            return self.first_id - 1
        return self.first_id + math.floor((now_ms - self.start_ms) * rate / 1000)

    def first_since(self, symbol: str, time_ms: int) -> int:
        """Return the id of the first trade at or after a time."""
        rate = self.rates.get(symbol, 0)
        guess = self.first_id + max(0, math.floor((time_ms - self.start_ms) * rate / 1000))
        while rate > 0 and self.time_ms(symbol, guess) < time_ms:
            guess += 1
        return guess
