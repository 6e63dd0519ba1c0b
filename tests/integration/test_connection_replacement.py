"""Replacement of connections, before they expire, or when one of their streams has died."""

import asyncio
from itertools import pairwise

import pytest
from websockets.asyncio.server import ServerConnection

from services.contracts.messages import Tick
from services.ingest.connections.events import Connected, Live, Lost, Stale
from tests.pool_watch import runs, until, watching
from tests.stub_venue import StubServer, StubVenue, acknowledge

pytestmark = pytest.mark.integration


def test_a_stream_that_falls_silent_is_told_and_its_connection_replaced() -> None:
    """The other stream of the connection goes on all the while."""

    async def test(server: StubServer) -> None:
        async with watching(StubVenue(server.url), ["AA", "BB"], least_s=0.3) as watch:
            await until(lambda: len(server.messages) == 1, "a subscription")
            await server.send("BB 0")

            async def trade() -> None:
                number = 0
                while True:
                    number += 1
                    await server.send(f"AA {number}")
                    await asyncio.sleep(0.01)

            trading = asyncio.create_task(trade())
            await until(lambda: bool(watch.of(Stale)), "the silence")
            assert watch.of(Stale)[0].stream.symbol == "BB"
            await until(lambda: len(watch.of(Connected)) == 2, "another connection")
            assert "bb@trades has been silent" in str(watch.of(Connected)[1].reason)
            await until(lambda: len(server.open) == 1, "the end of the old one")
            await server.send("BB 1")
            await until(lambda: bool(watch.of(Live)), "it speaks again")
            trading.cancel()
            assert watch.of(Lost) == []

    runs(test)


def test_a_connection_is_replaced_before_its_end_and_nothing_is_missed() -> None:
    async def test(server: StubServer) -> None:
        async with watching(StubVenue(server.url), reconnect_after_s=0.2) as watch:
            await until(lambda: len(server.messages) == 1, "a subscription")
            number, most = 0, 0
            while len(watch.of(Connected)) < 4:
                number += 1
                await server.send(f"AA {number}")
                most = max(most, len(server.open))
                await asyncio.sleep(0.002)
            ids: dict[int, list[int]] = {}
            for event, connection in watch.events:
                assert isinstance(event, Tick)
                ids.setdefault(connection, []).append(event.trade_id)
            assert most == 2
            assert set[int]().union(*ids.values()) >= set(range(2, number - 1))
            assert all(set(old) & set(new) for old, new in pairwise(ids.values()))
            assert watch.of(Lost) == []

    runs(test)


def test_a_new_connection_that_stays_silent_does_not_replace_one_that_speaks() -> None:
    async def test(server: StubServer) -> None:
        async with watching(StubVenue(server.url), reconnect_after_s=0.2, overlap_s=0.2) as watch:
            await until(lambda: len(server.messages) == 1, "a subscription")
            first, number = server.open[0], 0
            while server.accepted < 3:
                number += 1
                await first.send(f"AA {number}")
                await asyncio.sleep(0.005)
            assert len(watch.of(Connected)) == 1
            assert watch.of(Lost) == []

    runs(test)


def test_a_connection_that_ends_while_its_successor_is_open_is_no_loss() -> None:
    async def test(server: StubServer) -> None:
        async def end_the_first(connection: ServerConnection, message: str) -> None:
            await acknowledge(connection, message)
            if server.accepted == 2 and len(server.open) == 2:
                server.open[0].transport.abort()

        server.on_message = end_the_first
        async with watching(StubVenue(server.url), reconnect_after_s=0.3) as watch:
            await until(lambda: len(server.messages) == 1, "a subscription")
            await server.send("AA 1")
            await until(lambda: len(watch.of(Connected)) == 2, "the successor")
            await until(lambda: len(server.open) == 1, "the end of the first")
            assert server.accepted == 2
            assert watch.of(Lost) == []

    runs(test)
