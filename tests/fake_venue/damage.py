"""Damaged frames, as no venue should send them, each made from a good one."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.fake_venue.faults import Damage
from tests.fake_venue.frames import Frame, Frames, frames, trade_stream

_MEGABYTES = 5

Payload = Mapping[str, Any]


def _always(frame: Frame) -> Callable[[str, Payload], Frames]:
    return lambda stream, payload: Frames(frame, frame)


def _with(**fields: Any) -> Callable[[str, Payload], Frames]:
    return lambda stream, payload: frames(stream, {**payload, **fields})


def _without(field: str) -> Callable[[str, Payload], Frames]:
    return lambda stream, payload: frames(stream, {k: v for k, v in payload.items() if k != field})


def _half(stream: str, payload: Payload) -> Frames:
    combined, raw = frames(stream, payload)
    return Frames(combined[: len(combined) // 2], raw[: len(raw) // 2])


_DAMAGES: dict[Damage, Callable[[str, Payload], Frames]] = {
    "garbage": _always("\x00 not JSON <html>"),
    "half": _half,
    "huge": lambda stream, payload: frames(stream, {**payload, "p": "9" * (_MEGABYTES << 20)}),
    "binary": _always(bytes(range(256))),
    "empty": _always(""),
    "nested": _always('{"stream":' + "[" * 100_000),
    "null": _always("null"),
    "price_zero": _with(p="0.0000"),
    "price_negative": _with(p="-1.5"),
    "price_nan": _with(p="NaN"),
    "price_1e300": _with(p="1e300"),
    "price_number": _with(p=65_000.5),
    "size_zero": _with(q="0"),
    "id_text": lambda stream, payload: frames(stream, {**payload, "a": str(payload["a"])}),
    "id_negative": _with(a=-1),
    "time_text": _with(T="now"),
    "time_future": lambda stream, payload: frames(stream, {**payload, "T": payload["T"] + 3_600_000}),
    "maker_number": _with(m=1),
    "no_price": _without("p"),
    "no_id": _without("a"),
    "no_time": _without("T"),
    "no_event": _without("e"),
    "other_symbol": _with(s="NOT A SYMBOL"),
}


def damaged(symbol: str, payload: Payload, damage: Damage) -> Frames:
    """Return the frames of a trade's `payload`, damaged."""
    return _DAMAGES[damage](trade_stream(symbol), payload)


def decorated(payload: Payload) -> Payload:
    """Return a payload with fields that are new to everybody; it is as good as before."""
    return {**payload, "zz": [{"deep": None}], "ps": payload["s"], "Q": -1, "\u4ef7": 1e300}
