"""Frames, rows and names of OKX: the one parser that knows their fields. Pure.

A push of the channel ``trades-all`` holds one trade::

    {"arg":{"channel":"trades-all","instId":"BTC-USDT-SWAP"},"data":[{"instId":"BTC-USDT-SWAP",
     "tradeId":"130639474","px":"42219.9","sz":"1.2","side":"buy","source":"0","ts":"1630048897897"}]}

All numbers are strings, times are in ms. Fields that we do not know are ignored.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Literal

import msgspec
from msgspec import Struct

from services.common.errors import BadMessageError, FatalError
from services.contracts.listings import Listing, ListingStatus
from services.contracts.messages import Tick
from services.contracts.pairs import is_symbol
from services.ingest.venues.decimals import BOUND, LAST_MS, natural, positive
from services.ingest.venues.response_checks import date_us, step_size
from services.ingest.venues.venue import Acknowledgement, Parsed

VENUE = "okx"
CHANNEL = "trades-all"
_SUFFIX = ".OKX"
_STATUSES: dict[str, ListingStatus] = {"live": "trading", "preopen": "pre-trading"}
_QUOTES = ("USDT", "USDC")
_INSTRUMENT = re.compile(rf"([^-]{{1,26}})-({'|'.join(_QUOTES)})-SWAP")

Contracts = Mapping[str, Decimal]
"""Size of a contract of each instrument, in base currency."""


class UnknownContractError(BadMessageError):
    """Trade of an instrument whose contract size is unknown."""


class OkxTrade(Struct, gc=False):
    """A trade in a push and a row of the history: size in contracts, the taker's side."""

    instId: str  # noqa: N815 - the venue's name
    tradeId: str  # noqa: N815
    px: str
    sz: str
    side: Literal["buy", "sell"]
    ts: str


class OkxInstrument(Struct):
    """A row of the instruments: one contract is ``ctVal`` times ``ctMult`` of ``ctValCcy``, sizes step by ``lotSz``."""

    instId: str  # noqa: N815
    state: str = ""
    ctType: str = ""  # noqa: N815
    ctVal: str = ""  # noqa: N815
    ctMult: str = ""  # noqa: N815
    ctValCcy: str = ""  # noqa: N815
    tickSz: str = ""  # noqa: N815
    lotSz: str = ""  # noqa: N815
    listTime: str = ""  # noqa: N815
    expTime: str = ""  # noqa: N815


class _Argument(Struct):
    channel: str = ""


class _Push(Struct, gc=False):
    arg: _Argument
    data: list[OkxTrade]


class _Message(Struct):
    """Enough of any message to tell what it is: a push of another channel, or an event."""

    arg: _Argument | None = None
    event: str | None = None
    code: str = ""
    msg: str = ""
    id: str = ""


_push = msgspec.json.Decoder(_Push).decode
_message = msgspec.json.Decoder(_Message).decode


def parse(raw: bytes, contracts: Contracts, received_us: int) -> Parsed:
    """Return the trades of a frame, nothing if it is of a kind that is not ours; BadMessageError says the damage."""
    try:
        try:
            push = _push(raw)
        except msgspec.DecodeError:
            return _other(raw)
        if push.arg.channel != CHANNEL:
            return ()
        return [tick(trade, contracts, received_us) for trade in push.data]
    except LookupError as error:
        raise UnknownContractError(
            f"expected an OKX frame, received {raw[:120]!r}: {error.args[0]}"
        ) from error
    # A RecursionError is what hostile nesting ends in.
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadMessageError(f"expected an OKX frame, received {raw[:120]!r}: {error}") from error


def tick(trade: OkxTrade, contracts: Contracts, received_us: int) -> Tick:
    """Return the trade, sized in base currency; ValueError if a field is damaged, LookupError of a new contract."""
    contract = contracts.get(trade.instId)
    if contract is None:
        raise LookupError(f"expected an instrument that was checked, received {trade.instId[:60]!r}")
    positive("sz", trade.sz)
    # In decimals: 0.07 contracts of 0.1 are 0.007, which floats miss.
    size = float(Decimal(trade.sz) * contract)
    if not 0 < size < BOUND:
        raise ValueError(f"expected sz to be a size in contracts of {contract}, received {trade.sz[:60]!r}")
    return Tick(
        venue=VENUE,
        symbol=symbol_of(trade.instId),
        trade_id=natural("tradeId", trade.tradeId, 2**63 - 1),
        event_us=natural("ts", trade.ts, LAST_MS) * 1000,
        received_us=received_us,
        price=positive("px", trade.px),
        size=size,
        buyer_is_maker=trade.side == "sell",
    )


def listing_of(entry: OkxInstrument) -> Listing:
    """Return what a row of the instruments says of a linear perpetual."""
    base, quote, kind = entry.instId.split("-")
    contract, lot = contract_of(entry), step_size(entry.lotSz)
    return Listing(
        symbol=symbol_of(entry.instId),
        venue=VENUE,
        status=_STATUSES.get(entry.state, "halted"),
        venue_status=entry.state[:64],
        base=base,
        quote=quote,
        contract_type=kind,
        tick_size=step_size(entry.tickSz),
        size_step=float(contract * Decimal(entry.lotSz)) if contract and lot else None,
        onboard_us=_date_us(entry.listTime),
        delivery_us=_date_us(entry.expTime),
    )


def _date_us(text: str) -> int | None:
    return date_us(int(text)) if text.isascii() and text.isdigit() and len(text) < 20 else None


def contract_of(entry: OkxInstrument) -> Decimal | None:
    """Return how much base currency a contract is, None unless it is one of base currency and settled in the quote."""
    base, _, _ = entry.instId.partition("-")
    if _INSTRUMENT.fullmatch(entry.instId) is None or entry.ctType != "linear" or entry.ctValCcy != base:
        return None
    try:
        positive("ctVal", entry.ctVal)
        positive("ctMult", entry.ctMult)
    except ValueError:
        return None
    return Decimal(entry.ctVal) * Decimal(entry.ctMult)


def instrument_of(symbol: str) -> str:
    """Return the venue's name of ``BTCUSDT.OKX``; FatalError if it can have none."""
    name = symbol.removesuffix(_SUFFIX)
    for quote in _QUOTES:
        if name != symbol and (base := name.removesuffix(quote)) not in (name, ""):
            return f"{base}-{quote}-SWAP"
    raise FatalError(
        f"PAIRSTREAM_SYMBOLS: expected a perpetual of OKX such as BTCUSDT.OKX or BTCUSDC.OKX, received {symbol}"
    )


@lru_cache(maxsize=4096)
def symbol_of(instrument: str) -> str:
    """Return our name of ``BTC-USDT-SWAP``; ValueError if it is no linear perpetual."""
    match = _INSTRUMENT.fullmatch(instrument)
    symbol = f"{match[1]}{match[2]}{_SUFFIX}" if match else ""
    if not is_symbol(symbol):
        raise ValueError(f"expected an instrument such as BTC-USDT-SWAP, received {instrument[:60]!r}")
    return symbol


def _other(raw: bytes) -> Parsed:
    """Return what is no push of ours; msgspec's errors and ValueError say the damage."""
    if raw == b"pong":
        return ()
    message = _message(raw)
    if message.event in ("subscribe", "unsubscribe", "error"):
        request_id = int(message.id) if message.id.isascii() and message.id.isdigit() else None
        refused = message.event == "error"
        return Acknowledgement(request_id, f"{message.code}: {message.msg}" if refused else None)
    if message.event is not None:
        return ()
    if message.arg is None:
        raise ValueError("expected arg and data, or an event, received neither")
    if message.arg.channel == CHANNEL:
        _push(raw)
    return ()
