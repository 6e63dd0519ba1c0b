"""Proxy to the broker that can be slow, stuck or gone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_HOST = b"127.0.0.1"


class Proxy:
    """Passes Kafka's bytes between clients and one broker on loopback.

    Clients go where the broker says it is, so its port is replaced by the proxy's in what it answers.
    """

    def __init__(self, broker: str) -> None:
        self._port = int(broker.rpartition(":")[2])
        self._open = asyncio.Event()
        self._open.set()
        self._delay_s = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def address(self) -> str:
        """Where clients find it."""
        return f"127.0.0.1:{self.port}"

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Pass bytes until the block ends."""
        await self._listen()
        try:
            yield
        finally:
            await self._stop()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def stall(self, seconds: float) -> None:
        """Pass nothing for a while; what is sent meanwhile waits."""
        self._open.clear()
        await asyncio.sleep(seconds)
        self._open.set()

    async def slow(self, seconds: float, delay_s: float) -> None:
        """Hold every answer back for `delay_s`."""
        self._delay_s = delay_s
        await asyncio.sleep(seconds)
        self._delay_s = 0.0

    async def be_away(self, seconds: float) -> None:
        """Cut every connection, and refuse new ones for a while."""
        await self._stop()
        await asyncio.sleep(seconds)
        await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.transport.abort()
            return
        self._tasks.add(task)
        self._writers |= {writer, back}
        try:
            await asyncio.gather(self._requests(reader, back), self._answers(there, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            for one in {writer, back}:
                self._writers.discard(one)
                with contextlib.suppress(RuntimeError):
                    one.transport.abort()

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(1 << 16):
            await self._open.wait()
            writer.write(chunk)
            await writer.drain()
        raise ConnectionResetError

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        broker, proxy = (_HOST + port.to_bytes(4, "big") for port in (self._port, self.port))
        while True:
            length = await reader.readexactly(4)
            answer = await reader.readexactly(int.from_bytes(length, "big"))
            await self._open.wait()
            if self._delay_s:
                await asyncio.sleep(self._delay_s)
            writer.write(length + answer.replace(broker, proxy))
            await writer.drain()
