"""Samples: one frame of each kind that Binance sends, and its event."""

import json
from typing import Any

from services.contracts.messages import Liquidation, MarkPrice, Quote, Tick
from services.ingest.venues.binance.frames import parse
from services.ingest.venues.venue import Acknowledgement, Event

AGG_TRADE = {
    "e": "aggTrade",
    "E": 1_750_000_000_150,
    "a": 42,
    "s": "BTCUSDT",
    "p": "65000.10",
    "q": "0.020",
    "f": 100,
    "l": 105,
    "T": 1_750_000_000_123,
    "m": True,
}
BOOK_TICKER = {
    "e": "bookTicker",
    "u": 400_900_217,
    "E": 1_750_000_000_150,
    "T": 1_750_000_000_149,
    "s": "BTCUSDT",
    "b": "25.35190000",
    "B": "31.21000000",
    "a": "25.36520000",
    "A": "0.00000000",
}
MARK_PRICE = {
    "e": "markPriceUpdate",
    "E": 1_750_000_000_000,
    "s": "BTCUSDT",
    "p": "11794.15000000",
    "i": "11784.62659091",
    "P": "11784.25641265",
    "r": "-0.00038167",
    "T": 1_750_003_200_000,
}
ORDER = {
    "s": "BTCUSDT",
    "S": "SELL",
    "o": "LIMIT",
    "f": "IOC",
    "q": "0.014",
    "p": "9910",
    "ap": "9908.5",
    "X": "FILLED",
    "l": "0.014",
    "z": "0.014",
    "T": 1_750_000_000_100,
}
FORCE_ORDER = {"e": "forceOrder", "E": 1_750_000_000_150, "o": ORDER}

TICK = Tick(
    venue="binance",
    symbol="BTCUSDT",
    trade_id=42,
    event_us=1_750_000_000_123_000,
    received_us=5,
    price=65000.1,
    size=0.02,
    buyer_is_maker=True,
)
QUOTE = Quote(
    venue="binance",
    symbol="BTCUSDT",
    update_id=400_900_217,
    event_us=1_750_000_000_149_000,
    received_us=5,
    bid_price=25.3519,
    bid_size=31.21,
    ask_price=25.3652,
    ask_size=0.0,
)
MARK = MarkPrice(
    venue="binance",
    symbol="BTCUSDT",
    event_us=1_750_000_000_000_000,
    received_us=5,
    mark_price=11794.15,
    index_price=11784.62659091,
    funding_rate=-0.00038167,
    next_funding_us=1_750_003_200_000_000,
)
LIQUIDATION = Liquidation(
    venue="binance",
    symbol="BTCUSDT",
    event_us=1_750_000_000_100_000,
    received_us=5,
    side="sell",
    price=9910.0,
    average_price=9908.5,
    size=0.014,
)
FRAMES = [
    ("btcusdt@aggTrade", AGG_TRADE, TICK),
    ("btcusdt@bookTicker", BOOK_TICKER, QUOTE),
    ("btcusdt@markPrice@1s", MARK_PRICE, MARK),
    ("btcusdt@forceOrder", FORCE_ORDER, LIQUIDATION),
]


def combined(payload: dict[str, Any], stream: str = "btcusdt@aggTrade") -> bytes:
    return json.dumps({"stream": stream, "data": payload}).encode()


def only(raw: bytes) -> Event:
    parsed = parse(raw, 5)
    assert not isinstance(parsed, Acknowledgement)
    [event] = parsed
    return event
