"""History before the start: minutes that the store lacks, requested before the stream goes on."""

import heapq
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from functools import partial
from typing import TypeVar

import structlog

from services.common import clock
from services.common.backoff import Backoff
from services.common.cancellation import TaskGroup, pause
from services.common.clock import SECOND
from services.common.errors import BadMessageError, TransientError
from services.common.plausibility import AHEAD_US
from services.contracts.messages import TapeEvent, Tick
from services.ingest.tape.stored import StoredTape
from services.ingest.tape.tape import Tape
from services.ingest.venues.rest import GoneError, retry_in_s
from services.ingest.venues.venue import Venue

T = TypeVar("T")
log = structlog.get_logger()


class HistoryLoader:
    """Brings the tape of every symbol from what is stored up to now, merged by event time.

    The streams must be connected before, and wait in their buffer: what they bring joins without a gap, because
    the tape drops what comes twice and notices what does not come. Whatever could not be had within `patience_s`
    is a gap as soon as the stream goes on, and is repaired like any other.
    """

    def __init__(
        self,
        tape: Tape,
        venues: Mapping[str, Venue],
        reach_s: float,
        open_store: Callable[[], AbstractAsyncContextManager[StoredTape]] | None = None,
        patience_s: float = 90.0,
        now_us: Callable[[], int] = clock.now_us,
        sleep: Callable[[float], Awaitable[None]] = pause,
    ) -> None:
        """`venues` names the venue of each symbol; `reach_s` is how far back to go, 0 for no further
        than what is stored.
        """
        self._tape = tape
        self._venues = venues
        self._reach_us = round(reach_s * SECOND)
        self._open_store = open_store
        self._patience_us = round(patience_s * SECOND)
        self._now_us = now_us
        self._sleep = sleep

    async def items(self, republish: bool = False) -> AsyncGenerator[Tick | TapeEvent]:
        """Yield what to publish, and end when the tape has caught up.

        `republish` says that the broker has lost its ticks: those of the last `reach_s` that are stored come
        again. Without a store, or while it cannot be read, all is asked of the venue.
        """
        began_us = self._now_us()
        async with AsyncExitStack() as stack:
            store = None
            if self._open_store:
                try:
                    store = await stack.enter_async_context(self._open_store())
                    for symbol in self._venues:
                        shelf = await store.shelf(symbol, began_us)
                        for event in self._tape.resume(symbol, *shelf, at_us=began_us):
                            yield event
                except TransientError as error:
                    log.warning(
                        "stored trades could not be read: the history is requested without them",
                        reason=str(error),
                    )
            if not self._reach_us:
                return
            sources = []
            for symbol in self._venues:
                source = self._source(symbol, store if republish else None, began_us)
                sources.append(await stack.enter_async_context(aclosing(source)))
            merged = await stack.enter_async_context(aclosing(_merge(sources)))
            async for tick, is_stored in merged:
                if is_stored:
                    yield tick
                else:
                    for item in self._tape.take(tick):
                        yield item

    async def _source(
        self, symbol: str, store: StoredTape | None, began_us: int
    ) -> AsyncGenerator[tuple[Tick, bool]]:
        """Yield one symbol's trades, ascending, and whether they are stored."""
        start_us = began_us - self._reach_us
        if store is not None:
            try:
                async with aclosing(store.ticks(symbol, start_us)) as ticks:
                    async for tick in ticks:
                        yield tick, True
            except TransientError as error:
                log.warning(
                    "stored trades could not be read, and are not published again",
                    symbol=symbol,
                    reason=str(error),
                )
        async with aclosing(self._missed(symbol, start_us, began_us)) as missed:
            async for tick in missed:
                yield tick, False

    async def _missed(self, symbol: str, start_us: int, began_us: int) -> AsyncGenerator[Tick]:
        """Yield the venue's trades from the last stored one on, or from `start_us` if that is later."""
        venue, deadline_us = self._venues[symbol], began_us + self._patience_us
        reached = self._tape.reached(symbol)
        next_id = reached[0] if reached else 0
        ask = partial(venue.trades, symbol, next_id)
        if reached is None or reached[1] < start_us:
            ask = partial(venue.since, symbol, start_us)
        while True:
            page = await self._answer(ask, symbol, deadline_us)
            trades = {tick.trade_id: tick for tick in page or () if tick.trade_id >= next_id}
            for _, tick in sorted(trades.items()):
                yield tick
            if not trades or any(_is_at(tick, began_us) for tick in trades.values()):
                return
            next_id = max(trades) + 1
            ask = partial(self._more, venue, symbol, next_id)

    async def _more(self, venue: Venue, symbol: str, next_id: int) -> list[Tick]:
        # Minutes that the budget delays for long are repaired while the streams go on, which do not wait for them.
        with venue.hurried(self._patience_us / 2 / SECOND):
            return await venue.trades(symbol, next_id)

    async def _answer(self, ask: Callable[[], Awaitable[T]], symbol: str, deadline_us: int) -> T | None:
        """Return the venue's answer, None if it has none or gives none in time."""
        delays = Backoff(first_s=0.5)
        # A wait here delays the other symbols, so half of the patience is for them.
        retry_until_us = deadline_us - self._patience_us // 2
        while self._now_us() < deadline_us:
            try:
                return await ask()
            except GoneError as error:
                log.warning("the venue has no history", symbol=symbol, reason=str(error))
                return None
            except (TransientError, BadMessageError) as error:
                delay_s = retry_in_s(error, delays)
                if self._now_us() + delay_s * SECOND > retry_until_us:
                    log.warning("the venue did not answer in time", symbol=symbol, reason=str(error))
                    break
                log.warning("history is delayed", symbol=symbol, delay_s=round(delay_s, 1), reason=str(error))
                await self._sleep(delay_s)
        log.warning("history ends early, the rest is repaired later", symbol=symbol)
        return None


def _is_at(tick: Tick, at_us: int) -> bool:
    """Tell whether a trade is no older; one whose time cannot be true says nothing."""
    return at_us <= tick.event_us <= tick.received_us + AHEAD_US


async def settled(
    tape: Tape,
    symbols: Iterable[str],
    open_store: Callable[[], AbstractAsyncContextManager[StoredTape]],
    now_us: Callable[[], int],
) -> AsyncGenerator[list[TapeEvent]]:
    """Yield what ends the gaps of the last run that lack nothing by now, as far as the store can be read."""
    try:
        async with open_store() as store:
            for symbol in symbols:
                shelf = await store.shelf(symbol, now_us())
                yield tape.settle(shelf.gaps, now_us())
    except TransientError as error:
        log.warning("gaps of the last run could not be read from the store", reason=str(error))


async def _merge(sources: list[AsyncGenerator[tuple[Tick, bool]]]) -> AsyncGenerator[tuple[Tick, bool]]:
    """Yield what the sources yield, in order of event time; each is asked for one item ahead."""
    heap: list[tuple[int, int, Tick, bool]] = []

    async def advance(place: int) -> None:
        if head := await anext(sources[place], None):
            heapq.heappush(heap, (head[0].event_us, place, *head))

    async with TaskGroup() as tasks:
        for place in range(len(sources)):
            tasks.create_task(advance(place))
    while heap:
        _, place, tick, is_stored = heapq.heappop(heap)
        yield tick, is_stored
        await advance(place)
