"""Damaged frames of Binance: each is a BadMessageError, or its content is fit to be published."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.codec import decode, encode
from services.common.errors import BadMessageError
from services.ingest.venues.binance.frames import parse
from services.ingest.venues.venue import Acknowledgement
from tests.unit.ingest.venues.binance.samples import (
    AGG_TRADE,
    FRAMES,
    ORDER,
    combined,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
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
        ("aggTrade", "s", "BTC--USDT", "BTC--USDT"),
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


def changed(kind: str, field: str, *value: Any) -> bytes:
    """Return a frame in which `field` has another value, or none."""
    stream, payload, _ = next(frame for frame in FRAMES if kind in frame[0])
    inner = {
        name: each for name, each in (ORDER if kind == "forceOrder" else payload).items() if name != field
    }
    inner.update(zip([field], value, strict=False))
    return combined({**payload, "o": inner} if kind == "forceOrder" else inner, stream)
