"""Connection: one open socket, and the streams subscribed on it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple, NoReturn

import websockets

from services.common import clock
from services.common.cancellation import pause
from services.ingest.connections import close_reasons
from services.ingest.connections.events import Frame
from services.ingest.venues.venue import Acknowledgement, Stream, Venue

# A frame larger than this ends the connection; a smaller one, however wrong, only itself.
_MOST_BYTES = 16 * 2**20
# Frames that may arrive between two turns of the reading task.
_QUEUE = 4096
# The network may bunch messages, and pongs count as messages too.
_SLOWER = 1.25

Sleep = Callable[[float], Awaitable[None]]


class Timeouts(NamedTuple):
    """Timeouts of a connection, in seconds: to open, between pings, and for a pong."""

    open_s: float = 10.0
    ping_s: float = 20.0
    pong_s: float = 20.0


class Connection:
    """Reads its socket from the start until it ends, or until it is closed; `ended` then says why."""

    def __init__(
        self,
        socket: websockets.ClientConnection,
        venue: Venue,
        number: int,
        put: Callable[[Frame], None],
        sleep: Sleep,
        now_us: Callable[[], int],
    ) -> None:
        self.number = number
        self.streams: set[Stream] = set()
        self.opened_us = self._received_us = now_us()
        self._now_us = now_us
        self._socket = socket
        self._venue = venue
        self._put = put
        self._sleep = sleep
        self._sending = asyncio.Lock()
        self._asked: dict[int, tuple[Stream, ...]] = {}
        self._requests = 0
        self._next_request = 0.0
        self._reading: asyncio.Task[None] = asyncio.create_task(self._read())
        self._helpers = [asyncio.create_task(self._keep_alive())]

    @property
    def ended(self) -> asyncio.Task[None]:
        """The task that reads: it ends with the socket, by a ConnectionClosed."""
        return self._reading

    async def ask(self, wanted: Iterable[Stream]) -> None:
        """Subscribe to wanted streams not yet requested, and unsubscribe from others; replies come as frames."""
        wanted = set(wanted)
        if more := sorted(wanted - self.streams):
            await self.subscribe(more)
        if less := sorted(self.streams - wanted):
            self.streams.difference_update(less)
            await self._send(lambda request: self._venue.unsubscribe(less, request))

    def ask_again(self, *portions: Sequence[Stream]) -> None:
        """Subscribe to each portion on its own, as soon as the venue's limit allows; does not wait."""

        async def send() -> None:
            for portion in portions:
                await self.subscribe(portion)

        self._helpers.append(asyncio.create_task(send()))

    async def subscribe(self, streams: Sequence[Stream]) -> None:
        """Ask for streams, even if they were asked for before."""
        self.streams.update(streams)

        def message(request: int) -> str:
            self._asked[request] = tuple(streams)
            return self._venue.subscribe(streams, request)

        await self._send(message)

    def asked(self, answer: Acknowledgement) -> tuple[Stream, ...]:
        """Return the streams that the venue answers about: all that were asked for if it does not say."""
        if answer.request_id is not None:
            return self._asked.pop(answer.request_id, ())
        return tuple(stream for streams in self._asked.values() for stream in streams)

    async def close(self) -> None:
        """Stop reading and say goodbye, to a venue that does not answer for a second at most."""
        tasks = (self._reading, *self._helpers)
        for task in tasks:
            task.cancel()
        # A helper may have found the socket closed, as the reader has.
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(*close_reasons.ERRORS):
            await self._socket.close()

    async def _read(self) -> NoReturn:
        venue, number, put = self._venue, self.number, self._put
        receive, now_us, frame = self._socket.recv, self._now_us, 0
        while True:
            raw = await receive(decode=False)
            frame += 1
            self._received_us = now_us()
            put(Frame(raw, self._received_us, number, frame, venue))

    async def _keep_alive(self) -> None:
        """Send the venue's own kind of ping whenever the connection has been quiet for as long as it says."""
        if (ping := self._venue.keep_alive()) is None:
            return
        text, quiet_s = ping
        while True:
            rest_s = quiet_s - (self._now_us() - self._received_us) / clock.SECOND
            if rest_s <= 0:
                await self._socket.send(text)
                rest_s = quiet_s
            await pause(rest_s)

    async def _send(self, message: Callable[[int], str]) -> None:
        loop = asyncio.get_running_loop()
        async with self._sending:
            if (early_s := self._next_request - loop.time()) > 0:
                await self._sleep(early_s)
            self._next_request = loop.time() + _SLOWER / self._venue.messages_per_second
            self._requests += 1
            await self._socket.send(message(self._requests))


async def connect(
    venue: Venue,
    streams: Sequence[Stream],
    number: int,
    put: Callable[[Frame], None],
    timeouts: Timeouts,
    sleep: Sleep = asyncio.sleep,
    now_us: Callable[[], int] = clock.now_us,
) -> Connection:
    """Return a connection whose address is that of `streams`, all of one route; refusal.ERRORS if there is none.

    Where the venue's address names them they are asked for already; elsewhere `ask` has to follow.
    """
    route = streams[0].route
    url = venue.url(route, streams)
    # Frames of 200 bytes gain nothing from compression; a closing handshake must not hold up a stop.
    socket = await websockets.connect(
        url,
        compression=None,
        open_timeout=timeouts.open_s,
        ping_interval=timeouts.ping_s,
        ping_timeout=timeouts.pong_s,
        close_timeout=1.0,
        max_size=_MOST_BYTES,
        max_queue=_QUEUE,
    )
    connection = Connection(socket, venue, number, put, sleep, now_us)
    if url != venue.url(route, streams[:0]):
        connection.streams.update(streams)
    return connection
