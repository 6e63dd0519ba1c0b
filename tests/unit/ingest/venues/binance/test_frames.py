"""Frames of Binance: their content, and frames that are not ours."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.codec import decode, encode
from services.contracts.messages import Liquidation, MarkPrice, Quote, Tick
from services.ingest.venues.binance.frames import parse
from services.ingest.venues.venue import Acknowledgement
from tests.unit.ingest.venues.binance.samples import (
    AGG_TRADE,
    BOOK_TICKER,
    FORCE_ORDER,
    FRAMES,
    MARK_PRICE,
    ORDER,
    TICK,
    combined,
    only,
)

DECIMALS = st.decimals(min_value="0.00000001", max_value="9999999", places=8).map(lambda value: f"{value:f}")


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
