"""Binance's frames: what is in them, what is not ours, what is damaged."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import BadMessageError
from services.common.messages import Liquidation, MarkPrice, Quote, Tick, decode, encode
from services.ingest.feeds.binance_frames import parse
from services.ingest.feeds.venue import Acknowledgement, Event

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
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
DECIMALS = st.decimals(min_value="0.00000001", max_value="9999999", places=8).map(lambda value: f"{value:f}")


def combined(payload: dict[str, Any], stream: str = "btcusdt@aggTrade") -> bytes:
    return json.dumps({"stream": stream, "data": payload}).encode()


def only(raw: bytes) -> Event:
    parsed = parse(raw, 5)
    assert not isinstance(parsed, Acknowledgement)
    [event] = parsed
    return event


@pytest.mark.parametrize(("stream", "payload", "event"), FRAMES)
def test_combined_and_raw_frames_hold_the_same(stream: str, payload: dict[str, Any], event: Any) -> None:
    assert parse(combined(payload, stream), 5) == (event,)
    assert parse(json.dumps(payload).encode(), 5) == (event,)
    assert parse(json.dumps(payload, separators=(",", ":")).encode(), 5) == (event,)
    assert parse(json.dumps(dict(reversed(payload.items()))).encode(), 5) == (event,)


@pytest.mark.parametrize(("stream", "payload", "event"), FRAMES)
def test_unknown_fields_are_ignored(stream: str, payload: dict[str, Any], event: Any) -> None:
    more = {"nq": "1", "st": 1, "new": [{"e": "depthUpdate"}]}
    assert parse(combined({**more, **payload, **more}, stream), 5) == (event,)
    assert parse(json.dumps({"new": 1, "stream": stream, "data": payload, "st": 1}).encode(), 5) == (event,)


def test_symbols_are_upper_case() -> None:
    assert parse(combined({**AGG_TRADE, "s": "btcusdt"}), 5) == (TICK,)


def test_a_delivery_has_no_funding() -> None:
    mark = only(combined({**MARK_PRICE, "i": "", "r": "", "T": 0}, "x@markPrice"))
    assert isinstance(mark, MarkPrice)
    assert (mark.index_price, mark.funding_rate, mark.next_funding_us) == (None, None, None)


def test_a_liquidation_of_which_nothing_is_filled_has_no_average() -> None:
    order = only(combined({**FORCE_ORDER, "o": {**ORDER, "ap": "0", "S": "BUY"}}, "x@forceOrder"))
    assert isinstance(order, Liquidation)
    assert (order.average_price, order.side) == (None, "buy")


@pytest.mark.parametrize(
    "frame",
    [
        {"stream": "btcusdt@depth@100ms", "data": {"e": "depthUpdate", "b": [["1", "2"]]}},
        {"stream": "btcusdt@kline_1m", "data": {"e": "kline", "k": {"o": "1"}}},
        {"stream": "!contractInfo", "data": {"e": "contractInfo"}},
        {"e": "depthUpdate", "s": "BTCUSDT"},
        {"e": "serverShutdown", "E": 1},
    ],
)
def test_frames_of_other_kinds_hold_nothing(frame: dict[str, Any]) -> None:
    assert parse(json.dumps(frame).encode(), 0) == ()


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        ({"result": None, "id": 1}, Acknowledgement(1)),
        ({"result": ["btcusdt@aggTrade"], "id": 2}, Acknowledgement(2)),
        ({"id": None, "result": None}, Acknowledgement(None)),
        ({"id": "text", "result": None}, Acknowledgement(None)),
        ({"error": {"code": 2, "msg": "Invalid request"}, "id": 3}, Acknowledgement(3, "2: Invalid request")),
        ({"code": 3, "msg": "Invalid JSON"}, Acknowledgement(None, "3: Invalid JSON")),
        ({"code": -1, "msg": "no", "id": 4, "result": None}, Acknowledgement(4, "-1: no")),
    ],
)
def test_answers_are_acknowledgements(frame: dict[str, Any], answer: Acknowledgement) -> None:
    assert parse(json.dumps(frame).encode(), 0) == answer


NUMBERS = [
    "0.00",
    "0",
    "nan",
    "inf",
    "-1",
    "1e5",
    "1e300",
    "1_000",
    " 1",
    "1\n",
    "+1",
    "\u0661",
    ".",
    "",
    "9" * 400,
]
WRONG_TYPES: list[Any] = [1.5, 0, None, True, [], {}]
PRICES = [("aggTrade", "p"), ("aggTrade", "q"), ("bookTicker", "b"), ("bookTicker", "a"), ("markPrice", "p")]
PRICES += [("forceOrder", "p"), ("forceOrder", "q")]


@pytest.mark.parametrize(("kind", "field"), PRICES)
@pytest.mark.parametrize("value", [*NUMBERS, "99999999999999999999", *WRONG_TYPES])
def test_a_wrong_number_is_named(kind: str, field: str, value: Any) -> None:
    with pytest.raises(BadMessageError, match=rf"expected {field} to be|\$\.?[a-z.]*\.{field}`"):
        parse(changed(kind, field, value), 0)


@pytest.mark.parametrize(("kind", "field"), [("bookTicker", "B"), ("markPrice", "r"), ("forceOrder", "ap")])
@pytest.mark.parametrize(
    "value", [*[number for number in NUMBERS if number not in ("0", "0.00", "", "-1")], *WRONG_TYPES]
)
def test_a_wrong_number_that_may_be_zero_is_named(kind: str, field: str, value: Any) -> None:
    with pytest.raises(BadMessageError, match=rf"expected {field} to be|\$\.?[a-z.]*\.{field}`"):
        parse(changed(kind, field, value), 0)


@pytest.mark.parametrize(
    ("kind", "field", "value", "where"),
    [
        ("aggTrade", "a", -1, r"\$\.a"),
        ("aggTrade", "a", 2**63, r"\$\.a"),
        ("aggTrade", "a", "42", r"\$\.a"),
        ("aggTrade", "a", 42.5, r"\$\.a"),
        ("aggTrade", "T", 1e300, r"\$\.T"),
        ("aggTrade", "T", -1, r"\$\.T"),
        ("aggTrade", "T", 2**62, r"\$\.T"),
        ("aggTrade", "m", 1, r"\$\.m"),
        ("aggTrade", "s", "BTC-USDT", "BTC-USDT"),
        ("aggTrade", "s", "BTCUSDT.OKX", "BTCUSDT.OKX"),
        ("aggTrade", "s", "", "''"),
        ("aggTrade", "e", "trade", r"\$\.e"),
        ("aggTrade", "e", 1, r"\$\.e"),
        ("bookTicker", "u", -1, r"\$\.u"),
        ("bookTicker", "T", None, r"\$\.T"),
        ("markPrice", "E", "1", r"\$\.E"),
        ("forceOrder", "S", "HOLD", r"\$\.o\.S"),
        ("forceOrder", "T", -1, r"\$\.o\.T"),
    ],
)
def test_another_wrong_field_is_named(kind: str, field: str, value: Any, where: str) -> None:
    with pytest.raises(BadMessageError, match=where):
        parse(changed(kind, field, value), 0)


REQUIRED = [("aggTrade", field) for field in "easpqTm"] + [("bookTicker", field) for field in "euTsbBaA"]
REQUIRED += [("markPrice", field) for field in "eEsp"] + [("forceOrder", field) for field in "sSqpT"]


@pytest.mark.parametrize(("kind", "field"), REQUIRED)
def test_a_missing_field_is_named(kind: str, field: str) -> None:
    with pytest.raises(BadMessageError, match=f"`{field}`"):
        parse(changed(kind, field), 0)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"pong",
        b'{"id":1}',
        b'{"stream":"btcusdt@aggTrade"}',
        b'{"stream":"btcusdt@aggTrade","data":[]}',
        b'{"stream":"btcusdt@aggTrade","data":null}',
        b'{"stream":1,"data":{}}',
        b'{"stream":"\xff"}',
        b'{"error":"text"}',
        b'{"x":' + b"[" * 100_000,
        b'{"stream":"btcusdt@aggTrade","data":' + b'{"o":' * 100_000,
        combined(AGG_TRADE)[:-20],
        combined(AGG_TRADE) * 2,
    ],
)
def test_damaged_frames_are_refused(raw: bytes) -> None:
    with pytest.raises(BadMessageError, match="expected a Binance frame, received"):
        parse(raw, 0)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    with contextlib.suppress(BadMessageError):
        assert parse(raw, 0) == () or isinstance(parse(raw, 0), Acknowledgement)


@given(st.sampled_from(FRAMES), st.data(), JSON)
def test_no_field_raises_anything_else(
    frame: tuple[str, dict[str, Any], Any], data: st.DataObject, value: Any
) -> None:
    stream, payload, event = frame
    field = data.draw(st.sampled_from(sorted(payload)))
    with contextlib.suppress(BadMessageError):
        for raw in (
            combined({**payload, field: value}, stream),
            json.dumps({**payload, field: value}).encode(),
        ):
            for parsed in parse(raw, 5):
                # Whatever comes through is fit to be published.
                assert decode(encode(parsed), type(event)) == parsed


@given(st.sampled_from(FRAMES), st.data())
def test_no_cut_and_no_flipped_byte_raises_anything_else(
    frame: tuple[str, dict[str, Any], Any], data: st.DataObject
) -> None:
    stream, payload, event = frame
    raw = bytearray(combined(payload, stream))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] = data.draw(st.integers(0, 255))
    for damaged in (bytes(raw), bytes(raw[:place])):
        with contextlib.suppress(BadMessageError):
            parsed = parse(damaged, 5)
            if not isinstance(parsed, Acknowledgement):
                assert all(decode(encode(each), type(event)) == each for each in parsed)


@given(
    price=DECIMALS,
    size=DECIMALS,
    trade_id=st.integers(0, 2**63 - 1),
    time=st.integers(0, 253_402_300_799_999),
    maker=st.booleans(),
)
def test_valid_trades_come_through_exactly(
    price: str, size: str, trade_id: int, time: int, maker: bool
) -> None:
    payload = {**AGG_TRADE, "p": price, "q": size, "a": trade_id, "T": time, "m": maker}
    tick = only(combined(payload))
    assert isinstance(tick, Tick)
    assert (tick.price, tick.size) == (float(price), float(size))
    assert (tick.trade_id, tick.event_us, tick.received_us) == (trade_id, time * 1000, 5)
    assert tick.buyer_is_maker is maker
    assert decode(encode(tick), Tick) == tick


@given(prices=st.tuples(DECIMALS, DECIMALS), sizes=st.tuples(DECIMALS, DECIMALS))
def test_valid_quotes_come_through_exactly(prices: tuple[str, str], sizes: tuple[str, str]) -> None:
    payload = {**BOOK_TICKER, "b": prices[0], "a": prices[1], "B": sizes[0], "A": sizes[1]}
    quote = only(combined(payload, "x@bookTicker"))
    assert isinstance(quote, Quote)
    assert (quote.bid_price, quote.ask_price) == (float(prices[0]), float(prices[1]))
    assert (quote.bid_size, quote.ask_size) == (float(sizes[0]), float(sizes[1]))


def changed(kind: str, field: str, *value: Any) -> bytes:
    """Return a frame in which `field` has another value, or none."""
    stream, payload, _ = next(frame for frame in FRAMES if kind in frame[0])
    inner = {
        name: each for name, each in (ORDER if kind == "forceOrder" else payload).items() if name != field
    }
    inner.update(zip([field], value, strict=False))
    return combined({**payload, "o": inner} if kind == "forceOrder" else inner, stream)
