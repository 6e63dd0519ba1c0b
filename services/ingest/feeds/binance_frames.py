"""Read the venue's frames: the one place that knows their fields."""

from functools import lru_cache
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from services.common.errors import BadMessageError
from services.common.messages import Tick
from services.common.pairs import parse_symbol

VENUE = "binance"
_LAST_MS = 253_402_300_799_999  # the end of year 9999
_LAST_ID = 2**63 - 1

# Python's float() would also take "nan", "1_0" and other scripts' digits; the venue sends plain decimals.
Decimal = Annotated[str, Meta(pattern=r"^[0-9]{1,20}(\.[0-9]{1,20})?\Z")]


class _Envelope(Struct):
    """Enough of any frame to tell its kind: combined (stream, data), raw (e) or acknowledgement (result)."""

    stream: str | UnsetType = UNSET
    data: Raw | UnsetType = UNSET
    e: str | UnsetType = UNSET
    result: Raw | UnsetType = UNSET


class _AggTrade(Struct):
    """Trades of one price and side within 100 ms; times in ms.

    ``{"e":"aggTrade","E":1700000000123,"a":26129,"s":"BTCUSDT","p":"0.01","q":"1","f":100,"l":105,
    "T":1700000000100,"m":true}``; newer frames add ``nq`` and ``st``.
    """

    e: Literal["aggTrade"]
    a: Annotated[int, Meta(ge=0, le=_LAST_ID)]
    s: str
    p: Decimal
    q: Decimal
    T: Annotated[int, Meta(ge=0, le=_LAST_MS)]
    m: bool


_envelope = msgspec.json.Decoder(_Envelope).decode
_agg_trade = msgspec.json.Decoder(_AggTrade).decode
_symbol = lru_cache(maxsize=4096)(parse_symbol)


def parse(raw: bytes, received_us: int) -> Tick | None:
    """Return the trade in a frame, None for frames of other kinds; BadMessageError says what is wrong.

    Takes frames of the combined stream and of raw streams. Fields it does not know are ignored.
    """
    try:
        payload = _payload(raw)
        if payload is None:
            return None
        trade = _agg_trade(payload)
        price, size = float(trade.p), float(trade.q)
        if not (price > 0 and size > 0):
            raise ValueError(f"expected price and size above 0, received p {trade.p} and q {trade.q}")
        symbol = _symbol(trade.s)
    # A RecursionError is what hostile nesting ends in.
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadMessageError(f"expected an aggTrade frame, received {raw[:120]!r}: {error}") from error
    return Tick(
        venue=VENUE,
        symbol=symbol,
        trade_id=trade.a,
        event_us=trade.T * 1000,
        received_us=received_us,
        price=price,
        size=size,
        buyer_is_maker=trade.m,
    )


def _payload(raw: bytes) -> bytes | Raw | None:
    frame = _envelope(raw)
    if frame.stream is not UNSET:
        if not frame.stream.endswith("@aggTrade"):
            return None
        if frame.data is UNSET:
            raise ValueError(f"expected data beside stream {frame.stream}, received none")
        return frame.data
    if frame.e is not UNSET:
        return raw if frame.e == "aggTrade" else None
    if frame.result is not UNSET:
        return None
    raise ValueError(
        "expected stream and data, an event type e, or an acknowledgement, received none of them"
    )
