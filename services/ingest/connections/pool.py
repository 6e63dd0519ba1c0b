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
        self._slots: list[ConnectionSlot] = []
        self._running: dict[ConnectionSlot, asyncio.Task[NoReturn]] = {}
        self._group: TaskGroup | None = None
        self.strangers = 0
        """Events that were not requested, for instance of streams that have just ended."""
        self._add(streams)

    async def run(self) -> NoReturn:
        """Hold the connections until cancelled."""
        async with TaskGroup() as group:
            self._group = group
            for slot in self._slots:
                self._start(group, slot)
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
            slot = around.unheard.pop(frame.connection)
            slot.delivered()
            around.buffer.tell(Delivering(self.venue.name, slot.number, frame.connection))
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
        for slot in self._add(streams):
            if slot in self._running:
                await slot.adjust()
            elif self._group is not None:
                self._start(self._group, slot)

    async def unsubscribe(self, streams: Iterable[Stream]) -> None:
        """End streams; a connection without any is closed."""
        ending = set(streams)
        for stream in ending:
            self._around.watchdog.forget(stream)
        for slot in [slot for slot in self._slots if ending.intersection(slot.streams)]:
            left = [stream for stream in slot.streams if stream not in ending]
            ended = ending.intersection(slot.streams)
            slot.streams = left
            self._around.buffer.tell(
                Unsubscribed(self.venue.name, tuple(ended), None if left else slot.number)
            )
            if left:
                await slot.adjust()
            else:
                self._slots.remove(slot)
                if slot in self._running:
                    self._running.pop(slot).cancel()

    def _add(self, streams: Iterable[Stream]) -> list[ConnectionSlot]:
        """Give every stream a slot and return the slots that have changed."""
        changed: dict[ConnectionSlot, None] = {}
        for stream in dict.fromkeys(streams):
            if any(stream in slot.streams for slot in self._slots):
                continue
            slot = self._with_room(stream.route)
            # It refuses what is on a wrong route.
            self.venue.url(stream.route, [*slot.streams, stream])
            slot.streams.append(stream)
            self._around.watchdog.know(stream)
            changed[slot] = None
        return list(changed)

    def _with_room(self, route: str) -> ConnectionSlot:
        for slot in self._slots:
            if slot.route == route and len(slot.streams) < self.venue.streams_per_connection:
                return slot
        self._slots.append(ConnectionSlot(route, self._around))
        return self._slots[-1]

    def _start(self, group: TaskGroup, slot: ConnectionSlot) -> None:
        self._running[slot] = group.create_task(slot.run())

    def _watch(self) -> None:
        around = self._around
        silences = around.watchdog.check(around.buffer.read_until_us(around.now_us()))
        for stream, silent_us, plausible_us in silences:
            silent_s, plausible_s = silent_us / clock.SECOND, plausible_us / clock.SECOND
            around.buffer.tell(Stale(self.venue.name, stream, silent_s, plausible_s))
            for slot in self._slots:
                if stream in slot.streams:
                    slot.replace(f"{stream.name} has been silent for {silent_s:.0f} s")

    def _refused(self, connection: int, answer: Acknowledgement, reason: str) -> None:
        slot = next((slot for slot in self._slots if connection in slot.connections), None)
        streams = slot.connections[connection].asked(answer) if slot else ()
        if slot is None or not streams:
            raise BadMessageError(f"expected answers to what was asked, received a refusal: {reason}")
        if len(streams) > 1:
            slot.ask_apart(connection, streams)
            return
        self._around.watchdog.refused(streams[0])
        self._around.buffer.tell(SubscriptionRefused(self.venue.name, streams[0], reason))
