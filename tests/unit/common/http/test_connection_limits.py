"""More connections than there is room for, on real sockets."""

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import structlog
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from services.common.http import connection_limits, serving
from services.common.http.connection_limits import Connections
from tests.waiting import wait_until

MOST = 5
FAILURES = 50
ASK = b"GET /{} HTTP/1.1\r\nHost: here\r\n\r\n"
UPGRADE = (
    b"GET /stream HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Server:
    """A server that lets in few; ``/busy`` is answered when `free` is set, ``/stream`` is a WebSocket."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.free = asyncio.Event()
        self._writers: list[asyncio.StreamWriter] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            stream = WebSocket(scope, receive, send)
            await stream.accept()
            await stream.receive()
            return
        if scope["path"] == "/busy":
            await self.free.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    async def connect(self, said: bytes = b"") -> Streams:
        reader, writer = await asyncio.open_connection(*self.address)
        self._writers.append(writer)
        writer.write(said)
        return reader, writer

    async def answer(self, path: str = "x") -> bytes:
        reader, _ = await self.connect(ASK.replace(b"{}", path.encode()))
        return await reader.readline()

    def close(self) -> None:
        for writer in self._writers:
            writer.close()


def with_server(talk: Callable[[Server], Awaitable[None]]) -> None:
    async def run() -> None:
        with serving.listen("127.0.0.1", 0, "API") as listener:
            server = Server(listener.getsockname())
            serve = asyncio.ensure_future(serving.serve(server, listener, most=MOST, lifespan="off"))
            try:
                async with asyncio.timeout(20):
                    await talk(server)
            finally:
                server.close()
                serve.cancel()
                with suppress(asyncio.CancelledError):
                    await serve

    asyncio.run(run())


@pytest.mark.parametrize("said", [b"", b"GET / HT"])
def test_idle_connections_make_room_the_longest_idle_first(said: bytes) -> None:
    async def talk(server: Server) -> None:
        idle = [await server.connect(said) for _ in range(MOST)]
        for reader, _ in idle[:3]:
            assert await server.answer() == b"HTTP/1.1 200 OK\r\n"
            assert await reader.read() == b""
        idle[-1][1].write((said and b"TP/1.1\r\nHost: here\r\n\r\n") or ASK)
        assert await idle[-1][0].readline() == b"HTTP/1.1 200 OK\r\n"

    with_server(talk)


@pytest.mark.parametrize("count", [3 * MOST, 50 * MOST])
def test_however_many_idle_ones_there_are_others_are_served(count: int) -> None:
    async def talk(server: Server) -> None:
        for _ in range(count):
            await server.connect()
        assert await server.answer() == b"HTTP/1.1 200 OK\r\n"

    with_server(talk)


def test_who_was_answered_is_idle_and_who_is_answered_is_not() -> None:
    async def talk(server: Server) -> None:
        busy = [await server.connect(ASK.replace(b"{}", b"busy")) for _ in range(MOST - 1)]
        kept, _ = await server.connect(ASK)
        await kept.readuntil(b"\r\n\r\n")
        assert await server.answer() == b"HTTP/1.1 200 OK\r\n"
        assert await kept.read() == b""
        server.free.set()
        for reader, _ in busy:
            assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"

    with_server(talk)


@pytest.mark.parametrize("said", [ASK.replace(b"{}", b"busy"), UPGRADE])
def test_where_all_are_busy_a_new_one_is_told_so(said: bytes) -> None:
    async def talk(server: Server) -> None:
        busy = [await server.connect(said) for _ in range(MOST)]
        if said == UPGRADE:
            for reader, _ in busy:
                await reader.readuntil(b"\r\n\r\n")
        with structlog.testing.capture_logs() as logged:
            while await server.answer() != b"HTTP/1.1 503 Service Unavailable\r\n":
                pass  # not all of them had said what they want
            for _ in range(100):
                await server.connect()
        assert [one["event"] for one in logged] == ["connections not served"]
        busy[0][1].close()
        server.free.set()
        while await server.answer() != b"HTTP/1.1 200 OK\r\n":
            pass  # that one is not gone yet

    with_server(talk)


class Failing(socket.socket):
    """A listener that cannot accept for a while."""

    failures = 0
    error = errno.EMFILE

    def accept(self) -> tuple[socket.socket, object]:
        if self.failures:
            self.failures -= 1
            raise OSError(self.error, "made up")
        return super().accept()


@pytest.mark.parametrize(
    "error", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ECONNABORTED, errno.EPROTO]
)
def test_who_cannot_be_accepted_now_is_accepted_later(error: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_limits, "PAUSE_S", 0.001)
    monkeypatch.setattr(connection_limits, "SAID_EVERY_S", 1.0)
    closed: list[asyncio.BaseTransport] = []

    class Idle(asyncio.Transport):
        def close(self) -> None:
            closed.append(self)

    async def run() -> None:
        listener = Failing(socket.AF_INET, socket.SOCK_STREAM)
        with listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            listener.setblocking(False)
            listener.failures, listener.error = FAILURES, error
            room, served = Connections(MOST), asyncio.Event()
            for _ in range(MOST):
                room.note_idle(Idle())

            class Protocol(asyncio.Protocol):
                def connection_made(self, transport: asyncio.BaseTransport) -> None:
                    transport.close()
                    served.set()

            accepting = asyncio.ensure_future(room.accept(listener, Protocol, ()))
            with structlog.testing.capture_logs() as logged:
                async with asyncio.timeout(20):
                    _, writer = await asyncio.open_connection(*listener.getsockname())
                    await served.wait()
                writer.close()
                await asyncio.to_thread(wait_until, lambda: len(logged) == 2, "the rest to be said")
            accepting.cancel()
            assert {one["event"] for one in logged} == {"connections not served"}
            assert sum(one[f"not accepted: {errno.errorcode[error]}"] for one in logged) == FAILURES
            assert sum(one.get("closed_idle", 0) for one in logged) == len(closed) == MOST
            await asyncio.wait([accepting])

    asyncio.run(run())
