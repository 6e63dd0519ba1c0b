"""Fake venue: it keeps the rules of the real one, and breaks them on command."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import websockets

from tests.fake_venue import FakeVenue, Market, fake_venue, faults
from tests.fake_venue.control import Control, controlled
from tests.fake_venue.rest import now_ms

pytestmark = pytest.mark.integration

STREAM = "btcusdt@aggTrade"
WHOLE = re.compile(r'{"stream":"btcusdt@aggTrade","data":{"e":.{20,80}"a":\d{4,6},"p":"[\d.]{4,12}",.*}}')
Told = Callable[[FakeVenue, websockets.ClientConnection], Awaitable[None]]


def market(rate: float = 500, age_s: int = 10) -> Market:
    return Market({"BTCUSDT": rate}, now_ms() - 1000 * age_s)


def trades(told: Told, route: str = "market", streams: str = f"?streams={STREAM}") -> None:
    async def run() -> None:
        async with fake_venue(market()) as venue, asyncio.timeout(30):
            url = f"ws://127.0.0.1:{venue.port}/{route}/stream{streams}"
            async with websockets.connect(
                url, compression=None, max_size=None, close_timeout=0.2
            ) as connection:
                await told(venue, connection)
                connection.transport.abort()
            assert venue.violations == []

    asyncio.run(run())


async def ids(connection: websockets.ClientConnection, count: int) -> list[int]:
    frames = [json.loads(await connection.recv()) for _ in range(count)]
    return [frame["data"]["a"] for frame in frames if "data" in frame]


async def ids_until(connection: websockets.ClientConnection, done: Callable[[list[int]], bool]) -> None:
    received = await ids(connection, 1)
    while not done(received):
        received += await ids(connection, 1)


async def connect_again_and_again(url: str) -> None:
    while True:
        connection = await websockets.connect(url)
        connection.transport.abort()


async def rest(venue: FakeVenue, **asked: Any) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{venue.port}/fapi/v1/aggTrades"
        return await client.get(url, params={"symbol": "BTCUSDT", **asked})


def test_stream_and_history_tell_the_same_trades() -> None:
    async def told(venue: FakeVenue, connection: websockets.ClientConnection) -> None:
        frames = [json.loads(await connection.recv())["data"] for _ in range(20)]
        rows = (await rest(venue, fromId=frames[0]["a"], limit=20)).json()
        names = ("a", "p", "q", "T", "m")
        assert [[row[name] for name in names] for row in rows] == [
            [one[name] for name in names] for one in frames
        ]
        assert [one["a"] for one in frames] == list(range(frames[0]["a"], frames[0]["a"] + 20))
        assert frames[0]["p"] == venue.book.market.trade("BTCUSDT", frames[0]["a"]).price

    trades(told)


def test_subscriptions_change_while_it_runs() -> None:
    async def told(venue: FakeVenue, connection: websockets.ClientConnection) -> None:
        await connection.send(json.dumps({"method": "SUBSCRIBE", "params": [STREAM], "id": 7}))
        assert json.loads(await connection.recv()) == {"result": None, "id": 7}
        await ids(connection, 3)
        await connection.send(json.dumps({"method": "UNSUBSCRIBE", "params": [STREAM], "id": 8}))
        while "id" not in json.loads(await connection.recv()):
            pass
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connection.recv(), 0.1)

    trades(told, streams="")


def test_the_wrong_route_acknowledges_and_says_nothing() -> None:
    async def told(venue: FakeVenue, connection: websockets.ClientConnection) -> None:
        await connection.send(json.dumps({"method": "SUBSCRIBE", "params": [STREAM], "id": 1}))
        assert json.loads(await connection.recv()) == {"result": None, "id": 1}
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connection.recv(), 0.1)

    trades(told, route="public")


def test_the_stream_can_skip_repeat_reorder_and_jump() -> None:
    async def told(venue: FakeVenue, connection: websockets.ClientConnection) -> None:
        await ids(connection, 1)
        venue.inject(faults.Skip(count=3))
        await ids_until(connection, lambda received: received[-1] - received[0] == len(received) + 2)
        lost = venue.tampering["BTCUSDT"].lost
        assert [row["a"] for row in (await rest(venue, fromId=lost[0], limit=3)).json()] == lost
        venue.inject(faults.Repeat(count=1))
        await ids_until(connection, lambda received: received[-2:] == 2 * received[-1:])
        venue.inject(faults.Reorder(count=5))
        await ids_until(connection, lambda received: sorted(received) != received)
        [before] = await ids(connection, 1)
        venue.inject(faults.Jump(count=20))
        [hole] = venue.book.holes["BTCUSDT"]
        while before < hole.start:
            before = (await ids(connection, 1))[0]
        assert before == hole.stop
        assert (await rest(venue, fromId=hole.start, limit=1)).json()[0]["a"] == hole.stop

    trades(told)


@pytest.mark.parametrize("damage", ["garbage", "half", "binary", "empty", "null", "no_id", "huge"])
def test_a_trade_can_be_damaged(damage: faults.Damage) -> None:
    async def told(venue: FakeVenue, connection: websockets.ClientConnection) -> None:
        await ids(connection, 1)
        venue.inject(faults.Mangle(damage=damage))
        frame = await connection.recv()
        while WHOLE.fullmatch(str(frame)):
            frame = await connection.recv()
        [lost] = venue.tampering["BTCUSDT"].lost
        assert (await ids(connection, 1))[0] == lost + 1

    trades(told)


@pytest.mark.parametrize(
    ("fault", "code"),
    [(faults.Drop(), 1006), (faults.Drop(code=1001), 1001), (faults.Drop(half=True), 1006)],
)
def test_connections_are_dropped(fault: faults.Drop, code: int) -> None:
    async def told(venue: FakeVenue, connection: websockets.ClientConnection) -> None:
        await ids(connection, 1)
        venue.inject(fault)
        with pytest.raises(websockets.ConnectionClosed):
            await ids(connection, 10_000)
        assert connection.close_code == code

    trades(told)


def test_a_stream_falls_silent_until_it_is_subscribed_again() -> None:
    async def told(venue: FakeVenue, connection: websockets.ClientConnection) -> None:
        await ids(connection, 1)
        venue.inject(faults.Silence(symbol="BTCUSDT"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ids(connection, 10_000), 0.2)
        await connection.send(json.dumps({"method": "SUBSCRIBE", "params": [STREAM], "id": 1}))
        await connection.recv()
        await ids(connection, 5)

    trades(told)


def test_pings_go_unanswered_while_trades_come() -> None:
    async def told(venue: FakeVenue, connection: websockets.ClientConnection) -> None:
        await (await connection.ping())
        venue.inject(faults.Deaf())
        pong = asyncio.ensure_future(await connection.ping())
        await ids(connection, 50)
        assert not pong.done()

    trades(told)


def test_connections_and_upgrades_are_refused() -> None:
    async def run() -> None:
        async with fake_venue(market()) as venue, asyncio.timeout(30):
            url = f"ws://127.0.0.1:{venue.port}/market/stream?streams={STREAM}"
            venue.inject(faults.RefuseUpgrade(status=429, retry_after_s=3))
            with pytest.raises(websockets.InvalidStatus) as refused:
                await websockets.connect(url)
            assert refused.value.response.headers["Retry-After"] == "3"
            async with websockets.connect(url, close_timeout=0.2) as open_before:
                venue.inject(faults.Refuse(seconds=0.2))
                await ids(open_before, 5)
                with pytest.raises(ConnectionRefusedError):
                    await connect_again_and_again(url)
                await ids(open_before, 200)
                async with websockets.connect(url, close_timeout=0.2) as connection:
                    await ids(connection, 1)

    asyncio.run(run())


def test_rest_has_limits_a_weight_and_faults() -> None:
    async def run() -> None:
        async with fake_venue(market(age_s=60)) as venue, asyncio.timeout(30):
            start_ms = venue.book.market.start_ms
            rows = (await rest(venue, startTime=start_ms + 5_000, limit=1000)).json()
            assert (len(rows), rows[0]["T"]) == (1000, start_ms + 5_000)
            for wrong in ({"limit": 1001}, {"startTime": now_ms() - 49 * 3_600_000}, {"fromId": "x"}):
                assert (await rest(venue, **wrong)).status_code == 400
            venue.inject(faults.Rest(status=418, retry_after_s=9))
            assert (await rest(venue)).headers["Retry-After"] == "9"
            venue.inject(faults.Rest(garbage=True))
            with pytest.raises(ValueError, match="codec"):
                (await rest(venue)).json()
            used = int((await rest(venue)).headers["X-MBX-USED-WEIGHT-1M"])
            assert used % 20 == 0
            assert 20 <= used <= 160
            venue.rest.weight_limit = 0
            assert (await rest(venue)).status_code in (418, 429)
            assert venue.violations

    asyncio.run(run())


def test_a_client_that_talks_too_much_is_thrown_out() -> None:
    async def run() -> None:
        async with (
            fake_venue(market()) as venue,
            asyncio.timeout(30),
            websockets.connect(f"ws://127.0.0.1:{venue.port}/market/stream", close_timeout=0.2) as connection,
        ):
            for _ in range(11):
                await connection.send(json.dumps({"method": "SUBSCRIBE", "params": [STREAM], "id": 1}))
            with pytest.raises(websockets.ConnectionClosed):
                await ids(connection, 10_000)
            assert venue.violations == ["more than 10 messages a second"]

    asyncio.run(run())


def test_another_process_can_tell_it_what_to_do() -> None:
    async def run() -> None:
        async with fake_venue(market()) as venue, controlled(venue) as port, asyncio.timeout(30):
            control = Control(port)
            await control.inject(faults.Jump(symbol="BTCUSDT", count=3))
            state = await control.state()
            assert [stop - start for start, stop in state["holes"]["BTCUSDT"]] == [3]
            assert state["heads"]["BTCUSDT"] > 5_000

    asyncio.run(run())
