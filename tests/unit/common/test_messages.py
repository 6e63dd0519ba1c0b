import math
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from services.common.errors import BadMessageError
from services.common.messages import LegTrade, LegTrades, TapeEvent, Tick, decode, decode_all, encode
from services.common.unreadable import Unreadable

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


TICK = Tick(
    venue="binance",
    symbol="BTCUSDT",
    trade_id=7,
    event_us=1,
    received_us=2,
    price=1.0,
    size=1.0,
    buyer_is_maker=True,
)


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


@pytest.mark.parametrize("symbol", ["", "BTCUSDT", "币安人生USDT", "🦊" * 64, "B\u00a0C", "A\\u0041"])
def test_a_symbol_is_of_any_script(symbol: str) -> None:
    tick = structs.replace(TICK, symbol=symbol)
    assert decode(encode(tick), Tick) == tick


@pytest.mark.parametrize(
    "symbol", ["BTC\0", "\n", "a\tb", "\x7f", "\x85", "\x1b[31m", "x" * 65, "x" * 50_000]
)
def test_a_symbol_is_short_and_printed(symbol: str) -> None:
    raws = [encode(TICK), encode(structs.replace(TICK, symbol=symbol)), encode(TICK)]
    with pytest.raises(BadMessageError, match=r"expected a Tick, received .*`\$\.symbol`"):
        decode(raws[1], Tick)
    found = decode_all(raws, Tick)
    assert (found.messages, list(found.bad)) == ([TICK, TICK], [1])


def test_what_is_told_to_people_has_lines_but_nothing_that_no_database_stores() -> None:
    event = TapeEvent(kind="gap_unrepaired", venue="v", symbol="S", at_us=1, reason='two\n"lines" – °')
    assert decode(encode(event), TapeEvent) == event
    with pytest.raises(BadMessageError, match="reason"):
        decode(encode(structs.replace(event, reason="\0")), TapeEvent)


def test_the_symbols_inside_a_message_are_looked_at() -> None:
    trades = LegTrades(trades=(LegTrade("BTCUSDT", 1, 1, 1.0), LegTrade("BTC\0", 1, 1, 1.0)))
    with pytest.raises(BadMessageError, match="symbol"):
        decode(encode(trades), LegTrades)


names = st.text(max_size=70) | st.text("\0\x1f\x7f\x80 aÄ币\\", max_size=5)


@given(
    st.lists(ticks.flatmap(lambda tick: st.builds(structs.replace, st.just(tick), symbol=names)), max_size=4)
)
def test_a_batch_is_decoded_as_its_messages_are_one_by_one(sent: list[Tick]) -> None:
    raws = [encode(tick) for tick in sent]
    good = [
        tick for tick in sent if len(tick.symbol) <= 64 and not any(category(c) == "Cc" for c in tick.symbol)
    ]
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
        b'{"venue":"v","symbol":"S","trade_id":1,"event_us":1,"received_us":1,"price":1,"size":1,'
        b'"buyer_is_maker":true,"new":{"a":[1]}}'
    )
    assert decode(raw, Tick).trade_id == 1
    with pytest.raises(BadMessageError, match="trade_id"):
        decode(raw.replace(b"trade_id", b"trade_no"), Tick)
    with pytest.raises(BadMessageError):
        decode(None, Tick)
