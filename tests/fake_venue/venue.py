"""Fake venue: correct until a test tells it otherwise."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests.fake_venue import extras, faults
from tests.fake_venue.book import Book
from tests.fake_venue.faults import Fault
from tests.fake_venue.frames import Frames, frames, trade_stream
from tests.fake_venue.listener import Listener
from tests.fake_venue.market import Market
from tests.fake_venue.on_connect import is_for
from tests.fake_venue.rest import Rest, now_ms
from tests.fake_venue.subscriber import Subscriber
from tests.fake_venue.tampering import Tampering

_STEP_S = 0.01
_BEGUN_FRAME = b"\x81\x7e\x04\x00" + b'{"stream":"btcusdt@aggTr'


class FakeVenue:
    """Trades by itself where the market has rates; where it has none, a test tells it each trade."""

    def __init__(self, symbols: dict[str, str], market: Market | None = None) -> None:
        """`symbols` maps names to statuses, as exchangeInfo gives them."""
        self.violations: list[str] = []
        """The venue's rules that its client has broken."""
        self.book = Book(symbols, market or Market({}, now_ms()))
        self.rest = Rest(symbols, self.book, self.violations)
        self.listener = Listener(self.rest, self.violations)
        self.listener.greets = market is None
        self.tampering = {symbol: Tampering() for symbol in symbols}
        self._silent_until_ms: dict[str, float] = {}
        self._delay_s = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def symbols(self) -> dict[str, str]:
        """The symbols with their statuses."""
        return self.rest.symbols

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.listener.port

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that lead ingest here."""
        return {
            "PAIRSTREAM_BINANCE_WS_URL": f"ws://127.0.0.1:{self.port}",
            "PAIRSTREAM_BINANCE_REST_URL": f"http://127.0.0.1:{self.port}",
        }

    @property
    def listings(self) -> int:
        """How often the symbols were asked for."""
        return self.rest.listings

    @property
    def connections(self) -> int:
        """How many connections of the right route there have been."""
        return self.listener.connections

    @property
    def on_connect(self) -> list[str]:
        """Frames that every new connection gets, as soon as it has their stream."""
        return self.listener.on_connect

    @on_connect.setter
    def on_connect(self, frames: list[str]) -> None:
        self.listener.on_connect = frames

    @property
    def rest_status(self) -> int:
        """What REST answers, while it is set to something else than 200."""
        return self.listener.status

    @rest_status.setter
    def rest_status(self, status: int) -> None:
        self.listener.status = status

    @property
    def rest_headers(self) -> dict[str, str]:
        """Headers that go with every answer of REST."""
        return self.listener.headers

    @rest_headers.setter
    def rest_headers(self, headers: dict[str, str]) -> None:
        self.listener.headers = headers

    def enlist(self, symbol: str, rate: float = 0, status: str = "TRADING") -> None:
        """Begin to list a symbol; with a rate it has traded since the market began."""
        self.symbols[symbol] = status
        self.book.open(symbol, rate)
        self.tampering.setdefault(symbol, Tampering())

    def delist(self, symbol: str, status: str | None = None) -> None:
        """End the trade of a symbol: it is listed with that status, or not at all."""
        self.book.market.rates.pop(symbol, None)
        del self.symbols[symbol]
        if status is not None:
            self.symbols[symbol] = status

    def rename(self, old: str, new: str) -> None:
        """List a symbol by another name, under which its trades begin anew."""
        rate = self.book.market.rates.get(old, 0)
        self.delist(old)
        self.enlist(new, rate)

    def trade(self, symbol: str, price: str = "100.5", time_ms: int = 1_750_000_000_000) -> str:
        """Make one more trade of a symbol without a rate, known to REST, and return its frame."""
        trade = self.book.tell(symbol, price, time_ms)
        return str(frames(trade_stream(symbol), trade.frame(time_ms + 5)).combined)

    def say(self, frame: str) -> None:
        """Send a frame, as it is, to every connection that has its stream."""
        for subscriber in self.listener.open:
            if is_for(subscriber, frame):
                subscriber.send(frame)

    def drop(self) -> None:
        """Cut every connection without a word."""
        self.inject(faults.Drop())

    def state(self) -> dict[str, Any]:
        """Return what a checker wants to know, fit for JSON."""
        now = now_ms()
        return {
            "heads": {symbol: self.book.market.head(symbol, now) for symbol in self.book.market.rates},
            "holes": {
                symbol: [(hole.start, hole.stop) for hole in holes]
                for symbol, holes in self.book.holes.items()
            },
            "lost": {symbol: one.lost for symbol, one in self.tampering.items()},
            "damaged": sum(one.damaged_frames for one in self.tampering.values()),
            "connections": self.connections,
            "open": len(self.listener.open),
            "requests": self.rest.requests,
            "peak_weight": self.rest.peak_weight,
            "violations": self.violations,
        }

    def inject(self, fault: Fault) -> None:
        """Do wrong from now on."""
        match fault:
            case faults.Drop():
                for subscriber in self._carrying(fault.symbol):
                    self._do(_end(subscriber, fault))
            case faults.Silence(seconds=None):
                for subscriber in self._carrying(fault.symbol):
                    subscriber.silent |= subscriber.streams_of(self._concerned(fault.symbol))
            case faults.Silence():
                until_ms = now_ms() + 1000 * (fault.seconds or 0)
                self._silent_until_ms |= dict.fromkeys(self._concerned(fault.symbol), until_ms)
            case faults.Jump():
                for symbol in self._concerned(fault.symbol):
                    self.book.jump(symbol, fault.count, now_ms())
            case faults.Refuse():
                self._do(self.listener.refuse(fault.seconds))
            case faults.RefuseUpgrade():
                self.listener.refused_upgrades += [fault] * fault.count
            case faults.Rest():
                self.listener.rest_faults += [fault] * fault.count
            case faults.Deaf():
                for subscriber in self.listener.open:
                    subscriber.connection.transport.pause_reading()
            case faults.Slow():
                self._delay_s = fault.delay_s
            case faults.Calm():
                self._calm()
            case _:
                for symbol in self._concerned(fault.symbol):
                    self.tampering[symbol].begin(fault)

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator[None]:
        """Listen and trade until the block ends, on a free port if it is 0."""
        async with self.listener.listening(port):
            self._do(self._trade_on())
            try:
                yield
            finally:
                for task in self._tasks:
                    task.cancel()
                for ended in await asyncio.gather(*self._tasks, return_exceptions=True):
                    if isinstance(ended, Exception):
                        raise ended

    async def _trade_on(self) -> None:
        """Send the market's trades as they happen, for ever."""
        second = 0
        while True:
            now = now_ms()
            for symbol in [*self.book.market.rates]:
                trades = self.tampering[symbol].frames(self.book.take(symbol, now), now)
                self._publish(symbol, trade_stream(symbol), trades)
            if now // 1000 != second:
                second = now // 1000
                for symbol in self.book.market.rates:
                    for stream, sent in extras.second(self.book.market, symbol, now):
                        self._publish(symbol, stream, [sent])
            await asyncio.sleep(_STEP_S)

    def _publish(self, symbol: str, stream: str, sent: Sequence[Frames]) -> None:
        if now_ms() < self._silent_until_ms.get(symbol, 0):
            return
        for subscriber in self.listener.open:
            if subscriber.gets(stream):
                subscriber.delay_s = self._delay_s
                subscriber.publish(sent)

    def _calm(self) -> None:
        self._delay_s = 0.0
        self._silent_until_ms.clear()
        self.listener.calm()
        for tampering in self.tampering.values():
            tampering.calm()

    def _concerned(self, symbol: str | None) -> list[str]:
        return [*self.symbols] if symbol is None else [symbol]

    def _carrying(self, symbol: str | None) -> list[Subscriber]:
        concerned = self._concerned(symbol)
        return [one for one in self.listener.open if one.streams_of(concerned)]

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        # What has failed is kept, and raised in the end.
        if task.cancelled() or task.exception() is None:
            self._tasks.discard(task)


async def _end(subscriber: Subscriber, fault: faults.Drop) -> None:
    connection = subscriber.connection
    if fault.half:
        connection.transport.write(_BEGUN_FRAME)
        connection.transport.close()
    elif fault.code is not None:
        await connection.close(fault.code, "a fault")
    else:
        connection.transport.abort()
