"""Checks of what venues answer, shared by all of them: symbols trade, and a page of history is in order. Pure."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from services.common.clock import HOUR, MINUTE
from services.common.errors import BadMessageError, FatalError
from services.contracts.listings import TRADING, Listing
from services.contracts.messages import Tick
from services.ingest.venues.decimals import LAST_MS, not_negative, positive
from services.ingest.venues.rest import GoneError

# Venues are not exact about how long they keep a trade.
_INEXACT_US = 10 * MINUTE


def require_traded(venue: str, listed: Iterable[Listing], symbols: Iterable[str]) -> None:
    """Return if every symbol is listed and trades; FatalError names those that do not, with a near match."""
    known = {listing.symbol: listing for listing in listed}
    problems = [f"{symbol}, {reason}" for symbol in symbols if (reason := why_not(symbol, known))]
    if problems:
        raise FatalError(
            f"PAIRSTREAM_SYMBOLS: expected symbols that {venue} trades, received {'; '.join(problems)}"
        )


def date_us(ms: int) -> int | None:
    """Return a date of a listing (epoch, us); None for what is none."""
    return ms * 1000 if 0 < ms <= LAST_MS else None


def is_number(text: str) -> bool:
    """Tell whether a text is a plain decimal, 0 or more."""
    with suppress(ValueError):
        return not_negative("it", text) >= 0
    return False


def step_size(text: str) -> float | None:
    """Return the step of prices or sizes; None for what is none."""
    with suppress(ValueError):
        return positive("the step", text)
    return None


def require_page(source: str, trades: Sequence[Tick], first_id: int, now_us: int, kept_us: int) -> None:
    """Return if `trades` can be the history from `first_id` on of a venue that keeps `kept_us` of it.

    BadMessageError if ids fall, repeat, or are lower than asked for. GoneError if trades before the first may
    have been forgotten: an id that is missing there is no proof that it never was.
    """
    before = first_id - 1
    for trade in trades:
        if trade.trade_id <= before:
            raise BadMessageError(
                f"expected trades with rising ids from {first_id} from {source}, "
                f"received {trade.trade_id} after {before}"
            )
        before = trade.trade_id
    if trades and trades[0].trade_id > first_id and trades[0].event_us < now_us - kept_us + _INEXACT_US:
        raise GoneError(
            f"expected trade {first_id} from {source}, which keeps {kept_us // HOUR} h of them, "
            f"received {trades[0].trade_id} as the first"
        )


def why_not(symbol: str, listed: Mapping[str, Listing]) -> str | None:
    """Return why a symbol cannot be collected, with a near match if it is not listed; None if it trades."""
    if listing := listed.get(symbol):
        return None if listing.status == TRADING else f"which is {listing.venue_status or listing.status}"
    trading = [name for name, listing in listed.items() if listing.status == TRADING]
    near = difflib.get_close_matches(symbol, trading, 1)
    return f"which it does not have; did you mean {near[0]}?" if near else "which it does not have"
