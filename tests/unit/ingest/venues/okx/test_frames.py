"""Frames and names of OKX: their content, frames that are not ours, damage."""

import contextlib
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.codec import decode, encode
from services.common.errors import BadMessageError, FatalError
from services.contracts.messages import Tick
from services.contracts.pairs import Pair, parse_symbol
from services.ingest.venues.okx.frames import OkxInstrument, contract_of, instrument_of, parse, symbol_of
from services.ingest.venues.venue import Acknowledgement, Event, Parsed

CONTRACTS = {"BTC-USDT-SWAP": Decimal("0.01"), "DOGE-USDT-SWAP": Decimal(1000)}
TRADE = {
    "instId": "BTC-USDT-SWAP",
    "tradeId": "130639474",
    "px": "42219.9",
    "sz": "1.64",
    "side": "buy",
    "source": "0",
    "ts": "1750000000123",
}
TICK = Tick(
    venue="okx",
    symbol="BTCUSDT.OKX",
    trade_id=130639474,
    event_us=1_750_000_000_123_000,
    received_us=5,
    price=42219.9,
    size=0.0164,
    buyer_is_maker=False,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def push(*trades: dict[str, Any], channel: str = "trades-all") -> bytes:
    arg = {"channel": channel, "instId": "BTC-USDT-SWAP"}
    return json.dumps({"arg": arg, "data": trades}).encode()


def read(raw: bytes) -> Parsed:
    return parse(raw, CONTRACTS, received_us=5)


def only(raw: bytes) -> Event:
    parsed = read(raw)
    assert not isinstance(parsed, Acknowledgement)
    [event] = parsed
    return event


def test_a_push_is_a_trade_with_its_size_in_base_currency() -> None:
    assert read(push(TRADE)) == [TICK]


def test_the_side_is_the_takers() -> None:
    for side, buyer_is_maker in (("buy", False), ("sell", True)):
        tick = only(push({**TRADE, "side": side}))
        assert isinstance(tick, Tick)
        assert tick.buyer_is_maker is buyer_is_maker


def test_several_trades_in_a_push_come_in_their_order() -> None:
    parsed = read(push(TRADE, {**TRADE, "tradeId": "130639475"}))
    assert not isinstance(parsed, Acknowledgement)
    assert [tick.trade_id for tick in parsed if isinstance(tick, Tick)] == [130639474, 130639475]
    assert read(push()) == []


def test_unknown_fields_are_ignored() -> None:
    frame = json.loads(push({**TRADE, "seqId": 1, "new": [{}]}))
    assert read(json.dumps({**frame, "action": "update", "new": {}}).encode()) == [TICK]


@pytest.mark.parametrize(
    "raw",
    [
        b"pong",
        push({**TRADE, "count": "3"}, channel="trades"),
        push({"instId": "BTC-USDT-SWAP", "markPx": "1"}, channel="mark-price"),
        b'{"arg":{"channel":"books"},"action":"snapshot","data":[{"asks":[["1","2"]]}]}',
        b'{"event":"notice","code":"64008","msg":"The connection will soon be closed.","connId":"a4d3ae55"}',
        b'{"event":"channel-conn-count","channel":"orders","connCount":"2"}',
    ],
)
def test_frames_of_other_kinds_hold_nothing(raw: bytes) -> None:
    assert read(raw) == ()


@pytest.mark.parametrize(
    ("raw", "answer"),
    [
        (
            b'{"id":"7","event":"subscribe","arg":{"channel":"trades-all","instId":"BTC-USDT-SWAP"},"connId":"a"}',
            Acknowledgement(7),
        ),
        (b'{"event":"unsubscribe","arg":{"channel":"trades-all"}}', Acknowledgement(None)),
        (b'{"id":"8","event":"error","code":"60018","msg":"Wrong"}', Acknowledgement(8, "60018: Wrong")),
        (b'{"event":"error","code":"60012","msg":"Invalid"}', Acknowledgement(None, "60012: Invalid")),
    ],
)
def test_answers_are_acknowledgements(raw: bytes, answer: Acknowledgement) -> None:
    assert read(raw) == answer


NUMBERS = ["0", "0.00", "nan", "inf", "-1", "1e5", "1e300", "1_000", " 1", "\u0661", ".", "", "9" * 400]
WRONG_TYPES: list[Any] = [1.5, 0, None, True, [], {}]


@pytest.mark.parametrize("field", ["px", "sz"])
@pytest.mark.parametrize("value", [*NUMBERS, *WRONG_TYPES])
def test_a_wrong_number_is_named(field: str, value: Any) -> None:
    with pytest.raises(BadMessageError, match=rf"expected {field} to be|\.{field}`"):
        read(push({**TRADE, field: value}))


@pytest.mark.parametrize(
    ("field", "value", "where"),
    [
        ("tradeId", "-1", "tradeId"),
        ("tradeId", "1.5", "tradeId"),
        ("tradeId", str(2**63), "tradeId"),
        ("tradeId", "9" * 5000, "tradeId"),
        ("tradeId", 42, "tradeId"),
        ("ts", "253402300800000", "ts"),
        ("ts", "soon", "ts"),
        ("ts", 1750000000123, "ts"),
        ("side", "hold", "side"),
        ("side", None, "side"),
        ("instId", "ETH-USDT-SWAP", "that was checked, received 'ETH-USDT-SWAP'"),
        ("instId", None, "instId"),
    ],
)
def test_another_wrong_field_is_named(field: str, value: Any, where: str) -> None:
    with pytest.raises(BadMessageError, match=where):
        read(push({**TRADE, field: value}))


def test_a_size_that_only_the_contract_makes_too_large_is_refused() -> None:
    with pytest.raises(BadMessageError, match="expected sz to be"):
        read(push({**TRADE, "instId": "DOGE-USDT-SWAP", "sz": "9" * 19}))


@pytest.mark.parametrize("field", ["instId", "tradeId", "px", "sz", "side", "ts"])
def test_a_missing_field_is_named(field: str) -> None:
    with pytest.raises(BadMessageError, match=f"`{field}`"):
        read(push({name: value for name, value in TRADE.items() if name != field}))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"pon",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"arg":{"channel":"trades-all"}}',
        b'{"arg":{"channel":"trades-all"},"data":{}}',
        b'{"arg":{"channel":1},"data":[]}',
        b'{"event":1}',
        b'{"event":"error","code":60012}',
        b'{"event":"\xff"}',
        b'{"x":' + b"[" * 100_000,
        push(TRADE)[:-20],
    ],
)
def test_damaged_frames_are_refused(raw: bytes) -> None:
    with pytest.raises(BadMessageError, match="expected an OKX frame, received"):
        read(raw)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    with contextlib.suppress(BadMessageError):
        assert read(raw) == () or isinstance(read(raw), Acknowledgement)


@given(st.sampled_from(sorted(TRADE)), JSON)
def test_no_field_raises_anything_else(field: str, value: Any) -> None:
    with contextlib.suppress(BadMessageError):
        for tick in read(push({**TRADE, field: value})):
            assert decode(encode(tick), Tick) == tick


@given(st.integers(0), st.integers(0, 255))
def test_no_cut_and_no_flipped_byte_raises_anything_else(place: int, value: int) -> None:
    raw = bytearray(push(TRADE))
    raw[place % len(raw)] = value
    for damaged in (bytes(raw), bytes(raw[: place % len(raw)])):
        with contextlib.suppress(BadMessageError):
            parsed = read(damaged)
            if not isinstance(parsed, Acknowledgement):
                assert all(decode(encode(tick), Tick) == tick for tick in parsed)


@given(
    price=st.decimals(min_value="0.00000001", max_value="9999999", places=8),
    contracts=st.decimals(min_value="0.01", max_value="9999999", places=2),
    trade_id=st.integers(0, 2**63 - 1),
    time=st.integers(0, 253_402_300_799_999),
)
def test_valid_trades_come_through_exactly(
    price: Decimal, contracts: Decimal, trade_id: int, time: int
) -> None:
    changes = {"px": f"{price:f}", "sz": f"{contracts:f}", "tradeId": str(trade_id), "ts": str(time)}
    tick = only(push({**TRADE, **changes}))
    assert isinstance(tick, Tick)
    assert (tick.price, tick.size) == (float(price), float(contracts * Decimal("0.01")))
    assert (tick.trade_id, tick.event_us) == (trade_id, time * 1000)


@pytest.mark.parametrize(
    ("symbol", "instrument"),
    [
        ("BTCUSDT.OKX", "BTC-USDT-SWAP"),
        ("1INCHUSDC.OKX", "1INCH-USDC-SWAP"),
        ("USDCUSDT.OKX", "USDC-USDT-SWAP"),
    ],
)
def test_symbols_have_a_name_on_each_side(symbol: str, instrument: str) -> None:
    assert instrument_of(symbol) == instrument
    assert symbol_of(instrument) == symbol
    assert parse_symbol(symbol) == symbol


@given(st.from_regex(r"[A-Z0-9]{1,26}-(USDT|USDC)-SWAP", fullmatch=True))
def test_names_survive_the_way_there_and_back(instrument: str) -> None:
    assert instrument_of(symbol_of(instrument)) == instrument


@pytest.mark.parametrize(
    "symbol", ["BTCUSDT", "BTCUSD.OKX", "USDT.OKX", "BTCUSDT_261225.OKX", "BTCUSDT.BYBIT"]
)
def test_what_okx_cannot_have_is_refused(symbol: str) -> None:
    with pytest.raises(FatalError, match="expected a perpetual of OKX such as"):
        instrument_of(symbol)


@pytest.mark.parametrize(
    "instrument", ["BTC-USD-SWAP", "BTC-USDT", "BTC-USDT-260327", "btc-USDT-SWAP", "-USDT-SWAP"]
)
def test_other_instruments_have_no_symbol(instrument: str) -> None:
    with pytest.raises(ValueError, match="expected an instrument such as"):
        symbol_of(instrument)


def test_pairs_go_across_venues() -> None:
    assert Pair.parse("BTCUSDT.OKX-BTCUSDT") == Pair(y="BTCUSDT.OKX", x="BTCUSDT")


LINEAR = {"instId": "BTC-USDT-SWAP", "ctType": "linear", "ctVal": "0.01", "ctMult": "1", "ctValCcy": "BTC"}


def test_a_contract_is_value_times_multiplier() -> None:
    assert contract_of(OkxInstrument(**{**LINEAR, "ctMult": "10"})) == Decimal("0.1")


@pytest.mark.parametrize(
    "changes",
    [
        {"ctType": "inverse"},
        {"ctValCcy": "USDT"},
        {"ctVal": ""},
        {"ctVal": "0"},
        {"ctVal": "NaN"},
        {"ctMult": "-1"},
        {"instId": "BTC-USD-SWAP"},
    ],
)
def test_other_contracts_are_none_of_ours(changes: dict[str, str]) -> None:
    assert contract_of(OkxInstrument(**{**LINEAR, **changes})) is None
