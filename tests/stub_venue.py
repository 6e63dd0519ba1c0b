"""Stub venue: frames are ``<symbol> <trade id>``; a frame that begins with ``!`` is damaged."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from services.common import clock
from services.common.errors import BadMessageError, FatalError
from services.contracts.listings import Listing
from services.contracts.messages import Tick
from services.ingest.feed import StreamKind
from services.ingest.venues.venue import Acknowledgement, Parsed, Stream
from tests import builders

ROUTES: dict[StreamKind, str] = {
    "trades": "/market",
    "quotes": "/public",
    "mark-prices": "/market",
    "liquidations": "/market",
}


class StubVenue:
    """Speaks to the server of `stub_server`; its address names no streams, so that they are asked for."""

    name = "stub"
    streams_per_connection = 3
    messages_per_second = 1000.0
    lifetime_s = 86_400.0

    def __init__(self, ws_url: str = "ws://127.0.0.1:1", ping: tuple[str, float] | None = None) -> None:
        self._ws_url = ws_url
        self._ping = ping

    def stream(self, kind: StreamKind, symbol: str) -> Stream:
        return Stream(kind, symbol, f"{symbol.lower()}@{kind}", ROUTES[kind])

    def url(self, route: str, streams: Sequence[Stream]) -> str:
        for stream in streams:
            if stream.route != route:
                raise FatalError(f"expected a stream of {route}, received {stream.name} of {stream.route}")
        return self._ws_url + route

    def subscribe(self, streams: Sequence[Stream], request_id: int) -> str:
        return f"subscribe {request_id} {' '.join(stream.symbol for stream in streams)}"

    def unsubscribe(self, streams: Sequence[Stream], request_id: int) -> str:
        return f"unsubscribe {request_id} {' '.join(stream.symbol for stream in streams)}"

    def keep_alive(self) -> tuple[str, float] | None:
        return self._ping

    def parse(self, raw: bytes, received_us: int) -> Parsed:
        match raw.decode().split():
            case ["ok", request]:
                return Acknowledgement(int(request))
            case ["no", request, *words]:
                return Acknowledgement(None if request == "?" else int(request), " ".join(words))
            case [symbol, trade_id] if trade_id.isdigit():
                return [tick(symbol, int(trade_id), received_us)]
        raise BadMessageError(f"expected a symbol and a number, received {raw[:80]!r}")

    async def listing(self) -> list[Listing]:
        return []

    async def check_symbols(self, symbols: Iterable[str]) -> None: ...

    async def time_us(self) -> int:
        return clock.now_us()

    def hurried(self, patience_s: float) -> AbstractContextManager[None]:
        return nullcontext()

    async def since(self, symbol: str, start_us: int) -> list[Tick]:
        return []

    async def trades(self, symbol: str, first_id: int) -> list[Tick]:
        return []


def tick(symbol: str, trade_id: int, at_us: int) -> Tick:
    """Return a trade of which only the name, the number and the time matter."""
    return builders.tick(venue="stub", symbol=symbol, trade_id=trade_id, event_us=at_us)


class StubServer:
    """Keeps what came, and sends what it is told to; `refuse` answers upgrades, `on_message` messages."""

    def __init__(self) -> None:
        self.port = 0
        self.open: list[ServerConnection] = []
        self.accepted = 0
        self.messages: list[tuple[str, str]] = []
        self.refuse: Callable[[ServerConnection, Request], Response | None] = lambda _, __: None
        self.on_message: Callable[[ServerConnection, str], Awaitable[None]] = acknowledge

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def send(self, text: str) -> None:
        """Send a frame on every open connection; one that is closed in this moment does not get it."""
        await asyncio.gather(*(connection.send(text) for connection in self.open), return_exceptions=True)

    async def _listen(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.accepted += 1
        self.open.append(connection)
        try:
            async for message in connection:
                self.messages.append((connection.request.path, str(message)))
                await self.on_message(connection, str(message))
        finally:
            self.open.remove(connection)


async def acknowledge(connection: ServerConnection, message: str) -> None:
    """Answer as a venue does that accepts everything."""
    if message.startswith(("subscribe", "unsubscribe")):
        await connection.send(f"ok {message.split()[1]}")


@asynccontextmanager
async def stub_server() -> AsyncIterator[StubServer]:
    """Yield a listening server."""
    server = StubServer()
    async with serve(
        server._listen,
        "127.0.0.1",
        0,
        process_request=lambda connection, request: server.refuse(connection, request),
        close_timeout=0.1,
    ) as listening:
        server.port = next(iter(listening.sockets)).getsockname()[1]
        yield server
