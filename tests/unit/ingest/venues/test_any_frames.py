"""Frames of several venues, mixed."""

from decimal import Decimal

import pytest

from services.common.errors import BadMessageError
from services.contracts.messages import Tick
from services.ingest.venues.any_frames import AnyFrames, instruments

BINANCE = b'{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","a":7,"s":"BTCUSDT","p":"1","q":"2","T":3,"m":true}}'
OKX = (
    b'{"arg":{"channel":"trades-all","instId":"BTC-USDT-SWAP"},"data":[{"instId":"BTC-USDT-SWAP","tradeId":"9",'
    b'"px":"42219.9","sz":"3","side":"buy","ts":"1630048897897"}]}'
)
INSTRUMENTS = (
    b'{"arg":{"channel":"instruments","instType":"SWAP"},"data":[{"instId":"BTC-USDT-SWAP","ctType":"linear",'
    b'"ctVal":"0.1","ctMult":"0.1","ctValCcy":"BTC","state":"live"}]}'
)
OTHERS = (
    b"pong",
    b'{"result":null,"id":1}',
    b'{"id":"1512","event":"subscribe","arg":{"channel":"trades-all","instId":"BTC-USDT-SWAP"},"connId":"a4d3ae55"}',
    b'{"event":"error","code":"60012","msg":"Invalid request","connId":"a4d3ae55"}',
)


@pytest.mark.parametrize("push", [INSTRUMENTS, instruments({"BTC-USDT-SWAP": Decimal("0.01")})])
def test_each_venue_is_told_by_its_frames_and_sizes_by_what_was_said_before(push: bytes) -> None:
    frames = AnyFrames()
    for other in (*OTHERS, push):
        assert not frames.events(other, 5)
    found = [event for raw in (BINANCE, OKX, BINANCE) for event in frames.events(raw, 5)]
    assert [(event.venue, event.symbol, event.received_us) for event in found] == [
        ("binance", "BTCUSDT", 5),
        ("okx", "BTCUSDT.OKX", 5),
        ("binance", "BTCUSDT", 5),
    ]
    assert isinstance(found[1], Tick)
    assert (found[1].trade_id, found[1].size) == (9, 0.03)


@pytest.mark.parametrize(
    "raw", [OKX, b'{"arg":{"channel":"instruments"},"data":7}', b'{"arg":{}', b'{"event":7}', b"{}", b"\xff"]
)
def test_damage_says_what_it_is(raw: bytes) -> None:
    with pytest.raises(BadMessageError, match=r"expected .*received"):
        AnyFrames().events(raw, 0)
