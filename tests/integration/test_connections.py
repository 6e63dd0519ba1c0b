"""Connection pool: its subscriptions, and the venue's replies to them."""

import pytest
from websockets.asyncio.server import ServerConnection

from services.common.clock import SECOND
from services.common.errors import FatalError
from services.ingest.connections.buffer import Buffer
from services.ingest.connections.connection_slot import SlotContext
from services.ingest.connections.events import Live, Lost, SubscriptionRefused
from services.ingest.connections.pool import ConnectionPool
from services.ingest.connections.stream_watchdog import StreamWatchdog
from tests.pool_watch import runs, symbols, until, watching
from tests.stub_venue import StubServer, StubVenue

pytestmark = pytest.mark.integration


def test_streams_share_connections_by_route_and_number() -> None:
    async def test(server: StubServer) -> None:
        venue = StubVenue(server.url)
        async with watching(venue, [f"S{number}" for number in range(7)]) as watch:
            await watch.pool.subscribe([venue.stream("quotes", "S0")])
            await until(lambda: len(server.messages) == 4, "four subscriptions")
            asked = [(path, len(text.split()) - 2) for path, text in server.messages]
            assert sorted(asked) == [("/market", 1), ("/market", 3), ("/market", 3), ("/public", 1)]

    runs(test)


def test_streams_come_and_go_at_run_time_and_survive_a_reconnection() -> None:
    async def test(server: StubServer) -> None:
        venue = StubVenue(server.url)
        aa, bb, cc = (venue.stream("trades", symbol) for symbol in ("AA", "BB", "CC"))
        async with watching(venue, ["AA"]) as watch:
            await until(lambda: len(server.messages) == 1, "the first subscription")
            await watch.pool.subscribe([bb, cc, aa])
            await watch.pool.unsubscribe([aa])
            await until(lambda: len(server.messages) == 3, "two changes")
            assert [text for _, text in server.messages] == [
                "subscribe 1 AA",
                "subscribe 2 BB CC",
                "unsubscribe 3 AA",
            ]
            await server.send("AA 1")
            await server.send("CC 1")
            await until(lambda: bool(watch.events), "a trade")
            assert symbols(watch) == ["CC"]
            server.open[0].transport.abort()
            await until(lambda: len(server.messages) == 4, "another subscription")
            assert server.messages[-1][1] == "subscribe 1 BB CC"
            await watch.pool.unsubscribe([bb, cc])
            await until(lambda: not server.open, "a farewell")

    runs(test)


def test_the_venues_limit_of_messages_is_kept() -> None:
    async def test(server: StubServer) -> None:
        venue, slept = StubVenue(server.url), list[float]()
        venue.messages_per_second = 0.5
        async with watching(venue, ["AA"], slept=slept) as watch:
            await until(lambda: len(server.messages) == 1, "the first subscription")
            await watch.pool.subscribe([venue.stream("trades", "BB")])
            await watch.pool.subscribe([venue.stream("trades", "CC")])
            assert [round(seconds) for seconds in slept] == [2, 2]

    runs(test)


def test_the_venues_own_ping_is_sent_when_it_is_quiet() -> None:
    async def test(server: StubServer) -> None:
        async with watching(StubVenue(server.url, ping=("ping", 0.05))):
            await until(lambda: [text for _, text in server.messages].count("ping") >= 2, "two pings")

    runs(test)


def test_giant_and_damaged_frames_cost_only_themselves() -> None:
    async def test(server: StubServer) -> None:
        async with watching(StubVenue(server.url)) as watch:
            await until(lambda: len(server.messages) == 1, "a subscription")
            for frame in ("!", "!" * 5_000_000, "", "AA 1"):
                await server.send(frame)
            await until(lambda: bool(watch.events), "a trade")
            assert [len(frame.raw) for frame in watch.damaged] == [1, 5_000_000, 0]
            assert [frame.number for frame in watch.damaged] == [2, 3, 4]
            assert watch.of(Lost) == []

    runs(test)


def test_a_refused_stream_is_named_and_the_others_of_its_request_go_on() -> None:
    async def test(server: StubServer) -> None:
        async def refuse_bb(connection: ServerConnection, message: str) -> None:
            _, request, *asked = message.split()
            await connection.send(f"no {request} no such stream" if "BB" in asked else f"ok {request}")

        server.on_message = refuse_bb
        async with watching(StubVenue(server.url), ["AA", "BB", "CC"]) as watch:
            await until(lambda: bool(watch.of(SubscriptionRefused)), "a refusal")
            [refused] = watch.of(SubscriptionRefused)
            assert (refused.stream.symbol, refused.reason) == ("BB", "no such stream")
            assert {"AA"} in [set(text.split()[2:]) for _, text in server.messages]
            await server.send("BB 1")
            await until(lambda: bool(watch.of(Live)), "it speaks after all")

    runs(test)


def test_a_refusal_of_nothing_that_was_asked_is_a_bad_frame() -> None:
    async def test(server: StubServer) -> None:
        async with watching(StubVenue(server.url)) as watch:
            await until(lambda: len(server.messages) == 1, "a subscription")
            await server.send("no 99 what?")
            await until(lambda: bool(watch.damaged), "a rejected frame")

    runs(test)


def test_a_stream_on_a_wrong_route_is_refused_at_once() -> None:
    venue = StubVenue()
    around = SlotContext(venue, Buffer(), StreamWatchdog(SECOND), 1.0)
    stream = venue.stream("trades", "AA")._replace(route="/public")
    venue.url = lambda route, streams: StubVenue.url(venue, "/market", streams)  # type: ignore[method-assign]
    with pytest.raises(FatalError, match="aa@trades of /public"):
        ConnectionPool([stream], around)
