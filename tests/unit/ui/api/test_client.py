"""Client of the API, against a stub of it."""

import asyncio
import json
from typing import Any

import httpx
import msgspec
import pytest
from msgspec import Struct
from websockets.asyncio.server import ServerConnection, serve

from services.common.errors import BadMessageError, TransientError
from services.ui.api.client import ApiClient, ApiRefusedError, StreamMessage
from services.ui.api.types import Ack, Status
from tests.unit.ui.answers import answer, snapshot, update

BAR = {
    "start_us": 60_000_000,
    "start_time": "1970-01-01T00:01:00Z",
    "open": 1.0,
    "high": 2,
    "low": 0.5,
    "close": 1.5,
    "volume": 10,
    "quote_volume": 15.0,
    "vwap": 1.5,
    "trade_count": 4,
    "closed": True,
    "coverage": 1.0,
    "carried": False,
    "complete": True,
}


def client_of(answer: httpx.Response | Exception, asked: list[httpx.Request] | None = None) -> ApiClient:
    def handle(request: httpx.Request) -> httpx.Response:
        if asked is not None:
            asked.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ApiClient("http://api.test", httpx.MockTransport(handle))


def test_bars_are_read_and_unknown_fields_ignored() -> None:
    async def run() -> None:
        asked: list[httpx.Request] = []
        async with client_of(httpx.Response(200, json={"feed": "live", "data": [BAR]}), asked) as client:
            (bar,) = await client.bars("BTCUSDT", "1m", 2)
            await client.bars("BTCUSDT", "1m", 2, 60_000_000)
        assert (bar.start_us, bar.high, bar.closed) == (60_000_000, 2.0, True)
        assert dict(asked[0].url.params) == {"symbol": "BTCUSDT", "interval": "1m", "limit": "2"}
        assert asked[1].url.params["end"] == "60000000"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (httpx.ConnectError("refused"), TransientError, "expected an answer from http://api.test.*refused"),
        (httpx.ReadTimeout(""), TransientError, "ReadTimeout"),
        (httpx.Response(503), TransientError, "received status 503"),
        (httpx.Response(404, json={"detail": "no such pair"}), ApiRefusedError, "404: no such pair"),
        (httpx.Response(200, content=b"<html>"), BadMessageError, "/v1/pairs: expected"),
        (httpx.Response(200, json={"data": [{"pair": 1}]}), BadMessageError, "Expected `str`"),
    ],
)
def test_what_goes_wrong_is_named(
    answer: httpx.Response | Exception, error: type[Exception], says: str
) -> None:
    async def run() -> None:
        async with client_of(answer) as client:
            await client.pairs()

    with pytest.raises(error, match=says):
        asyncio.run(run())


def as_json(message: Struct) -> str:
    return str(msgspec.json.encode(message), "utf-8")


def stream_of(*messages: str, close: tuple[int, str] | None = None) -> list[StreamMessage]:
    async def run() -> list[StreamMessage]:
        async def answer_all(socket: ServerConnection) -> None:
            assert socket.request is not None
            assert socket.request.path == "/v1/stream?topics=ticks,signals,alerts,status&interval_ms=1000"
            for message in messages:
                await socket.send(message)
            if close is not None:
                await socket.close(*close)

        async with serve(answer_all, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            async with ApiClient(f"http://127.0.0.1:{port}") as client:
                return [message async for message in client.stream()]

    return asyncio.run(run())


def test_the_stream_is_read_until_it_ends() -> None:
    said = snapshot("replay", status=answer(Status)), update()
    assert stream_of(*map(as_json, said)) == list(said)


def test_while_a_page_is_open_news_come_more_often() -> None:
    commands: list[dict[str, Any]] = []

    async def run() -> list[StreamMessage]:
        async def answer_all(socket: ServerConnection) -> None:
            await socket.send(as_json(snapshot()))
            async for text in socket:
                commands.append(json.loads(text))
                await socket.send(as_json(answer(Ack, interval_ms=100)))
                await socket.send(as_json(snapshot(scope="added")))
                await socket.send(as_json(update()))
                if len(commands) == 2:
                    return

        async with serve(answer_all, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            async with ApiClient(f"http://127.0.0.1:{port}") as client:
                received = []
                async for message in client.stream():
                    received.append(message)
                    await client.pace(is_watched=len(received) == 1)
                    await client.pace(is_watched=len(received) == 1)
                # There is no stream now; the next one begins at this pace.
                await client.pace(is_watched=True)
                return received

    received = asyncio.run(run())
    assert [command["interval_ms"] for command in commands] == [100, 1_000]
    assert received == [snapshot(), update(), update()]


def test_a_refused_stream_says_why() -> None:
    with pytest.raises(TransientError, match="too far behind"):
        stream_of(close=(1013, "too far behind"))


def test_a_message_of_another_shape_is_named() -> None:
    with pytest.raises(BadMessageError, match=r"expected a .*Snapshot.*surprise"):
        stream_of('{"type":"surprise"}')


def test_a_missing_api_is_transient() -> None:
    async def run() -> Any:
        async with ApiClient("http://127.0.0.1:1") as client:
            return [message async for message in client.stream()]

    with pytest.raises(TransientError, match=r"ws://127\.0\.0\.1:1/v1/stream"):
        asyncio.run(run())


def test_the_key_goes_with_every_request_and_with_the_stream() -> None:
    async def run() -> None:
        asked: list[httpx.Request] = []
        heard: list[str | None] = []

        async def answer(connection: ServerConnection) -> None:
            assert connection.request is not None
            heard.append(connection.request.headers.get("Authorization"))

        def handle(request: httpx.Request) -> httpx.Response:
            asked.append(request)
            return httpx.Response(200, json={"feed": "live", "data": []})

        async with serve(answer, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            url = f"http://127.0.0.1:{port}"
            async with ApiClient(url, httpx.MockTransport(handle), "ps_mine") as client:
                await client.pairs()
                assert [message async for message in client.stream()] == []
        assert [request.headers["Authorization"] for request in asked] == ["Bearer ps_mine"]
        assert heard == ["Bearer ps_mine"]

    asyncio.run(run())
