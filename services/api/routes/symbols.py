"""``/v1/symbols``: the last 24 h of each symbol, what venues list, and which of it is collected."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BeforeValidator

from services.api.backend import Backend
from services.api.encoded_slashes import with_slashes
from services.api.models.base import Listing
from services.api.models.market import ListedSymbol, SymbolDay
from services.api.models.problem import Problem
from services.api.parameters import BackendDependency, SymbolName, SymbolsQuery
from services.api.problems import RESPONSES, ProblemError, unknown
from services.api.security.access import WRITE
from services.api.serialization.listing import TABLE_RESPONSES, answer
from services.api.serialization.rows import Row, age_s, encode, row
from services.common import clock
from services.contracts import listings
from services.contracts.listings import TRADING
from services.contracts.pairs import Pair
from services.contracts.symbol_forms import read_symbol

_DAY = ("volume_24h", "trades_24h", "tick_rate")
_CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {"description": "It does not trade, a pair needs it, or the feed has ended.", "model": Problem}
}
SymbolPath = Annotated[
    SymbolName,
    BeforeValidator(with_slashes),
    Path(description="A symbol that a venue lists.", examples=["BTCUSDT"]),
]

router = APIRouter(prefix="/v1", tags=["symbols"])


@router.get(
    "/symbols",
    response_model=Listing[SymbolDay] | Listing[ListedSymbol],
    responses=TABLE_RESPONSES | RESPONSES,
)
async def read_symbols(
    request: Request, query: Annotated[SymbolsQuery, Query()], backend: BackendDependency
) -> Response:
    """Return every symbol with its last trade, and its day and its minute as they were at most a second ago.

    Both end at its last stored trade, so an old tape has them too. Symbols that are stored and not `collected` now are
    there as well. With `listed` every symbol that the venues list, collected or not; with `search` those that fit, best
    first.
    """
    if query.listed:
        await backend.choices.known()
        found = backend.choices.search(query.search)
        rows = [listed_row(listing) for listing in found[: query.limit]]
        return await answer(request, query.format, ListedSymbol, backend.feed, rows)
    now_us = backend.fed_now_us()
    first = await backend.first_trades.get()
    rows = [
        _merged(backend.price(day["symbol"], now_us), day, now_us)
        | row([("first_event_us", first.get(day["symbol"]))])
        for day in await backend.days.get()
    ]
    return await answer(request, query.format, SymbolDay, backend.feed, rows)


@router.put(
    "/symbols/{symbol}",
    response_model=ListedSymbol,
    responses={
        HTTPStatus.CREATED: {"description": "It was not collected before.", "model": ListedSymbol},
        **RESPONSES,
        **_CONFLICT,
    },
    dependencies=WRITE,
)
async def put_symbol(symbol: SymbolPath, backend: BackendDependency) -> Response:
    """Collect a listed symbol from now on: its recent history first, then its trades as they come.

    The answer comes once the broker has acknowledged it; the state tells the rest.
    """
    async with backend.changing_pairs:
        known = await backend.choices.known()
        symbol = read_symbol(symbol, known)
        if symbol in backend.choices.collected() and symbol in known:
            return _answer(symbol, backend, HTTPStatus.OK)
        if symbol not in known:
            raise unknown(
                "symbol", symbol, [name for name in known if backend.choices.can_be_collected(name)]
            )
        if known[symbol].status != TRADING:
            raise not_trading(known[symbol])
        if backend.feed_has_ended:
            raise feed_ended(backend.feed, symbol)
        await backend.choices.decide([symbol], collected=True)
    return _answer(symbol, backend, HTTPStatus.CREATED)


@router.delete(
    "/symbols/{symbol}",
    status_code=HTTPStatus.NO_CONTENT,
    responses={**RESPONSES, **_CONFLICT},
    dependencies=WRITE,
)
async def delete_symbol(symbol: SymbolPath, backend: BackendDependency) -> None:
    """Collect a symbol no longer; what is stored of it stays. A pair that needs it has to go first."""
    async with backend.changing_pairs:
        await backend.choices.known()
        collected = backend.choices.collected()
        symbol = read_symbol(symbol, collected)
        if symbol not in collected:
            raise unknown("symbol", symbol, collected)
        if pairs := [name for name in sorted(backend.pairs) if symbol in Pair.parse(name)]:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                "Symbol in use",
                f"expected a symbol that no pair needs, received {symbol}, a leg of {', '.join(pairs)}: remove "
                f"{'it' if len(pairs) == 1 else 'them'} first",
                pairs=pairs,
            )
        await backend.choices.decide([symbol], collected=False)


def not_trading(listing: listings.Listing) -> ProblemError:
    """Return the problem of a symbol that does not trade."""
    said = f" ({listing.venue_status})" if listing.venue_status else ""
    since = f", which begins at {clock.to_iso(listing.onboard_us)}" if listing.onboard_us else ""
    return ProblemError(
        HTTPStatus.CONFLICT,
        "Symbol does not trade",
        f"expected a symbol that trades, received {listing.symbol}, which {listing.venue} says is "
        f"{listing.status}{said}{since if listing.status == 'pre-trading' else ''}",
        listing_status=listing.status,
    )


def feed_ended(feed: str | None, name: str) -> ProblemError:
    """Return the problem of a symbol or pair that is new to a feed without more trades."""
    return ProblemError(
        HTTPStatus.CONFLICT,
        "Feed has ended",
        f"expected a feed that still brings trades, for {name}, which is new to it; the feed {feed} has ended: start "
        "it again with that one. What is stored can still be read and analysed.",
    )


def listed_row(listing: listings.Listing) -> Row:
    """Return a listing as the API tells it."""
    return row(
        [
            *((name, getattr(listing, name)) for name in _LISTED),
            ("state_reason", listing.reason),
        ]
    )


_LISTED = tuple(
    name
    for name in ListedSymbol.model_fields
    if name in listings.Listing.__struct_fields__ and name != "state_reason"
)


def _answer(symbol: str, backend: Backend, status: HTTPStatus) -> Response:
    return Response(
        encode(listed_row(backend.choices.listing(symbol))), status, media_type="application/json"
    )


def _merged(price: Row, day: Row, now_us: int) -> Row:
    """Return the newer of the topic's and the store's last trade, with the store's day."""
    if (price["last_event_us"] or 0) < (day["last_event_us"] or 0):
        newer = {name: day[name] for name in ("last_price", "last_event_us", "last_event_time")}
        price |= newer | {"age_s": age_s(day["last_event_us"], now_us)}
    last, reference = price["last_price"], day["reference_price"]
    change = None if reference is None or last is None else (last / reference - 1) * 100
    return {**price, **{name: day[name] for name in _DAY}, "change_24h_pct": change}
