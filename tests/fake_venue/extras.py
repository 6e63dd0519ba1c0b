"""Other streams, one frame a second each: best bid and ask, mark price, and now and then a liquidation."""

from typing import Any

from tests.fake_venue.frames import Frames, frames
from tests.fake_venue.market import Market

_FUNDING_MS = 8 * 3_600_000
_LIQUIDATION_EVERY = 5


def second(market: Market, symbol: str, now_ms: int) -> list[tuple[str, Frames]]:
    """Return the streams of a symbol, each with what is sent on it in this second."""
    trade = market.trade(symbol, market.head(symbol, now_ms))
    price = float(trade.price)
    mark = {
        "e": "markPriceUpdate",
        "E": now_ms,
        "s": symbol,
        "p": trade.price,
        "ap": trade.price,
        "i": f"{price * 0.9999:.4f}",
        "P": trade.price,
        "r": "0.00010000",
        "T": (now_ms // _FUNDING_MS + 1) * _FUNDING_MS,
    }
    quote = {
        "e": "bookTicker",
        "u": now_ms // 1000 * 7,
        "E": now_ms,
        "T": now_ms,
        "s": symbol,
        "b": f"{price - 0.1:.4f}",
        "B": "31.21",
        "a": f"{price + 0.1:.4f}",
        "A": "40.66",
    }
    order = {
        "s": symbol,
        "S": "SELL" if trade.maker else "BUY",
        "o": "LIMIT",
        "f": "IOC",
        "q": trade.size,
        "p": trade.price,
        "ap": trade.price,
        "X": "FILLED",
        "l": trade.size,
        "z": trade.size,
        "T": trade.time_ms,
    }
    sent: list[tuple[str, dict[str, Any]]] = [
        ("bookTicker", quote),
        ("markPrice", mark),
        ("markPrice@1s", mark),
    ]
    if now_ms // 1000 % _LIQUIDATION_EVERY == 0:
        sent.append(("forceOrder", {"e": "forceOrder", "E": now_ms, "o": order}))
    streams = [(f"{symbol.lower()}@{kind}", payload) for kind, payload in sent]
    return [(stream, frames(stream, payload)) for stream, payload in streams]
