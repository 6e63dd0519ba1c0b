"""Played feed: one that is made, or read from files, and to which symbols are added while it plays."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Protocol

from services.common import clock
from services.common.cancellation import end
from services.common.errors import FatalError
from services.contracts.listings import Listing, SymbolConfig
from services.contracts.messages import FeedName, Liquidation, MarkPrice, Quote, Tick
from services.contracts.selection import names
from services.ingest.delivery_lag import DeliveryLags
from services.ingest.feed import SKIPPED, FeedStatus, Item
from services.ingest.feeds.replay import Received, ReplayFeed
from services.ingest.feeds.stored_replay import StoredReplayFeed
from services.ingest.roster import Roster

_AHEAD = 1_000
# A player that brings nothing for so long has come to the present.
_CAUGHT_UP_S = 0.5
_OF_SYMBOL = (Tick, Quote, MarkPrice, Liquidation)


class Player(Protocol):
    """Plays the tapes of some symbols from where they begin; of others it knows nothing."""

    delivery: DeliveryLags

    @property
    def name(self) -> FeedName:
        """As of a feed."""

    async def check(self) -> None:
        """As of a feed."""

    async def listing(self) -> Sequence[Listing]:
        """As of a feed."""

    def stream(self) -> AsyncGenerator[Item]:
        """As of a feed."""


class _Part:
    """Items of one player, read ahead by a task."""

    def __init__(self, player: Player, wake: asyncio.Event, is_first: bool) -> None:
        self.waiting: deque[Item] = deque()
        self.error: BaseException | None = None
        self.is_over = False
        self._player = player
        self._is_first = is_first
        self._room = asyncio.Event()
        self._task = asyncio.create_task(self._read(wake))

    async def close(self) -> None:
        await end(self._task)

    def take(self) -> Item:
        self._room.set()
        return self.waiting.popleft()

    def next_us(self) -> int:
        """Return the time of the next item; what has none comes at once."""
        head = self.waiting[0]
        return head.event_us if isinstance(head, _OF_SYMBOL) else 0

    async def _read(self, wake: asyncio.Event) -> None:
        try:
            async with aclosing(self._player.stream()) as items:
                async for item in items:
                    # That it fills is no state of the feed.
                    if isinstance(item, FeedStatus) and not self._is_first:
                        continue
                    self.waiting.append(item)
                    wake.set()
                    if len(self.waiting) >= _AHEAD:
                        self._room.clear()
                        await self._room.wait()
        except Exception as error:
            self.error = error
        self.is_over = True
        wake.set()


class PlayedFeed:
    """The symbols of the start, played by one player, and each that is added later by one of its own.

    What an added symbol has had so far is played at once, and alone: no other trade comes between.
    """

    def __init__(self, items: Sequence[str], make: Callable[[tuple[str, ...], float], Player]) -> None:
        """`make` returns a player of symbols; it is told how many they are, as a share of those of the start."""
        self._items = items
        self._make = make
        self._first = make(names(items), 1.0)
        self.name: FeedName = self._first.name
        self.delivery = self._first.delivery
        self._roster = Roster(items)
        self._of_first: frozenset[str] = frozenset()
        self._dropped: set[str] = set()
        self._parts: dict[str, _Part] = {}
        self._wake = asyncio.Event()
        self._is_changed = False
        self._reached_us = 0

    async def check(self) -> None:
        """Raise FatalError if the player cannot work, or if the settings select nothing."""
        if names(self._items) != tuple(self._items):
            await self._list()
        await self._first.check()

    async def listing(self) -> Sequence[Listing]:
        """Return the symbols that the player has, and the state of each."""
        await self._list()
        return self._roster.listings()

    def collect(self, decisions: Mapping[str, SymbolConfig], told: Mapping[str, Listing]) -> None:
        """Go by what users have decided from now on."""
        self._roster.decide(decisions)
        self._is_changed = True
        self._wake.set()

    def vouches(self, price: MarkPrice) -> bool:
        """Take it that one connection was recorded: lines do not say which they are of."""
        return True

    def received(self, item: Received) -> Received:
        """Return what was recorded with the time of its receipt: now."""
        assert isinstance(self._first, ReplayFeed | StoredReplayFeed), "only the past knows another time"
        return self._first.received(item)

    async def stream(self) -> AsyncGenerator[Item]:
        """Yield what the players have, as it comes; it is over when all of them are."""
        await self._list()
        first = tuple(self._roster.wanted())
        if first != names(self._items):
            self._first = self._make(first, 1.0)
            self.delivery = self._first.delivery
        self._of_first, self._is_changed = frozenset(first), False
        for symbol in first:
            self._roster.follow(symbol, "live")
        try:
            self._parts[""] = _Part(self._first, self._wake, is_first=True)
            for change in self._news():
                yield change
            while True:
                self._wake.clear()
                while self._is_changed:
                    self._is_changed = False
                    async with aclosing(self._adjust()) as items:
                        async for item in items:
                            yield item
                while not self._is_changed and (part := self._next()):
                    yield self._taken(part)
                if not self._is_changed:
                    if all(part.is_over for part in self._parts.values()):
                        return
                    await self._wake.wait()
        finally:
            await asyncio.gather(*(part.close() for part in self._parts.values()))

    async def _list(self) -> None:
        """Resolve the selection of the settings, once."""
        if self._roster.listings():
            return
        listed = [*await self._first.listing()]
        known = {listing.symbol for listing in listed}
        # Of a large recording little is known before it is played.
        listed += [
            Listing(symbol=symbol, venue=self.name) for symbol in names(self._items) if symbol not in known
        ]
        for venue in {listing.venue for listing in listed}:
            self._roster.list(venue, [one for one in listed if one.venue == venue])
        if names(self._items) == tuple(self._items):
            return
        if not (chosen := tuple(self._roster.wanted())):
            raise FatalError(
                f"PAIRSTREAM_SYMBOLS: expected names or patterns of the {len(listed)} symbols of the feed, "
                f"received {','.join(self._items)}, which fits none"
            )
        self._first = self._make(chosen, 1.0)
        self.delivery = self._first.delivery

    def _next(self) -> _Part | None:
        """Return the player whose next item is due, the one with the oldest if there are several."""
        if len(self._parts) == 1 and (only := self._parts[""]).waiting:
            return only
        for part in self._parts.values():
            if part.error is not None and not part.waiting:
                raise part.error
        waiting = [part for part in self._parts.values() if part.waiting]
        return waiting[0] if len(waiting) == 1 else min(waiting, key=_Part.next_us, default=None)

    def _taken(self, part: _Part) -> Item:
        item = part.take()
        if isinstance(item, _OF_SYMBOL):
            if self._dropped and item.symbol in self._dropped and part is self._parts[""]:
                return SKIPPED
            self._reached_us = max(self._reached_us, item.event_us)
        return item

    def _news(self) -> list[Item]:
        return [*self._roster.news(clock.now_us())]

    async def _adjust(self) -> AsyncGenerator[Item]:
        """Begin and end players as the roster wants; yield what is to be told, and the past of what was added."""
        wanted = self._roster.wanted()
        for symbol in [symbol for symbol in self._roster.subscribed if symbol not in wanted]:
            self._roster.leave(symbol)
            if (part := self._parts.pop(symbol, None)) is not None:
                await part.close()
            else:
                self._dropped.add(symbol)
        added = [symbol for symbol in wanted if symbol not in self._roster.subscribed]
        for symbol in added:
            self._roster.follow(symbol, "filling")
        for change in self._news():
            yield change
        for symbol in added:
            player = self._make((symbol,), 1 / max(1, len(self._of_first)))
            player.delivery = self.delivery
            part = self._parts[symbol] = _Part(player, self._wake, is_first=False)
            async with aclosing(self._past(part)) as items:
                async for item in items:
                    yield item
            self._roster.follow(symbol, "live")
            for change in self._news():
                yield change

    async def _past(self, part: _Part) -> AsyncGenerator[Item]:
        """Yield what a new player has had so far, until it has come to where the others are."""
        while True:
            self._wake.clear()
            while part.waiting:
                if part.next_us() > self._reached_us:
                    return
                yield part.take()
            if part.is_over:
                return
            try:
                async with asyncio.timeout(_CAUGHT_UP_S):
                    while not part.waiting and not part.is_over:
                        self._wake.clear()
                        await self._wake.wait()
            except TimeoutError:
                return
