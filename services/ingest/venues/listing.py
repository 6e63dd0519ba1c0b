"""Checks that all venues share: requested symbols are listed, and a page of history is in order. Pure."""

import difflib
from collections.abc import Iterable, Mapping, Sequence

from services.common.clock import HOUR, MINUTE
from services.common.errors import BadMessageError, FatalError
from services.contracts.messages import Tick
from services.ingest.venues.rest import GoneError

# Venues are not exact about how long they keep a trade.
_INEXACT_US = 10 * MINUTE


def require_traded(venue: str, statuses: Mapping[str, str], trading: str, symbols: Iterable[str]) -> None:
    """Return if every symbol has the status `trading`; FatalError names those that have not, with a near match."""
    problems = [
        f"{symbol}, {_why_not(symbol, statuses, trading)}"
        for symbol in symbols
        if statuses.get(symbol) != trading
    ]
    if problems:
        raise FatalError(
            f"PAIRSTREAM_SYMBOLS: expected symbols that {venue} trades, received {'; '.join(problems)}"
        )


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


def _why_not(symbol: str, statuses: Mapping[str, str], trading: str) -> str:
    if status := statuses.get(symbol):
        return f"which is {status}"
    near = difflib.get_close_matches(symbol, [name for name in statuses if statuses[name] == trading], 1)
    return f"which it does not have; did you mean {near[0]}?" if near else "which it does not have"
