"""Connection pool against a server that hangs up, refuses, or is not there."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from services.ingest.connections.connection import Timeouts
from services.ingest.connections.events import Connected, Delivering, Lost
from tests.pool_watch import runs, until, watching
from tests.ports import free_port
from tests.stub_venue import StubServer, StubVenue, acknowledge

pytestmark = pytest.mark.integration


def test_a_lost_connection_is_told_with_its_reason_and_followed_by_another() -> None:
    async def test(server: StubServer) -> None:
        async with watching(StubVenue(server.url)) as watch:
            ends = [
                (1000, "", "1000"),
                (1001, "the day is over", "1001 (going away) the day is over"),
                (1008, "slow down", "1008 (policy violation) slow down"),
                (4000, "own code", "4000 (private use) own code"),
            ]
            for code, words, reason in ends:
                await until(lambda: len(server.messages) > len(watch.events), "a subscription")
                await server.send("AA 1")
                await until(lambda: len(server.messages) == len(watch.events), "a trade")
                await server.open[0].close(code, words)
                await until(lambda: len(watch.of(Lost)) == len(watch.events), "the loss")
                assert reason in watch.of(Lost)[-1].reason
            await until(lambda: len(watch.of(Connected)) == 5, "five connections")
            assert watch.of(Connected)[0].reason is None
            assert "slow down" in str(watch.of(Connected)[3].reason)

    runs(test)


def test_delays_grow_to_a_limit_until_data_have_come() -> None:
    async def test(server: StubServer) -> None:
        async def hang_up(connection: ServerConnection, message: str) -> None:
            await acknowledge(connection, message)
            if server.accepted != 12:
                connection.transport.abort()

        server.on_message = hang_up
        async with watching(StubVenue(server.url)) as watch:
            await until(lambda: server.accepted == 12 and len(server.open) == 1, "many connections")
            await server.send("AA 1")
            await until(lambda: bool(watch.of(Delivering)), "data")
            server.open[0].transport.abort()
            await until(lambda: len(watch.of(Lost)) >= 12, "one more loss")
        delays = [lost.retry_s for lost in watch.of(Lost)]
        assert delays[:5] == [0.5, 1, 2, 4, 8]
        assert delays[10] == 60
        assert delays[11] == 0.5

    runs(test)


def answer(status: HTTPStatus, **headers: str) -> Callable[[ServerConnection, Request], Response]:
    fields = Headers({name.replace("_", "-"): value for name, value in headers.items()})
    return lambda _, __: Response(status, status.phrase, fields, b"")


@pytest.mark.parametrize(
    ("refuse", "reason", "least_s"),
    [
        (answer(HTTPStatus.FORBIDDEN), "HTTP 403 Forbidden", 0),
        (answer(HTTPStatus.NOT_FOUND), "HTTP 404 Not Found", 0),
        (answer(HTTPStatus.INTERNAL_SERVER_ERROR), "HTTP 500 Internal Server Error", 0),
        (answer(HTTPStatus.BAD_GATEWAY), "HTTP 502 Bad Gateway", 0),
        (answer(HTTPStatus.SERVICE_UNAVAILABLE, Retry_After="9"), "HTTP 503 Service Unavailable", 9),
        (answer(HTTPStatus.TOO_MANY_REQUESTS, Retry_After="77"), "HTTP 429 Too Many Requests", 77),
        (answer(HTTPStatus.TOO_MANY_REQUESTS), "HTTP 429 Too Many Requests", 60),
        (answer(HTTPStatus.IM_A_TEAPOT, Retry_After="1800"), "HTTP 418 I'm a Teapot", 1800),
    ],
)
def test_a_refused_upgrade_is_tried_again_when_the_venue_wants_it(
    refuse: Callable[[ServerConnection, Request], Response], reason: str, least_s: float
) -> None:
    async def test(server: StubServer) -> None:
        slept: list[float] = []

        def once(connection: ServerConnection, request: Request) -> Response | None:
            server.refuse = lambda _, __: None
            return refuse(connection, request)

        server.refuse = once
        async with watching(StubVenue(server.url), slept=slept) as watch:
            await until(lambda: bool(watch.of(Connected)), "a connection")
            [lost] = watch.of(Lost)
            assert reason in lost.reason
            assert slept[0] == lost.retry_s
            assert lost.retry_s >= max(least_s, 0.5)
            assert lost.retry_s == least_s or least_s == 0

    runs(test)


def test_a_ban_of_one_connection_is_one_of_all() -> None:
    async def test(server: StubServer) -> None:
        slept: list[float] = []
        server.refuse = answer(HTTPStatus.TOO_MANY_REQUESTS, Retry_After="77")
        async with watching(
            StubVenue(server.url), [f"S{number}" for number in range(6)], slept=slept
        ) as watch:
            await until(lambda: len(watch.of(Lost)) >= 2, "two refusals")
            server.refuse = lambda _, __: None
            await until(lambda: len(watch.of(Connected)) == 2, "two connections")
            slept.clear()
            await watch.pool.subscribe([StubVenue(server.url).stream("trades", "S7")])
            await until(lambda: len(watch.of(Connected)) == 3, "a third")
        assert slept == [pytest.approx(77, abs=5)]

    runs(test)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (f"ws://127.0.0.1:{free_port()}", "Connect call failed"),
        ("ws://no-such-host.invalid", "no address (DNS)"),
    ],
    ids=["nobody listens", "no such name"],
)
def test_a_venue_that_is_not_there_is_waited_for(url: str, reason: str) -> None:
    async def run() -> None:
        async with watching(StubVenue(url)) as watch:
            await until(lambda: len(watch.of(Lost)) >= 2, "two attempts")
            assert reason in watch.of(Lost)[0].reason

    asyncio.run(run())


def test_a_venue_that_does_not_speak_tls_is_waited_for() -> None:
    async def run() -> None:
        async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(100)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with watching(StubVenue(f"wss://127.0.0.1:{port}")) as watch:
                await until(lambda: bool(watch.of(Lost)), "an attempt")
                assert "an error of TLS" in watch.of(Lost)[0].reason

    asyncio.run(run())


def test_a_venue_that_accepts_and_says_nothing_is_not_waited_for_long() -> None:
    async def run() -> None:
        async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            timeouts = Timeouts(open_s=0.1)
            async with watching(StubVenue(f"ws://127.0.0.1:{port}"), timeouts=timeouts) as watch:
                await until(lambda: bool(watch.of(Lost)), "an attempt")
                assert "timed out during opening handshake" in watch.of(Lost)[0].reason

    asyncio.run(run())


def test_a_peer_that_does_not_pong_is_gone() -> None:
    async def test(server: StubServer) -> None:
        timeouts = Timeouts(ping_s=0.05, pong_s=0.1)
        async with watching(StubVenue(server.url), timeouts=timeouts) as watch:
            await until(lambda: len(server.open) == 1, "a connection")
            server.open[0].transport.pause_reading()
            await until(lambda: bool(watch.of(Lost)), "the loss")
            assert "keepalive ping timeout" in watch.of(Lost)[0].reason

    runs(test)
