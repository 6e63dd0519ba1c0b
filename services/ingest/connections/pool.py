"""Pool of all connections to one venue."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import NoReturn

from services.common import clock
from services.common.cancellation import TaskGroup, pause
from services.common.errors import BadMessageError
from services.contracts.messages import Liquidation, MarkPrice, Quote, Tick
from services.ingest.connections.connection_slot import ConnectionSlot, SlotContext
from services.ingest.connections.events import (
    Delivering,
    Frame,
    Live,
    Stale,
    SubscriptionRefused,
    Unsubscribed,
)
from services.ingest.feed import StreamKind
from services.ingest.venues.venue import Acknowledgement, Event, Stream

_KINDS: dict[type[Event], StreamKind] = {
    Tick: "trades",
    Quote: "quotes",
    MarkPrice: "mark-prices",
    Liquidation: "liquidations",
}
_WATCH_S = 0.5


class ConnectionPool:
    """Spreads streams over connections, a route each, and watches that every stream delivers."""

    def __init__(self, streams: Iterable[Stream], around: SlotContext) -> None:
        """FatalError if a stream is on a wrong route. `around.buffer` is where frames and events come out."""
        self.venue = around.venue
        self._around = around
        self._lanes: list[ConnectionSlot] = []
        self._running: dict[ConnectionSlot, asyncio.Task[NoReturn]] = {}
        self._group: TaskGroup | None = None
        self.strangers = 0
        """Events that were not requested, for instance of streams that have just ended."""
        self._add(streams)

    async def run(self) -> NoReturn:
        """Hold the connections until cancelled."""
        async with TaskGroup() as group:
            self._group = group
            for lane in self._lanes:
                self._start(group, lane)
            while True:
                await pause(_WATCH_S)
                self._watch()
        raise AssertionError("the loop above does not end")

    def read(self, frame: Frame) -> Sequence[Event]:
        """Return the events in a frame that were asked for; BadMessageError if it is damaged.

        The streams they are of have spoken: who takes frames from the buffer reads each of them here.
        """
        parsed = self.venue.parse(frame.raw, frame.received_us)
        if type(parsed) is Acknowledgement:
            if parsed.error is not None:
                self._refused(frame.connection, parsed, parsed.error)
            return ()
        assert not isinstance(parsed, Acknowledgement)
        around, strangers = self._around, False
        for event in parsed:
            watched = around.watchdog.get(_KINDS[type(event)], event.symbol)
            if watched is None:
                strangers = True
            elif watched.heard(frame.received_us, frame.connection):
                around.buffer.tell(Live(self.venue.name, watched.stream))
        if parsed and frame.connection in around.unheard:
            lane = around.unheard.pop(frame.connection)
            lane.delivered()
            around.buffer.tell(Delivering(self.venue.name, lane.number, frame.connection))
        if strangers:
            known = [event for event in parsed if around.watchdog.get(_KINDS[type(event)], event.symbol)]
            self.strangers += len(parsed) - len(known)
            return known
        return parsed

    def brings(self, symbol: str, connection: int) -> bool:
        """Tell whether the latest trades of a symbol came by that connection."""
        watched = self._around.watchdog.get("trades", symbol)
        return watched is not None and watched.connection == connection

    def halt(self, symbols: Iterable[str]) -> None:
        """Expect nothing of these symbols, which do not trade for now, and something of all others."""
        around = self._around
        for stream in around.watchdog.halt(frozenset(symbols), around.now_us()):
            around.buffer.tell(Live(self.venue.name, stream))

    async def subscribe(self, streams: Iterable[Stream]) -> None:
        """Add streams, to connections that are open where there is room."""
        for lane in self._add(streams):
            if lane in self._running:
                await lane.adjust()
            elif self._group is not None:
                self._start(self._group, lane)

    async def unsubscribe(self, streams: Iterable[Stream]) -> None:
        """End streams; a connection without any is closed."""
        ending = set(streams)
        for stream in ending:
            self._around.watchdog.forget(stream)
        for lane in [lane for lane in self._lanes if ending.intersection(lane.streams)]:
            left = [stream for stream in lane.streams if stream not in ending]
            ended = ending.intersection(lane.streams)
            lane.streams = left
            self._around.buffer.tell(
                Unsubscribed(self.venue.name, tuple(ended), None if left else lane.number)
            )
            if left:
                await lane.adjust()
            else:
                self._lanes.remove(lane)
                if lane in self._running:
                    self._running.pop(lane).cancel()

    def _add(self, streams: Iterable[Stream]) -> list[ConnectionSlot]:
        """Give every stream a slot and return the slots that have changed."""
        changed: dict[ConnectionSlot, None] = {}
        for stream in dict.fromkeys(streams):
            if any(stream in lane.streams for lane in self._lanes):
                continue
            lane = self._with_room(stream.route)
            # It refuses what is on a wrong route.
            self.venue.url(stream.route, [*lane.streams, stream])
            lane.streams.append(stream)
            self._around.watchdog.know(stream)
            changed[lane] = None
        return list(changed)

    def _with_room(self, route: str) -> ConnectionSlot:
        for lane in self._lanes:
            if lane.route == route and len(lane.streams) < self.venue.streams_per_connection:
                return lane
        self._lanes.append(ConnectionSlot(route, self._around))
        return self._lanes[-1]

    def _start(self, group: TaskGroup, lane: ConnectionSlot) -> None:
        self._running[lane] = group.create_task(lane.run())

    def _watch(self) -> None:
        around = self._around
        silences = around.watchdog.check(around.buffer.read_until_us(around.now_us()))
        for stream, silent_us, plausible_us in silences:
            silent_s, plausible_s = silent_us / clock.SECOND, plausible_us / clock.SECOND
            around.buffer.tell(Stale(self.venue.name, stream, silent_s, plausible_s))
            for lane in self._lanes:
                if stream in lane.streams:
                    lane.replace(f"{stream.name} has been silent for {silent_s:.0f} s")

    def _refused(self, connection: int, answer: Acknowledgement, reason: str) -> None:
        lane = next((lane for lane in self._lanes if connection in lane.connections), None)
        streams = lane.connections[connection].asked(answer) if lane else ()
        if lane is None or not streams:
            raise BadMessageError(f"expected answers to what was asked, received a refusal: {reason}")
        if len(streams) > 1:
            lane.ask_apart(connection, streams)
            return
        self._around.watchdog.refused(streams[0])
        self._around.buffer.tell(SubscriptionRefused(self.venue.name, streams[0], reason))
