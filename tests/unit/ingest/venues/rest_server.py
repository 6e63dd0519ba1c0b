"""HTTP server on a real socket for the tests of `Rest`, and a clock that passes only while a task sleeps."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from services.ingest.venues.request_budget import Budget
from services.ingest.venues.rest import Rest

BUDGET = Budget(limit=100, period_s=60, header="X-Used", weights={"/heavy": 20})


class Clock:
    """Passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds


class Server:
    """Answers every request with `answer`, and notes what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer = http(b"[]")
        self.port = 0
        self.stalls = False
        self.drips = False
        self.speaks_first = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.speaks_first:
                writer.write(b"no TLS here")
                return
            head = await reader.readuntil(b"\r\n\r\n")
            self.asked.append(head.split(b" ")[1].decode())
            writer.write(self.answer)
            await writer.drain()
            while self.drips:
                writer.write(b" ")
                await asyncio.sleep(0.02)
                await writer.drain()
            if self.stalls:
                await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def http(body: bytes, status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[tuple[Server, Rest, Clock]]:
    stub, clock = Server(), Clock()
    async with await asyncio.start_server(stub.serve, "127.0.0.1", 0) as listening:
        stub.port = listening.sockets[0].getsockname()[1]
        url = options.pop("url", f"http://127.0.0.1:{stub.port}")
        async with Rest(url, BUDGET, now_s=clock, sleep=clock.sleep, **options) as rest:
            yield stub, rest, clock


def run(scenario: Callable[..., Awaitable[None]], **options: Any) -> None:
    async def body() -> None:
        async with serving(**options) as parts:
            await scenario(*parts)

    asyncio.run(body())
