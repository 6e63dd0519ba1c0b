import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from services.common.clock import SECOND
from services.common.codec import decode, decode_all, encode
from services.common.errors import BadMessageError
from services.common.unreadable import Unreadable
from services.contracts.messages import (
    Alert,
    LegTrade,
    LegTrades,
    Method,
    PairConfig,
    TapeEvent,
    Tick,
    Transform,
)
from services.contracts.pair_messages import LEAST_TESTED
from services.contracts.pairs import SYMBOL, is_symbol
from services.quant.reversion import judge
from tests import builders

ticks = st.builds(
    Tick,
    venue=st.just("binance"),
    symbol=st.just("BTCUSDT"),
    trade_id=st.integers(0, 2**63 - 1),
    event_us=st.integers(0, 2**53),
    received_us=st.integers(0, 2**53),
    price=st.floats(min_value=5e-324, max_value=1e19),
    size=st.floats(min_value=5e-324, max_value=1e19),
    buyer_is_maker=st.booleans(),
)


TICK = builders.tick(trade_id=7, event_us=1, received_us=2, buyer_is_maker=True)


@given(ticks)
def test_a_tick_comes_back_as_it_went(tick: Tick) -> None:
    assert decode(encode(tick), Tick) == tick


@given(st.binary(max_size=200))
def test_any_bytes_are_a_tick_or_a_bad_message(raw: bytes) -> None:
    try:
        assert isinstance(decode(raw, Tick), Tick)
    except BadMessageError as error:
        assert "expected a Tick, received" in str(error)  # noqa: PT017


@given(
    ticks, st.sampled_from(["price", "size"]), st.sampled_from([0, -1, 1e20, "1.0", None, math.nan, math.inf])
)
def test_a_price_is_a_positive_number(tick: Tick, field: str, value: object) -> None:
    raw = encode({**{name: getattr(tick, name) for name in tick.__struct_fields__}, field: value})
    with pytest.raises(BadMessageError, match=field):
        decode(raw, Tick)


@pytest.mark.parametrize("symbol", ["BTCUSDT", "1000SHIBUSDT", "BTCUSDT_261225", "BTCUSDT.OKX"])
def test_a_symbol_has_the_form_of_ours_however_it_is_escaped(symbol: str) -> None:
    tick = structs.replace(TICK, symbol=symbol)
    assert decode(encode(tick), Tick) == decode_all([encode(tick)], Tick).messages[0] == tick
    escaped = encode(tick).replace(symbol.encode(), f"\\u{ord(symbol[0]):04x}{symbol[1:]}".encode())
    assert decode_all([escaped], Tick).messages == [tick]


NO_SYMBOLS = ["BTC\0", "\n", "BTCUSDT\n", "a\tb", "\x7f", "\x85", "\x1b[31m", "X" * 65, "X" * 50_000]
NO_SYMBOLS += [
    "",
    "btcusdt",
    "BTC USDT",
    "=1+1",
    "🦊",
    "\u202eTDSUHTE",
    "B\u00a0C",
    "BTC--USDT",
    "BTCUSDT-",
    "btcuSDT",
    "õUSDT",
]


@pytest.mark.parametrize("symbol", NO_SYMBOLS)
def test_what_has_another_form_is_no_symbol(symbol: str) -> None:
    raws = [encode(TICK), encode(structs.replace(TICK, symbol=symbol)), encode(TICK)]
    with pytest.raises(BadMessageError, match=r"expected a Tick, received .*`\$\.symbol`"):
        decode(raws[1], Tick)
    found = decode_all(raws, Tick)
    assert (found.messages, list(found.bad)) == ([TICK, TICK], [1])


@pytest.mark.parametrize(
    "pair", ["", "BTCUSDT", "BTCUSDT-BTCUSDT", "ethusdt-BTCUSDT", "A-B", "AAA-BBB-CCC", "=1+1"]
)
def test_what_has_another_form_is_no_pair(pair: str) -> None:
    alert = builders.alert(rule_id="z", event_us=1, value=1.0, threshold=1.0, message="m")  # fmt: skip
    found = decode_all([encode(alert), encode(structs.replace(alert, pair=pair))], Alert)
    assert found.messages == [alert]
    assert "expected pair as in ETHUSDT-BTCUSDT" in str(found.bad[1])


def test_a_half_of_a_character_is_no_symbol() -> None:
    raw = encode(TICK).replace(b"BTC", rb"\ud800")
    assert list(decode_all([raw], Tick).bad) == [0]


GAP = TapeEvent(
    kind="gap_found", venue="v", symbol="BTCUSDT", at_us=1, first_id=1, last_id=1, start_us=1, end_us=1
)


@pytest.mark.parametrize(
    "wrong",
    [
        {"first_id": None},
        {"last_id": None},
        {"start_us": None},
        {"end_us": None},
        {"first_id": 2},
        {"first_id": 0, "last_id": 2**63 - 1},
    ],
)
def test_a_gap_says_which_trades_are_missing_as_the_store_has_room_for(wrong: dict[str, int | None]) -> None:
    huge = structs.replace(GAP, last_id=2**63 - 1)
    raws = [encode(one) for one in (GAP, structs.replace(GAP, **wrong), huge)]
    found = decode_all(raws, TapeEvent)
    assert found.messages == [GAP, huge]
    assert "expected" in str(found.bad[1])
    # Of other events it is no matter.
    other = structs.replace(GAP, kind="coverage", **wrong)
    assert decode(encode(other), TapeEvent) == other


def test_what_is_of_no_symbol_has_none() -> None:
    lost = structs.replace(GAP, kind="messages_lost", symbol="")
    assert decode_all([encode(lost)], TapeEvent).messages == [lost]
    assert list(decode_all([encode(structs.replace(lost, kind="coverage"))], TapeEvent).bad) == [0]


def test_what_is_told_to_people_has_lines_but_nothing_that_no_database_stores() -> None:
    event = structs.replace(GAP, kind="gap_unrepaired", reason='two\n"lines" – °')
    assert decode(encode(event), TapeEvent) == event
    with pytest.raises(BadMessageError, match="reason"):
        decode(encode(structs.replace(event, reason="\0")), TapeEvent)


def test_the_symbols_inside_a_message_are_looked_at() -> None:
    trades = LegTrades(trades=(LegTrade("BTCUSDT", 1, 1, 1.0), LegTrade("BTC\0", 1, 1, 1.0)))
    with pytest.raises(BadMessageError, match="symbol"):
        decode(encode(trades), LegTrades)


names = (
    st.text(max_size=70)
    | st.text("\0\x1f\x7f\x80 aÄ币\\", max_size=5)
    | st.from_regex(SYMBOL, fullmatch=True)
)


@given(
    st.lists(ticks.flatmap(lambda tick: st.builds(structs.replace, st.just(tick), symbol=names)), max_size=4)
)
def test_a_batch_is_decoded_as_its_messages_are_one_by_one(sent: list[Tick]) -> None:
    raws = [encode(tick) for tick in sent]
    good = [tick for tick in sent if is_symbol(tick.symbol)]
    found = decode_all(raws, Tick)
    assert found.messages == good
    assert len(found.bad) == len(sent) - len(good)


@pytest.mark.parametrize("raw", [b"", b"\0\1", encode(TICK)[:-1]])
def test_what_nobody_can_read_is_bad_for_the_reason_it_was_lost(raw: bytes) -> None:
    found = decode_all([encode(TICK), Unreadable(raw, 4, 6, "it is damaged"), encode(TICK)], Tick)
    assert found.messages == [TICK, TICK]
    assert {place: str(error) for place, error in found.bad.items()} == {1: "it is damaged"}


def test_unknown_fields_are_ignored_and_missing_ones_are_not() -> None:
    raw = (
        b'{"venue":"v","symbol":"SOLUSDT","trade_id":1,"event_us":1,"received_us":1,"price":1,"size":1,'
        b'"buyer_is_maker":true,"new":{"a":[1]}}'
    )
    assert decode(raw, Tick).trade_id == 1
    with pytest.raises(BadMessageError, match="trade_id"):
        decode(raw.replace(b"trade_id", b"trade_no"), Tick)
    with pytest.raises(BadMessageError):
        decode(None, Tick)


@pytest.mark.parametrize(
    ("transform", "method", "intercept", "is_doubtful"),
    [
        ("price", "ols", False, False),
        ("price", "ols_origin", True, False),
        ("log", "ols", True, False),
        ("log", "kalman", True, False),
        ("log", "ols", False, True),
        ("log", "ols_origin", True, True),
    ],
)
def test_a_pair_of_logarithms_through_the_origin_can_be_read_and_warns(
    transform: Transform, method: Method, intercept: bool, is_doubtful: bool
) -> None:
    config = PairConfig(pair="ETHUSDT-BTCUSDT", transform=transform, method=method, intercept=intercept)
    assert decode(encode(config), PairConfig) == config
    assert bool(config.warning) == is_doubtful


@pytest.mark.parametrize("window", [10, LEAST_TESTED - 1])
def test_a_gate_that_no_alert_can_pass_is_refused(window: int) -> None:
    with pytest.raises(ValueError, match=f"window of at least 30 samples .* received window {window}"):
        PairConfig(pair="ETHUSDT-BTCUSDT", window=window, only_while_reverting=True)
    assert PairConfig(pair="ETHUSDT-BTCUSDT", window=LEAST_TESTED, only_while_reverting=True)
    draw = np.random.default_rng(window)
    x = np.cumsum(draw.normal(size=LEAST_TESTED))
    y, at_us = x + 1e-3 * draw.normal(size=LEAST_TESTED), np.arange(LEAST_TESTED) * SECOND
    assert judge(None, at_us, y, x, 0).state == "reverting"
    assert judge(None, at_us[-window:], y[-window:], x[-window:], 0).state == "unproven"
