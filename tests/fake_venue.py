"""A small venue on loopback: the routes of Binance USD-M futures that ingest uses, REST and stream on one port."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response


class FakeVenue:
    """Sends only what it is told to; `on_connect` frames go to every new connection of the right route."""

    def __init__(self, symbols: dict[str, str]) -> None:
        """`symbols` maps names to statuses, as exchangeInfo gives them."""
        self.symbols = symbols
        self.port = 0
        self.rest_status = HTTPStatus.OK
        self.rest_headers: dict[str, str] = {}
        self.on_connect: list[str] = []
        self.listings = 0
        self.connections = 0
        self._open: set[ServerConnection] = set()
        self._trade_id = 1000

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that lead ingest here."""
        return {
            "PAIRSTREAM_BINANCE_WS_URL": f"ws://127.0.0.1:{self.port}",
            "PAIRSTREAM_BINANCE_REST_URL": f"http://127.0.0.1:{self.port}",
        }

    def trade(self, symbol: str, price: str = "100.5", time_ms: int = 1_750_000_000_000) -> str:
        """Return the frame of one more trade."""
        self._trade_id += 1
        payload = {
            "e": "aggTrade",
            "E": time_ms + 5,
            "a": self._trade_id,
            "s": symbol,
            "p": price,
            "q": "0.25",
            "f": 1,
            "l": 2,
            "T": time_ms,
            "m": False,
            "nq": "0.25",
        }
        return json.dumps({"stream": f"{symbol.lower()}@aggTrade", "data": payload})

    def drop(self) -> None:
        """Cut every connection without a word."""
        for connection in self._open:
            connection.transport.abort()

    async def listen(self, connection: ServerConnection) -> None:
        """Serve one connection; the wrong route is accepted, and acknowledged, and silent."""
        assert connection.request is not None
        url = urlsplit(connection.request.path)
        await connection.send('{"result":null,"id":1}')
        if url.path == "/market/stream":
            self._open.add(connection)
            self.connections += 1
            asked = parse_qs(url.query)["streams"][0].split("/")
            for frame in self.on_connect:
                if not _names_another(frame, asked):
                    await connection.send(frame)
        await connection.wait_closed()
        self._open.discard(connection)

    async def answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer REST; anything else is a stream."""
        if request.path != "/fapi/v1/exchangeInfo":
            return None
        self.listings += 1
        listing = [
            {"symbol": name, "status": status, "baseAsset": "?"} for name, status in self.symbols.items()
        ]
        body = json.dumps({"timezone": "UTC", "symbols": listing}).encode()
        headers = Headers({"Content-Length": str(len(body)), "Connection": "close", **self.rest_headers})
        return Response(self.rest_status, self.rest_status.phrase, headers, body)


def _names_another(frame: str, asked: list[str]) -> bool:
    found = re.match(r'{"stream": "([^"]+)"', frame)
    return found is not None and found[1] not in asked


@asynccontextmanager
async def fake_venue(**symbols: str) -> AsyncIterator[FakeVenue]:
    """Yield a listening venue; without `symbols` it trades BTCUSDT and ETHUSDT."""
    venue = FakeVenue(symbols or {"BTCUSDT": "TRADING", "ETHUSDT": "TRADING"})
    async with serve(venue.listen, "127.0.0.1", 0, process_request=venue.answer) as server:
        venue.port = next(iter(server.sockets)).getsockname()[1]
        yield venue
