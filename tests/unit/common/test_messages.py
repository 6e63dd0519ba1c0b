import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import BadMessageError
from services.common.messages import Tick, decode, encode

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
