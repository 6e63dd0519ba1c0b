"""OKX linear perpetual swaps: subscriptions, contracts, history. The parser of its frames is ``frames``.

Trades come from the channel ``trades-all`` of the business endpoint, each with an id one higher than the one before
it of the same instrument, so that a jump is a gap. The better known channel ``trades`` sums up what one order took at
one price, and REST, which repairs gaps, knows only single trades. The time of a tick is ``ts``, when the trade
happened; ``side`` is the taker's. Sizes are contracts, whose value `listing` learns.

The address names no streams: they are asked for after connecting. A connection without data for 30 s is closed unless
the client sends the text ``ping``; the answer is the text ``pong``. At most 480 subscriptions an hour and connection.

Unconfirmed, for want of the live venue: that ids never jump (the documentation says so only of the trades that one
message of ``trades`` sums up), whether limits on requests are counted in fixed or in moving windows, and that
connections have no greatest age. A contract that changes its value while we run is not noticed.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from math import inf
from typing import Self, TypeVar

import msgspec
from msgspec import Raw, Struct

from services.common import clock
from services.common.clock import HOUR
from services.common.errors import BadMessageError, FatalError, TransientError
from services.contracts.listings import Listing
from services.contracts.messages import Tick
from services.ingest.feed import StreamKind
from services.ingest.settings import IngestSettings
from services.ingest.venues.okx import frames
from services.ingest.venues.okx.frames import (
    CHANNEL,
    VENUE,
    Contracts,
    OkxInstrument,
    OkxTrade,
    UnknownContractError,
    contract_of,
    instrument_of,
    listing_of,
    symbol_of,
)
from services.ingest.venues.request_budget import Budget
from services.ingest.venues.response_checks import is_number, require_page, require_traded
from services.ingest.venues.rest import GoneError, Rest, VenueRefusedError
from services.ingest.venues.venue import Parsed, Stream

_ROUTE = "/ws/v5/business"

_TRADES = "/api/v5/market/history-trades"
_INSTRUMENTS = "/api/v5/public/instruments"
_TICKERS = "/api/v5/market/tickers"
_TIME = "/api/v5/public/time"
# Each path has a limit of its own; together they are held to one.
BUDGET = Budget(limit=20, period_s=2)
_ROWS_PER_PAGE = 100
# "The last 3 months".
_KEPT_US = 89 * 24 * HOUR
_TOO_MANY_REQUESTS = "50011"

T = TypeVar("T")


class _Time(Struct):
    ts: str


class _Day(Struct):
    instId: str  # noqa: N815
    last: str = ""
    volCcy24h: str = ""  # noqa: N815


class _Answer(Struct):
    code: str
    msg: str = ""
    data: Raw = Raw(b"[]")


_answer = msgspec.json.Decoder(_Answer)
_times = msgspec.json.Decoder(tuple[_Time])
_trades = msgspec.json.Decoder(list[OkxTrade])
_days = msgspec.json.Decoder(list[_Day])
_instruments = msgspec.json.Decoder(list[OkxInstrument])


class Okx:
    """The venue, as in ``venue``. Only what `listing` has seen can be parsed."""

    name: str = VENUE
    # No limit is known but 64 KB for one message; a socket should not carry everything.
    streams_per_connection: int = 200
    # 480 subscriptions an hour and connection.
    messages_per_second: float = 480 / 3600
    lifetime_s: float = inf

    def __init__(self, ws_url: str, rest: Rest, now_us: Callable[[], int] = clock.now_us) -> None:
        self._ws_url = ws_url
        self._rest = rest
        self._now_us = now_us
        self.contracts: Contracts = {}
        """Contracts that `listing` found."""

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, settings: IngestSettings, now_us: Callable[[], int] = clock.now_us
    ) -> AsyncIterator[Self]:
        """Yield the venue, open for requests."""
        async with Rest(settings.okx_rest_url, BUDGET) as rest:
            yield cls(settings.okx_ws_url, rest, now_us)

    def stream(self, kind: StreamKind, symbol: str) -> Stream:
        """Return the stream of the symbol's trades; FatalError for any other kind."""
        if kind != "trades":
            raise FatalError(
                f"PAIRSTREAM_STREAMS: expected none with {symbol}, OKX has only trades, received {kind}"
            )
        return Stream(kind, symbol, f"{CHANNEL}:{instrument_of(symbol)}", _ROUTE)

    def url(self, route: str, streams: Sequence[Stream]) -> str:
        """Return the address; FatalError if a stream belongs on another route."""
        for stream in streams:
            if not route == stream.route == _ROUTE:
                raise FatalError(f"expected {stream.name} on OKX's route {_ROUTE}, received it on {route}")
        return self._ws_url + route

    def subscribe(self, streams: Sequence[Stream], request_id: int) -> str:
        """Return the message that adds `streams`; it is answered once for each."""
        return _request("subscribe", streams, request_id)

    def unsubscribe(self, streams: Sequence[Stream], request_id: int) -> str:
        """Return the message that ends `streams`."""
        return _request("unsubscribe", streams, request_id)

    def keep_alive(self) -> tuple[str, float]:
        """Return the venue's own ping, and when to send it (s)."""
        return "ping", 20.0

    def parse(self, raw: bytes, received_us: int) -> Parsed:
        """Return the trades of a frame; the BadMessageError tells the damage."""
        try:
            return frames.parse(raw, self.contracts, received_us)
        except UnknownContractError:
            # Nobody can have asked for what is not listed.
            if self.contracts:
                return ()
            raise

    async def listing(self) -> list[Listing]:
        """Return every linear perpetual, and learn the contracts; TransientError if there is no answer."""
        try:
            entries = await self._ask(_instruments, _INSTRUMENTS, instType="SWAP")
        except BadMessageError as error:
            raise TransientError(str(error)) from error
        self.contracts = {entry.instId: value for entry in entries if (value := contract_of(entry))}
        return [listing_of(entry) for entry in entries if entry.instId in self.contracts]

    async def check_symbols(self, symbols: Iterable[str]) -> list[Listing]:
        """Return the listing if every symbol trades; FatalError names those that do not, else as `listing`."""
        listed = await self.listing()
        require_traded("OKX linear perpetuals", listed, symbols)
        return listed

    async def volumes(self) -> dict[str, float]:
        """Return the volume of each perpetual in 24 h, in quote currency: the venue tells it in base currency."""
        try:
            rows = await self._ask(_days, _TICKERS, instType="SWAP")
        except BadMessageError as error:
            raise TransientError(str(error)) from error
        return {
            symbol_of(row.instId): float(row.volCcy24h) * float(row.last)
            for row in rows
            if row.instId in self.contracts and is_number(row.volCcy24h) and is_number(row.last)
        }

    async def time_us(self) -> int:
        """Return what time it is there."""
        [answer] = await self._ask(_times, _TIME)
        if not (answer.ts.isascii() and answer.ts.isdigit()):
            raise BadMessageError(f"expected OKX's time in milliseconds, received {answer.ts[:80]!r}")
        return int(answer.ts) * 1000

    def hurried(self, patience_s: float) -> AbstractContextManager[None]:
        """Refuse requests meanwhile that the budget would hold up for longer (VenueBusyError)."""
        return self._rest.hurried(patience_s)

    async def since(self, symbol: str, start_us: int) -> list[Tick]:
        """Return up to 100 trades at or after `start_us`, ascending; none means that there are none yet.

        GoneError if that is longer ago than the venue keeps, otherwise errors as of `trades`.
        """
        if start_us < self._now_us() - _KEPT_US:
            raise GoneError(f"expected a time of the last 89 days, received {clock.to_iso(start_us)}")
        # Pages go back in time, from the trade before the first millisecond that is not before `start_us`.
        before = await self._page(symbol, type=2, after=-(-start_us // 1000), limit=1)
        return await self.trades(symbol, before[0].trade_id + 1 if before else 0)

    async def trades(self, symbol: str, first_id: int) -> list[Tick]:
        """Return up to 100 trades from `first_id` on, ascending; none means that there are none yet.

        TransientError if the venue does not answer, BadMessageError if its answer is damaged; GoneError if it no
        longer has them.
        """
        page = await self._between(symbol, first_id, first_id + _ROWS_PER_PAGE)
        if not page and (newest := await self._page(symbol, limit=1)) and newest[0].trade_id >= first_id:
            # It has happened just now, or a whole page of ids is not there: halve what may be before the first.
            low, high = first_id + _ROWS_PER_PAGE, newest[0].trade_id
            while low < high:
                middle = (low + high) // 2
                found = await self._between(symbol, low, middle + 1)
                low, high = (low, found[0].trade_id) if found else (middle + 1, high)
            page = await self._between(symbol, first_id, high + _ROWS_PER_PAGE)
        require_page(f"OKX {symbol}", page, first_id, self._now_us(), _KEPT_US)
        return page

    async def _between(self, symbol: str, first_id: int, end_id: int) -> list[Tick]:
        """Return the last page of the trades from `first_id` to before `end_id`."""
        page = await self._page(symbol, after=end_id, limit=_ROWS_PER_PAGE)
        return [trade for trade in page if trade.trade_id >= first_id]

    async def _page(self, symbol: str, **params: int) -> list[Tick]:
        """Return trades, ascending; the venue sends the newest first."""
        instrument = instrument_of(symbol)
        rows = await self._ask(_trades, _TRADES, instId=instrument, **params)
        received_us = self._now_us()
        try:
            page = [frames.tick(row, self.contracts, received_us) for row in reversed(rows)]
            if strangers := {row.instId for row in rows} - {instrument}:
                raise ValueError(f"received some of {', '.join(sorted(strangers))[:60]}")
        except (ValueError, LookupError) as error:
            raise BadMessageError(f"expected trades of {instrument} from OKX: {error}") from error
        return page

    async def _ask(self, decoder: msgspec.json.Decoder[T], path: str, **params: str | int) -> T:
        answer = await self._rest.read(_answer, path, **params)
        if answer.code == "0":
            try:
                return decoder.decode(answer.data)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise BadMessageError(
                    f"expected other data from OKX's {path}, received {bytes(answer.data)[:80]!r}: {error}"
                ) from error
        message = f"expected code 0 from OKX's {path}, received {answer.code}: {answer.msg}"
        if answer.code == _TOO_MANY_REQUESTS:
            raise self._rest.hold(message, BUDGET.period_s)
        raise VenueRefusedError(message, b"")


def _request(operation: str, streams: Sequence[Stream], request_id: int) -> str:
    pairs = (stream.name.split(":") for stream in streams)
    arguments = [{"channel": channel, "instId": instrument} for channel, instrument in pairs]
    return json.dumps({"id": str(request_id), "op": operation, "args": arguments})
