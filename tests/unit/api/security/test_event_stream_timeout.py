"""Timeouts of requests and bodies that do not end, and of event streams."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec
import pytest

from services.api import backend
from services.api.app import create_app
from services.api.backend import Backend
from services.api.security import event_stream_timeout as slow_readers
from services.api.security.event_stream_timeout import EventsProtocol
from services.api.settings import ApiSettings
from services.api.stream.composer import SNAPSHOT_ALERTS
from services.common.http import body_limit, read_timeout, serving
from tests.unit.api.stream.stream_messages import alert
from tests.waiting import wait_until

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
ASKED = b"GET /healthz HTTP/1.1\r\nHost: api\r\n"
EVENTS = b"GET /v1/events?topics=alerts,status HTTP/1.1\r\nHost: api\r\n\r\n"
LONG = 200_000


def with_server(
    talk: Callable[[Callable[[], Awaitable[Streams]]], Awaitable[None]], asked: Backend | None = None
) -> None:
    """Run `talk` with a way to connect to the application on a real socket that holds little."""

    async def connect(address: tuple[str, int]) -> Streams:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, address)
        return await asyncio.open_connection(sock=client, limit=4096)

    async def run() -> None:
        with serving.listen("127.0.0.1", 0, "API") as listener:
            app = create_app(asked or Backend(ApiSettings()))
            server = asyncio.ensure_future(serving.serve(app, listener, EventsProtocol, lifespan="off"))
            try:
                async with asyncio.timeout(20):
                    await talk(lambda: connect(listener.getsockname()))
            finally:
                server.cancel()
                with suppress(asyncio.CancelledError):
                    await server

    asyncio.run(run())


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_timeout, "HEAD_S", 1.0)
    monkeypatch.setattr(body_limit, "SILENCE_S", 1.0)
    monkeypatch.setattr(slow_readers, "SLOW_S", 1.0)
    monkeypatch.setattr(backend, "WARM_S", 0.1)


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


@pytest.mark.parametrize("path", ["/v1/datasets", "/v1/datasets/preview"])
@pytest.mark.parametrize("drops", ["", "--x\r\nC"])
def test_a_body_that_does_not_end_is_given_up_however_it_trickles(path: str, drops: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: api\r\nContent-Type: multipart/form-data; boundary=x\r\n"

    async def talk(connect: Callable[[], Awaitable[Streams]]) -> None:
        reader, writer = await connect()
        writer.write(f"{head}Content-Length: 100\r\n\r\n".encode())
        answer = asyncio.create_task(reader.readline())
        for drop in drops:
            writer.write(drop.encode())
            await asyncio.wait([answer], timeout=0.3)
        assert (await answer).split()[1] == b"408"
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


def _with_much_to_say() -> Backend:
    """Return a backend whose snapshot is more than any socket holds."""
    telling = Backend(ApiSettings())
    for number in range(SNAPSHOT_ALERTS):
        telling.live_state.put_alert(msgspec.structs.replace(alert(number), message="x" * LONG))
    return telling


async def _until_open(telling: Backend, count: int) -> None:
    def is_so() -> bool:
        return telling.registry.get_sample_value("pairstream_api_open", {"kind": "http"}) == count

    await asyncio.to_thread(wait_until, is_so, f"{count} open")


def test_who_does_not_read_events_is_cut_off() -> None:
    telling = _with_much_to_say()

    async def talk(connect: Callable[[], Awaitable[Streams]]) -> None:
        reader, writer = await connect()
        writer.write(EVENTS)
        await _until_open(telling, 1)
        await _until_open(telling, 0)
        assert len(await reader.read()) < SNAPSHOT_ALERTS * LONG
        writer.close()

    with_server(talk, telling)


def test_who_reads_events_in_time_is_told_more() -> None:
    telling = _with_much_to_say()

    async def talk(connect: Callable[[], Awaitable[Streams]]) -> None:
        reader, writer = await connect()
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        writer.write(EVENTS)
        received = b""
        while b"event: update" not in received:
            chunk = await reader.read(1 << 20)
            assert chunk, "expected an update, received the end"
            received = received[-20:] + chunk
        writer.close()

    with_server(talk, telling)
