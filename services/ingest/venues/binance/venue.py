"""Binance USD-M futures: routes, subscriptions, history. The parser of its frames is ``frames``.

Every stream belongs to one route, and a connection carries one. The other route accepts a subscription, acknowledges
it, and stays silent: so a stream on the wrong route is refused here. Connections ping, last 24 h, and may send 10
messages a second. Trades have consecutive ids per symbol (``a``; observed, not promised), so that a jump is a
suspected gap; the tick's time is ``T``, when the trade happened, not ``E``, when it was sent.

Unconfirmed, for want of the live venue: that a request for history older than 48 h is refused with code -4166. So an
answer that is empty or begins late is not taken for proof that there were no trades.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from typing import NamedTuple, Self

import msgspec

from services.common import clock
from services.common.clock import HOUR, MINUTE
from services.common.errors import BadMessageError, FatalError, TransientError
from services.contracts.listings import Listing, ListingStatus
from services.contracts.messages import Tick
from services.contracts.pairs import is_symbol
from services.ingest.feed import StreamKind
from services.ingest.settings import IngestSettings
from services.ingest.venues.binance import frames
from services.ingest.venues.binance.frames import VENUE, Row
from services.ingest.venues.request_budget import Budget
from services.ingest.venues.response_checks import date_us, is_number, require_page, require_traded, step_size
from services.ingest.venues.rest import GoneError, Rest, VenueRefusedError
from services.ingest.venues.venue import Parsed, Stream


class _Route(NamedTuple):
    path: str
    stream: str


ROUTES: dict[StreamKind, _Route] = {
    "trades": _Route("/market", "aggTrade"),
    "quotes": _Route("/public", "bookTicker"),
    "mark-prices": _Route("/market", "markPrice@1s"),
    "liquidations": _Route("/market", "forceOrder"),
}

_TRADES = "/fapi/v1/aggTrades"
_SYMBOLS = "/fapi/v1/exchangeInfo"
_DAY = "/fapi/v1/ticker/24hr"
_TIME = "/fapi/v1/time"
BUDGET = Budget(
    limit=2400, period_s=60, header="X-MBX-USED-WEIGHT-1M", weights={_TRADES: 20, _SYMBOLS: 1, _DAY: 40}
)
_ROWS_PER_PAGE = 1000
_KEPT_US = 48 * HOUR
# A request by times may span less than an hour.
_SPAN_US = 59 * MINUTE
_TOO_OLD = -4166


# As in its documentation; a status that nobody has heard of is no reason to collect.
_STATUSES: dict[str, ListingStatus] = {
    "TRADING": "trading",
    "PENDING_TRADING": "pre-trading",
    "DELIVERED": "delivered",
    "CLOSE": "delisted",
}
_PERPETUAL = "PERPETUAL"


class _Filter(msgspec.Struct):
    filterType: str = ""  # noqa: N815 - the venue's names
    tickSize: str = ""  # noqa: N815
    stepSize: str = ""  # noqa: N815


class _Symbol(msgspec.Struct):
    symbol: str
    status: str
    baseAsset: str = ""  # noqa: N815
    quoteAsset: str = ""  # noqa: N815
    contractType: str = ""  # noqa: N815
    onboardDate: int = 0  # noqa: N815
    deliveryDate: int = 0  # noqa: N815
    filters: list[_Filter] = []


class _ExchangeInfo(msgspec.Struct):
    symbols: list[_Symbol]


class _Day(msgspec.Struct):
    symbol: str
    quoteVolume: str = ""  # noqa: N815


class _Time(msgspec.Struct):
    serverTime: int  # noqa: N815


class _Refusal(msgspec.Struct):
    code: int


_time = msgspec.json.Decoder(_Time)
_exchange_info = msgspec.json.Decoder(_ExchangeInfo)
_volumes = msgspec.json.Decoder(list[_Day])
_rows = msgspec.json.Decoder(list[Row])
_refusal = msgspec.json.Decoder(_Refusal)


class Binance:
    """The venue, as in ``venue``."""

    name: str = VENUE
    # An older page of the documentation allows no more, a newer one 1024.
    streams_per_connection: int = 200
    messages_per_second: float = 10.0
    # The venue ends a connection after 24 h.
    lifetime_s: float = 23 * 3600.0

    def __init__(self, ws_url: str, rest: Rest, now_us: Callable[[], int] = clock.now_us) -> None:
        self._ws_url = ws_url
        self._rest = rest
        self._now_us = now_us

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, settings: IngestSettings, now_us: Callable[[], int] = clock.now_us
    ) -> AsyncIterator[Self]:
        """Yield the venue, open for requests."""
        async with Rest(settings.binance_rest_url, BUDGET) as rest:
            yield cls(settings.binance_ws_url, rest, now_us)

    def stream(self, kind: StreamKind, symbol: str) -> Stream:
        """Return the stream of one kind for one symbol."""
        route = ROUTES[kind]
        return Stream(kind, symbol, f"{symbol.lower()}@{route.stream}", route.path)

    def url(self, route: str, streams: Sequence[Stream]) -> str:
        """Return the address of the combined stream; FatalError if a stream belongs on another route."""
        _require_route(route, streams)
        return f"{self._ws_url}{route}/stream?streams={'/'.join(stream.name for stream in streams)}"

    def subscribe(self, streams: Sequence[Stream], request_id: int) -> str:
        """Return the message that adds `streams`; FatalError if they are of different routes."""
        return _request("SUBSCRIBE", streams, request_id)

    def unsubscribe(self, streams: Sequence[Stream], request_id: int) -> str:
        """Return the message that ends `streams`; FatalError if they are of different routes."""
        return _request("UNSUBSCRIBE", streams, request_id)

    def keep_alive(self) -> None:
        """Return None: the venue pings."""

    def parse(self, raw: bytes, received_us: int) -> Parsed:
        """Return the events of a frame; the BadMessageError tells the damage."""
        return frames.parse(raw, received_us)

    async def listing(self) -> list[Listing]:
        """Return every symbol of the venue whose name can be one here; TransientError if there is no answer."""
        try:
            answer = await self._rest.read(_exchange_info, _SYMBOLS)
        except BadMessageError as error:
            raise TransientError(str(error)) from error
        return [_listing(entry) for entry in answer.symbols if is_symbol(entry.symbol)]

    async def check_symbols(self, symbols: Iterable[str]) -> list[Listing]:
        """Return the listing if every symbol trades; FatalError names those that do not, else as `listing`."""
        listed = await self.listing()
        require_traded("Binance USD-M futures", listed, symbols)
        return listed

    async def volumes(self) -> dict[str, float]:
        """Return the volume of each symbol in 24 h, in quote currency."""
        try:
            rows = await self._rest.read(_volumes, _DAY)
        except BadMessageError as error:
            raise TransientError(str(error)) from error
        return {row.symbol: float(row.quoteVolume) for row in rows if is_number(row.quoteVolume)}

    async def time_us(self) -> int:
        """Return what time it is there."""
        return (await self._rest.read(_time, _TIME)).serverTime * 1000

    def hurried(self, patience_s: float) -> AbstractContextManager[None]:
        """Refuse requests meanwhile that the budget would hold up for longer (VenueBusyError)."""
        return self._rest.hurried(patience_s)

    async def since(self, symbol: str, start_us: int) -> list[Tick]:
        """Return up to 1000 trades at or after `start_us`, ascending; none means that there are none yet.

        GoneError if that is longer ago than the venue keeps, otherwise errors as of `trades`.
        """
        now_us = self._now_us()
        if start_us < now_us - _KEPT_US:
            raise GoneError(
                f"expected a time of the last {_KEPT_US // HOUR} h, received {clock.to_iso(start_us)}"
            )
        for since_us in range(start_us, now_us + 1, _SPAN_US):
            start_ms, end_ms = _milliseconds(since_us), _milliseconds(since_us + _SPAN_US) - 1
            page = await self._ask(symbol, startTime=start_ms, endTime=end_ms, limit=_ROWS_PER_PAGE)
            if page:
                require_page(f"Binance {symbol}", page, page[0].trade_id, now_us, _KEPT_US)
                return page
        return []

    async def trades(self, symbol: str, first_id: int) -> list[Tick]:
        """Return up to 1000 trades from `first_id` on, ascending; none means that there are none yet.

        TransientError if the venue does not answer, BadMessageError if its answer is damaged; GoneError if it no
        longer has them.
        """
        page = await self._ask(symbol, fromId=first_id, limit=_ROWS_PER_PAGE)
        if not page and [trade for trade in await self._ask(symbol, limit=1) if trade.trade_id >= first_id]:
            # Either it has happened just now, or the venue has later ones only and does not say so.
            page = await self._ask(symbol, fromId=first_id, limit=_ROWS_PER_PAGE)
            if not page:
                raise GoneError(
                    f"expected trades of {symbol} from {first_id} on, received none but later ones"
                )
        require_page(f"Binance {symbol}", page, first_id, self._now_us(), _KEPT_US)
        return page

    async def _ask(self, symbol: str, **params: int) -> list[Tick]:
        try:
            rows = await self._rest.read(_rows, _TRADES, symbol=symbol, **params)
        except VenueRefusedError as error:
            if _code(error.body) == _TOO_OLD:
                raise GoneError(str(error)) from error
            raise
        received_us = self._now_us()
        try:
            return [frames.tick(row, symbol, received_us) for row in rows]
        except ValueError as error:
            raise BadMessageError(f"expected trades of {symbol} from Binance: {error}") from error


def _listing(entry: _Symbol) -> Listing:
    steps = {one.filterType: step_size(one.tickSize or one.stepSize) for one in entry.filters}
    # A perpetual has a date, too, that lies in the year 2100.
    delivery_us = None if entry.contractType == _PERPETUAL else date_us(entry.deliveryDate)
    return Listing(
        symbol=entry.symbol,
        venue=VENUE,
        status=_STATUSES.get(entry.status, "halted"),
        venue_status=entry.status[:64],
        base=entry.baseAsset[:64] or None,
        quote=entry.quoteAsset[:64] or None,
        contract_type=entry.contractType[:64] or None,
        tick_size=steps.get("PRICE_FILTER"),
        size_step=steps.get("LOT_SIZE"),
        onboard_us=date_us(entry.onboardDate),
        delivery_us=delivery_us,
    )


def _request(method: str, streams: Sequence[Stream], request_id: int) -> str:
    _require_route(streams[0].route, streams)
    return json.dumps({"method": method, "params": [stream.name for stream in streams], "id": request_id})


def _require_route(route: str, streams: Sequence[Stream]) -> None:
    for stream in streams:
        right = ROUTES[stream.kind].path
        if not route == stream.route == right:
            raise FatalError(
                f"expected {stream.name} on Binance's route {right}, received it on {route}: "
                "it would be acknowledged there and stay silent"
            )


def _milliseconds(us: int) -> int:
    """Return the first millisecond that is not before `us`."""
    return -(-us // 1000)


def _code(body: bytes) -> int | None:
    try:
        return _refusal.decode(body).code
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
