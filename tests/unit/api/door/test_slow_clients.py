"""Connections on which nothing comes to an end."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from services.api.app import create_app
from services.api.backend import Backend
from services.api.door import slow_clients
from services.api.door.slow_clients import ImpatientProtocol
from services.api.settings import ApiSettings
from services.common import serving

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
ASKED = b"GET /healthz HTTP/1.1\r\nHost: api\r\n"


def with_server(talk: Callable[[Callable[[], Awaitable[Streams]]], Awaitable[None]]) -> None:
    """Run `talk` with a way to connect to the application on a real socket."""

    async def run() -> None:
        with serving.listen("127.0.0.1", 0, "API") as listener:
            port = listener.getsockname()[1]
            app = create_app(Backend(ApiSettings()))
            server = asyncio.ensure_future(
                serving.serve(app, listener, http=ImpatientProtocol, lifespan="off")
            )
            try:
                async with asyncio.timeout(20):
                    await talk(lambda: asyncio.open_connection("127.0.0.1", port))
            finally:
                server.cancel()
                with suppress(asyncio.CancelledError):
                    await server

    asyncio.run(run())


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_clients, "HEAD_S", 0.4)


@pytest.mark.parametrize("drops", [b"", ASKED])
def test_a_request_that_does_not_end_is_given_up_however_it_trickles(drops: bytes) -> None:
    async def talk(connect: Callable[[], Awaitable[Streams]]) -> None:
        reader, writer = await connect()
        answer = b""
        with suppress(ConnectionError):
            for byte in drops:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.02)
            answer = await reader.read()
        assert answer == b""
        writer.close()

    with_server(talk)


def test_whoever_asks_in_time_may_stay_and_ask_again() -> None:
    async def talk(connect: Callable[[], Awaitable[Streams]]) -> None:
        reader, writer = await connect()
        for _ in range(3):
            writer.write(ASKED[:10])
            await asyncio.sleep(0.2)
            writer.write(ASKED[10:] + b"\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            await reader.readuntil(b"}")
            await asyncio.sleep(0.2)
        writer.close()

    with_server(talk)
