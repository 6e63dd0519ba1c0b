"""The venue's frames: what is a trade, what is not ours, what is damaged."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import BadMessageError
from services.common.messages import Tick
from services.ingest.feeds.binance_frames import parse

TRADE = {
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
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
DECIMALS = st.decimals(min_value="0.00000001", max_value="9999999", places=8).map(lambda value: f"{value:f}")


def combined(payload: dict[str, Any]) -> bytes:
    return json.dumps({"stream": "btcusdt@aggTrade", "data": payload}).encode()


def test_combined_and_raw_frames_are_the_same_trade() -> None:
    assert parse(combined(TRADE), received_us=5) == TICK
    assert parse(json.dumps(TRADE).encode(), received_us=5) == TICK


def test_unknown_fields_are_ignored_and_symbols_are_upper_case() -> None:
    assert parse(combined({**TRADE, "s": "btcusdt", "nq": "1", "st": 1, "new": [{}]}), 5) == TICK


@pytest.mark.parametrize(
    "frame",
    [
        {"stream": "btcusdt@depth@100ms", "data": {"e": "depthUpdate", "b": [["1", "2"]]}},
        {"stream": "btcusdt@bookTicker", "data": {"e": "bookTicker", "b": "1"}},
        {"stream": "btcusdt@kline_1m", "data": {"e": "kline", "k": {"o": "1"}}},
        {"e": "bookTicker", "s": "BTCUSDT"},
        {"result": None, "id": 1},
        {"result": ["btcusdt@aggTrade"], "id": 2},
    ],
)
def test_frames_of_other_kinds_are_skipped(frame: dict[str, Any]) -> None:
    assert parse(json.dumps(frame).encode(), 0) is None


@pytest.mark.parametrize(
    ("field", "value", "where"),
    [
        ("p", "0.00", "above 0"),
        ("q", "0", "above 0"),
        ("p", "nan", r"\$\.p"),
        ("p", "inf", r"\$\.p"),
        ("p", "1e5", r"\$\.p"),
        ("p", "1_000", r"\$\.p"),
        ("p", "-1", r"\$\.p"),
        ("p", "1\n", r"\$\.p"),
        ("p", "\u0661", r"\$\.p"),
        ("p", 1.5, r"\$\.p"),
        ("q", None, r"\$\.q"),
        ("q", "9" * 400, r"\$\.q"),
        ("a", -1, r"\$\.a"),
        ("a", 2**63, r"\$\.a"),
        ("a", "42", r"\$\.a"),
        ("T", 1e300, r"\$\.T"),
        ("T", -1, r"\$\.T"),
        ("T", 2**62, r"\$\.T"),
        ("m", 1, r"\$\.m"),
        ("s", "BTC-USDT", "BTC-USDT"),
        ("e", "trade", r"\$\.e"),
    ],
)
def test_a_wrong_field_is_named(field: str, value: Any, where: str) -> None:
    with pytest.raises(BadMessageError, match=where):
        parse(combined({**TRADE, field: value}), 0)


@pytest.mark.parametrize("field", ["e", "a", "s", "p", "q", "T", "m"])
def test_a_missing_field_is_named(field: str) -> None:
    with pytest.raises(BadMessageError, match=f"`{field}`"):
        parse(combined({name: value for name, value in TRADE.items() if name != field}), 0)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"stream":"btcusdt@aggTrade"}',
        b'{"stream":"btcusdt@aggTrade","data":[]}',
        b'{"error":{"code":2,"msg":"unknown"}}',
        b'{"stream":"\xff"}',
        b'{"x":' + b"[" * 100_000,
        combined(TRADE)[:-20],
    ],
)
def test_damaged_frames_are_refused(raw: bytes) -> None:
    with pytest.raises(BadMessageError, match="expected an aggTrade frame, received"):
        parse(raw, 0)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    with contextlib.suppress(BadMessageError):
        assert parse(raw, 0) is None


@given(st.sampled_from(sorted(TRADE)), JSON)
def test_no_field_raises_anything_else(field: str, value: Any) -> None:
    with contextlib.suppress(BadMessageError):
        tick = parse(combined({**TRADE, field: value}), 0)
        assert tick is not None
        assert tick.price > 0


@given(
    price=DECIMALS,
    size=DECIMALS,
    trade_id=st.integers(0, 2**63 - 1),
    time=st.integers(0, 253_402_300_799_999),
    maker=st.booleans(),
)
def test_valid_frames_come_through_exactly(
    price: str, size: str, trade_id: int, time: int, maker: bool
) -> None:
    tick = parse(combined({**TRADE, "p": price, "q": size, "a": trade_id, "T": time, "m": maker}), 9)
    assert tick is not None
    assert (tick.price, tick.size) == (float(price), float(size))
    assert (tick.trade_id, tick.event_us, tick.received_us) == (trade_id, time * 1000, 9)
    assert tick.buyer_is_maker is maker
