"""Frames and rows of Binance: the one parser that knows their fields. Pure.

Frames of the combined stream are ``{"stream": "btcusdt@aggTrade", "data": {...}}``, frames of raw streams the data
alone. Times are in ms, numbers are decimal strings. Fields that we do not know are ignored.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from services.common.errors import BadMessageError
from services.contracts.fields import TradeId
from services.contracts.messages import Liquidation, MarkPrice, Quote, Tick
from services.contracts.pairs import parse_symbol, venue_suffix
from services.ingest.venues.decimals import LAST_MS, not_negative, positive, signed
from services.ingest.venues.venue import Acknowledgement, Event, Parsed

VENUE = "binance"
Milliseconds = Annotated[int, Meta(ge=0, le=LAST_MS)]


class Row(Struct, gc=False):
    """A row of ``/fapi/v1/aggTrades``: trades of one price and side within 100 ms.

    ``{"a":26129,"p":"0.01","q":"4.7","f":27781,"l":27781,"T":1498793709153,"m":true}``: id, price, size, time,
    and whether the buyer is the maker. ``nq``, in newer ones, leaves orders of the price improvement programme
    out; the venue's candles count ``q``.
    """

    a: TradeId
    p: str
    q: str
    T: Milliseconds
    m: bool


class _AggTrade(Row, tag_field="e", tag="aggTrade", gc=False, kw_only=True):
    """``{"e":"aggTrade","E":1498793709200,"s":"BTCUSDT"`` and the fields of a row ``}``."""

    s: str


class _BookTicker(Struct, tag_field="e", tag="bookTicker", gc=False):
    """``{"e":"bookTicker","u":400900217,"E":1568014460893,"T":1568014460891,"s":"BNBUSDT","b":"25.35",
    "B":"31.21","a":"25.36","A":"40.66"}``: update id, time of the transaction, bid and ask with their sizes.
    """

    u: TradeId
    T: Milliseconds
    s: str
    b: str
    B: str
    a: str
    A: str


class _MarkPriceUpdate(Struct, tag_field="e", tag="markPriceUpdate", gc=False):
    """``{"e":"markPriceUpdate","E":1562305380000,"s":"BTCUSDT","p":"11794.15","i":"11784.62","P":"11784.25",
    "r":"0.00038167","T":1562306400000}``: mark, index, funding rate and its time. Deliveries have none: ``r`` is
    empty and ``T`` 0.
    """

    E: Milliseconds
    s: str
    p: str
    i: str = ""
    r: str = ""
    T: Milliseconds = 0


class _Order(Struct, gc=False):
    s: str
    S: Literal["BUY", "SELL"]
    q: str
    p: str
    T: Milliseconds
    ap: str = "0"


class _ForceOrder(Struct, tag_field="e", tag="forceOrder", gc=False):
    """``{"e":"forceOrder","E":1568014460893,"o":{"s":"BTCUSDT","S":"SELL","o":"LIMIT","f":"IOC","q":"0.014",
    "p":"9910","ap":"9910","X":"FILLED","l":"0.014","z":"0.014","T":1568014460893}}``: of a second, the latest.
    """

    o: _Order


_Payload = _AggTrade | _BookTicker | _MarkPriceUpdate | _ForceOrder
_EVENTS = {"aggTrade", "bookTicker", "markPriceUpdate", "forceOrder"}
_STREAMS = {"aggTrade", "bookTicker", "markPrice", "forceOrder"}


class _Combined(Struct, gc=False):
    data: _Payload


class _Refusal(Struct):
    code: int | None = None
    msg: str = ""


class _Envelope(_Refusal):
    """Enough of any frame to tell what it is: combined, raw, or the answer to a request of ours."""

    stream: str | None = None
    data: Raw | UnsetType = UNSET
    e: str | None = None
    result: Raw | UnsetType = UNSET
    error: _Refusal | None = None
    id: int | str | None = None


_combined = msgspec.json.Decoder(_Combined).decode
_payload: Callable[[bytes | Raw], _Payload] = msgspec.json.Decoder(_Payload).decode
_envelope = msgspec.json.Decoder(_Envelope).decode


def parse(raw: bytes, received_us: int) -> Parsed:
    """Return the events of a frame, none for a frame of another kind; the BadMessageError tells the damage."""
    try:
        try:
            payload = _payload(raw) if raw.startswith(b'{"e":') else _combined(raw).data
        except msgspec.ValidationError:
            uncommon = _uncommon(raw)
            if not isinstance(uncommon, Struct):
                return uncommon
            payload = uncommon
        if isinstance(payload, _AggTrade):
            return (tick(payload, _symbol(payload.s), received_us),)
        return (_event(payload, received_us),)
    # A RecursionError is what hostile nesting ends in.
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadMessageError(f"expected a Binance frame, received {raw[:120]!r}: {error}") from error


def tick(row: Row, symbol: str, received_us: int) -> Tick:
    """Return the row as a trade of `symbol`; ValueError if its price or its size is 0."""
    return Tick(
        venue=VENUE,
        symbol=symbol,
        trade_id=row.a,
        event_us=row.T * 1000,
        received_us=received_us,
        price=positive("p", row.p),
        size=positive("q", row.q),
        buyer_is_maker=row.m,
    )


def _event(payload: _BookTicker | _MarkPriceUpdate | _ForceOrder, received_us: int) -> Event:
    match payload:
        case _BookTicker():
            return Quote(
                venue=VENUE,
                symbol=_symbol(payload.s),
                update_id=payload.u,
                event_us=payload.T * 1000,
                received_us=received_us,
                bid_price=positive("b", payload.b),
                bid_size=not_negative("B", payload.B),
                ask_price=positive("a", payload.a),
                ask_size=not_negative("A", payload.A),
            )
        case _MarkPriceUpdate():
            return MarkPrice(
                venue=VENUE,
                symbol=_symbol(payload.s),
                event_us=payload.E * 1000,
                received_us=received_us,
                mark_price=positive("p", payload.p),
                index_price=positive("i", payload.i) if payload.i else None,
                funding_rate=signed("r", payload.r) if payload.r else None,
                next_funding_us=payload.T * 1000 or None,
            )
        case _ForceOrder(o=order):
            return Liquidation(
                venue=VENUE,
                symbol=_symbol(order.s),
                event_us=order.T * 1000,
                received_us=received_us,
                side="buy" if order.S == "BUY" else "sell",
                price=positive("p", order.p),
                # 0 until something of it is filled.
                average_price=not_negative("ap", order.ap) or None,
                size=positive("q", order.q),
            )


@lru_cache(maxsize=4096)
def _symbol(name: str) -> str:
    symbol = parse_symbol(name)
    if venue_suffix(symbol):
        raise ValueError(f"expected a symbol without the name of a venue, such as BTCUSDT, received {name!r}")
    return symbol


def _uncommon(raw: bytes) -> _Payload | Acknowledgement | tuple[()]:
    """Return what the fast path could not read: of a raw stream, of another kind, an answer; or say the damage."""
    frame = _envelope(raw)
    if isinstance(frame.stream, str):
        if _kind(frame.stream) not in _STREAMS:
            return ()
        if not isinstance(frame.data, Raw):
            raise ValueError(f"expected data beside stream {frame.stream}, received none")
        return _payload(frame.data)
    if isinstance(frame.e, str):
        return _payload(raw) if frame.e in _EVENTS else ()
    request_id = frame.id if isinstance(frame.id, int) else None
    refusal = frame.error or frame
    if refusal.code is not None:
        return Acknowledgement(request_id, f"{refusal.code}: {refusal.msg}")
    if frame.result is not UNSET:
        return Acknowledgement(request_id)
    raise ValueError("expected stream and data, an event type e, or an answer, received none of them")


def _kind(stream: str) -> str:
    return stream.partition("@")[2].partition("@")[0]
