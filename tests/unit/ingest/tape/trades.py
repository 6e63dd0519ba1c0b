"""Helpers of the tape's tests: trades, a venue that answers from a list, a clock."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import cast

from services.common.clock import HOUR, SECOND
from services.contracts.messages import TapeEvent, Tick
from services.ingest.venues.venue import Venue
from tests import builders
from tests.unit.ingest.fake_clock import FakeClock

SYMBOL = "BTCUSDT"
# Not at the start of a minute.
START_US = 1_800_000_000 * SECOND + 17 * SECOND


def trade(trade_id: int, event_us: int | None = None, symbol: str = SYMBOL, repaired: bool = False) -> Tick:
    """Return the trade with an id, by default one a second from `START_US` on."""
    event_us = START_US + trade_id * SECOND if event_us is None else event_us
    return builders.tick(
        symbol=symbol,
        trade_id=trade_id,
        event_us=event_us,
        received_us=event_us + 1_000,
        price=100.0 + trade_id,
        repaired=repaired,
    )


def trades(*trade_ids: int | range, symbol: str = SYMBOL) -> list[Tick]:
    """Return the trades with these ids, in this order."""
    flat = [one for item in trade_ids for one in ([item] if isinstance(item, int) else item)]
    return [trade(trade_id, symbol=symbol) for trade_id in flat]


def ids(items: Iterable[object]) -> list[int]:
    """Return the ids of the trades among some items."""
    return [item.trade_id for item in items if isinstance(item, Tick)]


def gap_events(items: Iterable[object]) -> list[tuple[str, int | None, int | None, int | None]]:
    """Return kind, first id, last id and missing ids of the events among some items."""
    events = [item for item in items if isinstance(item, TapeEvent)]
    return [(event.kind, event.first_id, event.last_id, event.missing) for event in events]


class Patience(FakeClock):
    """A clock on which nobody waits for ever: that is an error."""

    def __init__(self, now: int = START_US + HOUR) -> None:
        super().__init__(now)

    async def sleep(self, seconds: float) -> None:
        assert len(self.slept) < 5_000, "expected an end of waiting"
        await super().sleep(seconds)


Answer = Sequence[Tick] | Exception


class StubVenue:
    """History of one venue: pages of `page` trades, unless `answer` has something else to say to a request."""

    name = "binance"

    def __init__(
        self,
        known: Iterable[Tick],
        page: int = 1_000,
        answer: Callable[[str, int], Answer | None] = lambda symbol, first_id: None,
    ) -> None:
        self.known = sorted(known, key=lambda tick: tick.trade_id)
        self.page = page
        self.answer = answer
        self.asked: list[tuple[str, int]] = []
        self.asked_by_time = 0
        self.patience_s = math.inf

    def venue(self) -> Venue:
        """Return it as what the tape takes it for; its streams are never asked for."""
        return cast("Venue", self)

    @contextmanager
    def hurried(self, patience_s: float) -> Iterator[None]:
        self.patience_s = patience_s
        try:
            yield
        finally:
            self.patience_s = math.inf

    async def since(self, symbol: str, start_us: int) -> list[Tick]:
        self.asked_by_time += 1
        of_symbol = [tick for tick in self.known if tick.symbol == symbol and tick.event_us >= start_us]
        return of_symbol[: self.page]

    async def trades(self, symbol: str, first_id: int) -> list[Tick]:
        self.asked.append((symbol, first_id))
        answer = self.answer(symbol, first_id)
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            return list(answer)
        return [tick for tick in self.known if tick.symbol == symbol and tick.trade_id >= first_id][
            : self.page
        ]
