"""Subscriber: one WebSocket connection to the venue, its route, its streams, and frames still to send."""

import asyncio
import json
import re
import time
from collections import deque
from collections.abc import Callable, Iterable
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from tests.fake_venue.frames import Frame, Frames

MESSAGES_PER_SECOND = 10
STREAMS = 1024
_BACKLOG = 100_000
_POLICY_VIOLATION = 1008

# Streams of another route are acknowledged, and then nothing comes.
_MARKET = re.compile(r"@(aggTrade|markPrice(@1s)?|forceOrder)$")
_PUBLIC = re.compile(r"@bookTicker$")


class Subscriber:
    """Takes SUBSCRIBE and UNSUBSCRIBE, and sends what it is given in order without holding up the others."""

    def __init__(self, connection: ServerConnection, violations: list[str]) -> None:
        """Read route and streams from the address; broken rules are noted in `violations`."""
        assert connection.request is not None
        url = urlsplit(connection.request.path)
        self.connection = connection
        self.combined = url.path.endswith("/stream")
        self.route = url.path.strip("/").split("/")[0]
        self.silent: set[str] = set()
        self.delay_s = 0.0
        named = (
            parse_qs(url.query).get("streams", [""])[0] if self.combined else url.path.partition("/ws/")[2]
        )
        self.streams = set(filter(None, named.split("/")))
        self._violations = violations
        self._waiting: deque[tuple[float, Frame]] = deque()
        self._more = asyncio.Event()
        self._asked: deque[float] = deque(maxlen=MESSAGES_PER_SECOND + 1)
        self._check_streams()

    def gets(self, stream: str) -> bool:
        """Tell whether frames of a stream go out here."""
        route = _MARKET if self.route == "market" else _PUBLIC
        return stream in self.streams and stream not in self.silent and route.search(stream) is not None

    def streams_of(self, symbols: Iterable[str]) -> set[str]:
        """Return the streams of these symbols that go out here."""
        wanted = {symbol.lower() for symbol in symbols}
        return {stream for stream in self.streams if stream.partition("@")[0] in wanted}

    def publish(self, frames: Iterable[Frames]) -> None:
        """Send frames in the form this connection has asked for."""
        for combined, raw in frames:
            self.send(combined if self.combined else raw)

    def send(self, frame: Frame) -> None:
        """Let a frame go out after those before it; a client that does not read is thrown out."""
        self._waiting.append((time.monotonic() + self.delay_s, frame))
        self._more.set()
        if len(self._waiting) > _BACKLOG:
            self._violations.append("the client did not read")
            self.connection.transport.abort()

    async def send_all(self) -> None:
        """Send until the connection ends."""
        try:
            while True:
                while self._waiting:
                    due, frame = self._waiting[0]
                    if (wait_s := due - time.monotonic()) > 0:
                        await asyncio.sleep(wait_s)
                    self._waiting.popleft()
                    await self.connection.send(frame)
                self._more.clear()
                await self._more.wait()
        except ConnectionClosed:
            return

    async def obey_all(self, obeyed: Callable[[], None]) -> None:
        """Do what the client's messages say until the connection ends, calling `obeyed` after each."""
        try:
            async for message in self.connection:
                self._asked.append(time.monotonic())
                if len(self._asked) > MESSAGES_PER_SECOND and self._asked[-1] - self._asked[0] < 1:
                    self._violations.append("more than 10 messages a second")
                    await self.connection.close(_POLICY_VIOLATION, "Too many requests")
                    return
                self._obey(message)
                obeyed()
        except ConnectionClosed:
            return

    def _obey(self, message: str | bytes) -> None:
        try:
            request = json.loads(message)
            method, names = request["method"], set(request.get("params", ()))
        except (ValueError, KeyError, TypeError):
            self._violations.append(f"unreadable request {message[:80]!r}")
            self.send(json.dumps({"error": {"code": 2, "msg": "Invalid request"}}))
            return
        match method:
            case "SUBSCRIBE":
                self.streams |= names
                self.silent -= names
                self._check_streams()
            case "UNSUBSCRIBE":
                self.streams -= names
            case _:
                self._violations.append(f"unknown method {method}")
        self.send(json.dumps({"result": None, "id": request.get("id")}))

    def _check_streams(self) -> None:
        if len(self.streams) > STREAMS:
            self._violations.append(f"{len(self.streams)} streams on one connection")
