"""Live feed on OKX, over real sockets: trades that its stream leaves out come by REST."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from services.common.settings import load
from services.contracts.messages import TapeEvent, Tick
from services.ingest.feeds.live import LiveFeed
from services.ingest.settings import IngestSettings

INSTRUMENT = {"instId": "BTC-USDT-SWAP", "state": "live", "ctType": "linear", "ctValCcy": "BTC"}
CONTRACT = {"ctVal": "0.01", "ctMult": "1"}


class Exchange:
    """Has trades 1 to 9, and pushes all but some of them to whoever subscribes in its words."""

    def __init__(self) -> None:
        self.left_out = {4, 5, 6}
        now_ms = time.time_ns() // 1_000_000
        self.trades = [self.trade(each, now_ms - 1000 + each) for each in range(1, 10)]

    def trade(self, trade_id: int, ts: int) -> dict[str, str]:
        trade = {"instId": "BTC-USDT-SWAP", "tradeId": str(trade_id), "px": "65000.5", "sz": "7"}
        return {**trade, "side": "sell", "source": "0", "ts": str(ts)}

    async def listen(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        assert connection.request.path == "/ws/v5/business"
        async for text in connection:
            request = json.loads(text)
            [argument] = request["args"]
            assert (request["op"], argument) == (
                "subscribe",
                {"channel": "trades-all", "instId": "BTC-USDT-SWAP"},
            )
            answer = {"id": request["id"], "event": "subscribe", "arg": argument, "connId": "a4d3ae55"}
            await connection.send(json.dumps(answer))
            for trade in self.trades:
                if int(trade["tradeId"]) not in self.left_out:
                    await connection.send(json.dumps({"arg": argument, "data": [trade]}))

    def answer(self, _: ServerConnection, request: Request) -> Response | None:
        url = urlsplit(request.path)
        if url.path == "/api/v5/public/instruments":
            data = [{**INSTRUMENT, **CONTRACT}]
        elif url.path == "/api/v5/market/history-trades":
            after = int(parse_qs(url.query)["after"][0])
            data = [trade for trade in reversed(self.trades) if int(trade["tradeId"]) < after]
        else:
            return None
        body = json.dumps({"code": "0", "msg": "", "data": data}).encode()
        headers = Headers({"Content-Length": str(len(body)), "Connection": "close"})
        return Response(200, "OK", headers, body)


@asynccontextmanager
async def exchange() -> AsyncIterator[LiveFeed]:
    """Yield the live feed on an exchange that listens."""
    venue = Exchange()
    async with serve(venue.listen, "127.0.0.1", 0, process_request=venue.answer) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        environment = {
            "PAIRSTREAM_SYMBOLS": "BTCUSDT.OKX",
            "PAIRSTREAM_OKX_WS_URL": f"ws://127.0.0.1:{port}",
            "PAIRSTREAM_OKX_REST_URL": f"http://127.0.0.1:{port}",
            "PAIRSTREAM_HISTORY_MINUTES": "0",
        }
        yield LiveFeed(load(IngestSettings, environment))


def test_what_the_stream_leaves_out_is_repaired() -> None:
    async def body() -> None:
        ticks: dict[int, Tick] = {}
        kinds = []
        async with asyncio.timeout(20), exchange() as feed, aclosing(feed.stream()) as items:
            async for item in items:
                if isinstance(item, Tick):
                    assert item.trade_id not in ticks
                    ticks[item.trade_id] = item
                elif isinstance(item, TapeEvent):
                    kinds.append(item.kind)
                if "gap_repaired" in kinds:
                    break
        assert sorted(ticks) == list(range(1, 10))
        assert {trade_id for trade_id, tick in ticks.items() if tick.repaired} == {4, 5, 6}
        assert {(tick.venue, tick.symbol, tick.size) for tick in ticks.values()} == {
            ("okx", "BTCUSDT.OKX", 0.07)
        }
        assert kinds.index("gap_found") < kinds.index("gap_repaired")

    asyncio.run(body())
