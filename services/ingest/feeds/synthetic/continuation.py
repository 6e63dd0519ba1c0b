"""Continuation of a stored tape: the synthetic trades follow what an earlier run left, whatever its rate or seed was.

A store that holds this very tape is repeated by making it again: the same trades under the same ids. One that holds
another tape of a symbol keeps it: its trades are read from the store as far as they go, and those of this tape
follow from the next minute on, with the ids that come next. So no time ever has the trades of two tapes.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from operator import attrgetter
from typing import Protocol

import structlog

from services.common.clock import HOUR, MINUTE
from services.common.errors import TransientError
from services.contracts.messages import TapeEvent, Tick
from services.ingest.feeds.synthetic.account import Account
from services.ingest.feeds.synthetic.trades import Numbering, SyntheticTrades, Trade
from services.ingest.tape.chain import IdSpan
from services.ingest.tape.stored import Shelf

_DAY = 24 * HOUR

log = structlog.get_logger()


class StoredTrades(Protocol):
    """Store of the trades of earlier runs. TransientError if it does not answer."""

    async def edges(self, symbols: Iterable[str], start_us: int) -> list[Tick]:
        """Return of each symbol its first trade from `start_us` on, if there is one, and its last of all."""

    async def torn(self, symbols: Iterable[str], since_us: int) -> list[str]:
        """Return those of `symbols` that have an open gap which ends at `since_us` or later."""

    async def shelf(self, symbol: str, at_us: int) -> Shelf:
        """Return the spans of ids of the last two days, and the open gaps."""

    async def between(self, symbols: Iterable[str], start_us: int, end_us: int) -> list[Tick]:
        """Return the trades of `symbols` from `start_us` to before `end_us`, in order of time."""


OpenStore = Callable[[], AbstractAsyncContextManager[StoredTrades]]


class Continuation:
    """Trades minute by minute: those of the store where it has another tape, and generated ones."""

    def __init__(
        self, trades: SyntheticTrades, account: Account, open_store: OpenStore | None = None
    ) -> None:
        self._trades = trades
        self._account = account
        self._open_store = open_store
        self._stored_until_us: dict[str, int] = {}

    async def resume(self, start_us: int, at_us: int) -> list[TapeEvent]:
        """Number the trades of each symbol after what is stored of it from `start_us` on, and return what is left out.

        Without a store, or if it cannot be read, they are those of no earlier run. `at_us` is now.
        """
        if self._open_store is None:
            return []
        edges: dict[str, list[Tick]] = {}
        missing: dict[str, IdSpan] = {}
        try:
            async with self._open_store() as store:
                for tick in await store.edges(self._trades.per_minute, start_us):
                    edges.setdefault(tick.symbol, []).append(tick)
                for symbol, found in edges.items():
                    if span := self._follow(symbol, found, start_us):
                        missing[symbol] = span
                for symbol in {*missing, *await store.torn(edges, start_us - _DAY)}:
                    self._account.resume(symbol, await store.shelf(symbol, start_us), start_us)
        except TransientError as error:
            log.warning("the tape begins without all of the store", reason=str(error))
        return [
            event
            for symbol, span in missing.items()
            for event in self._account.leave_out(symbol, span, at_us)
        ]

    def _follow(self, symbol: str, edges: Sequence[Tick], start_us: int) -> IdSpan | None:
        """Number the trades of a symbol after those stored, and return those between these and `start_us`."""
        last, trades = edges[-1], self._trades
        numbering, is_same = _numbering(trades, edges, start_us)
        trades.numbering[symbol] = numbering
        if not is_same:
            self._stored_until_us[symbol] = last.event_us
            log.info("another tape is stored, and is continued", symbol=symbol, after=last.trade_id)
        elif last.event_us < start_us and (next_id := trades.first_id(symbol, start_us)) > last.trade_id + 1:
            return IdSpan(last.trade_id + 1, next_id - 1, last.event_us, start_us)
        return None

    async def minute(self, index: int) -> Iterator[Trade]:
        """Return the trades of the minute `index` since the epoch, in order of time."""
        made = self._trades.minute(index)
        kept = [symbol for symbol, until_us in self._stored_until_us.items() if until_us >= index * MINUTE]
        if not kept or self._open_store is None:
            return made
        try:
            async with self._open_store() as store:
                stored = await store.between(kept, index * MINUTE, (index + 1) * MINUTE)
        except TransientError as error:
            log.warning("stored trades of a minute are not published again", reason=str(error))
            return made
        return heapq.merge(made, stored, key=attrgetter("event_us"))


def _numbering(trades: SyntheticTrades, edges: Sequence[Tick], start_us: int) -> tuple[Numbering, bool]:
    """Return how the ids go on, and whether all that is stored between the edges is of this tape."""
    last = edges[-1]
    found = trades.shifts(last)
    if both := found.intersection(*map(trades.shifts, edges)):
        return Numbering(min(both, key=abs)), True
    if found:
        return Numbering(min(found, key=abs), last.trade_id), False
    # What this tape has before it is played at all was never traded.
    first = max(last.event_us // MINUTE + 1, start_us // MINUTE)
    first_id = first * trades.per_minute[last.symbol]
    return Numbering(last.trade_id + 1 - first_id, last.trade_id), False
