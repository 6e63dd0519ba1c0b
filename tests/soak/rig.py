"""Rig: ingest between a fake venue and the embedded broker, each a process, with a checker at the end."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NoReturn

import msgspec
import psutil
import psycopg

from tests.fake_venue.__main__ import Ready
from tests.fake_venue.control import Control
from tests.fake_venue.faults import Calm, Fault
from tests.fake_venue.rest import now_ms
from tests.soak.checker import Checker
from tests.soak.processes import Service, helper
from tests.soak.proxy import Proxy
from tests.soak.reader import read

_SETTLE_S = 0.5
# What a process had taken from the venue and not yet delivered when it died is not older than this.
_BEFORE_MS = 5_000
NO_DATABASE = "postgresql://nobody@127.0.0.1:1/none"


class Rig:
    """Everything that runs, and what can be done to it."""

    def __init__(
        self, ready: Ready, proxy: Proxy, ingest: Service, checker: Checker, reading: asyncio.Task[NoReturn]
    ) -> None:
        self.venue = Control(ready.control)
        self.proxy = proxy
        self.ingest = ingest
        self.starts: list[range] = []
        self.restarting = False
        self.checker = checker
        self._reading = reading

    async def inject(self, fault: Fault) -> None:
        """Let the venue do wrong."""
        await self.venue.inject(fault)

    async def restart(self, away_s: float = 1.0) -> None:
        """Kill ingest, start it again a while later, and return when it is live."""
        self.restarting, killed_ms = True, now_ms()
        await self.ingest.kill()
        await asyncio.sleep(away_s)
        await self.ingest.start()
        self.restarting = False
        await self.wait_until_live(killed_ms)

    async def wait_until_live(self, since_ms: int = 0, within_s: float = 60) -> None:
        """Return as soon as the ingest that was started since then reads its streams.

        What these missed until then, the history may have brought before anyone could notice.
        """
        await self.wait(lambda: self._is_live(since_ms), within_s)
        assert self._is_live(since_ms), f"expected ingest to be live within {within_s} s: {self.tail()}"
        self.starts.append(range(since_ms - _BEFORE_MS, now_ms()))

    def _is_live(self, since_ms: int) -> bool:
        beat = self.checker.heartbeat
        if beat is None or beat.started_us <= 1000 * since_ms:
            return False
        return beat.state != "starting" and beat.filling is None

    @property
    def state(self) -> str | None:
        """What ingest says of itself."""
        beat = self.checker.heartbeat
        return None if beat is None else beat.state

    def rss(self) -> int:
        """Return ingest's resident memory in bytes."""
        return int(psutil.Process(self.ingest.pid).memory_info().rss)

    async def wait_until_stored(self, url: str, within_s: float = 20) -> None:
        """Return as soon as the sink has entered every gap that is on the topic."""

        def stored() -> bool:
            with psycopg.connect(url) as connection:
                [(gaps,)] = connection.execute("SELECT count(*) FROM gaps")
            return bool(gaps >= len(self.checker.gaps))

        await self.wait(stored, within_s)

    def is_well(self) -> None:
        """Return if ingest and the reader run; AssertionError otherwise."""
        assert self.ingest.returncode is None, f"ingest ended with {self.ingest.returncode}: {self.tail()}"
        if self._reading.done():
            self._reading.result()

    async def settle(self, within_s: float) -> list[str]:
        """Calm the venue, let ingest catch up and close its gaps, and return the checker's complaints."""
        await self.inject(Calm())
        await asyncio.sleep(_SETTLE_S)
        state = await self.venue.state()
        heads: dict[str, int] = state["heads"]
        holes = {symbol: [range(*hole) for hole in pairs] for symbol, pairs in state["holes"].items()}
        await self.wait(
            lambda: (
                all(
                    self.checker.seen[symbol].times(last) or _in(holes[symbol], last)
                    for symbol, last in heads.items()
                )
                and not self.checker.open_gaps(heads)
                and not any(self.checker.lacks(heads, holes).values())
                and not self.checker.uncovered()
            ),
            within_s,
        )
        complaints = self.checker.complaints(heads, holes, state["lost"], self.starts)
        return complaints + [f"the venue's rules were broken: {one}" for one in state["violations"]]

    async def wait(self, condition: Callable[[], bool], within_s: float) -> None:
        """Return when a condition holds, or when it has not for too long: the checker says what is wrong then."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline and not condition():
            self.is_well()
            await asyncio.sleep(0.25)

    async def watch(self, seconds: float) -> None:
        """Let time pass; AssertionError if something ends meanwhile."""
        await self.wait(lambda: False, seconds)

    def tail(self, lines: int = 20) -> str:
        """Return the end of ingest's log."""
        return "\n".join(self.ingest.log.read_text(errors="replace").splitlines()[-lines:])


@asynccontextmanager
async def rig(
    rates: Mapping[str, float], environment: Mapping[str, str], database_url: str | None = None
) -> AsyncIterator[Rig]:
    """Yield a running rig; with a database there is a sink too, so that a restart knows what is stored."""
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pairstream-soak-")))
        broker = (await stack.enter_async_context(helper("tests.soak.broker"))).decode().strip()
        proxy = Proxy(broker)
        await stack.enter_async_context(proxy.listening())
        arguments = [f"{symbol}={rate:g}" for symbol, rate in rates.items()]
        line = await stack.enter_async_context(helper("tests.fake_venue", *arguments))
        ready = msgspec.json.decode(line, type=Ready)
        shared = {
            "PAIRSTREAM_LOG_FORMAT": "json",
            "PAIRSTREAM_SYMBOLS": ",".join(rates),
            "PAIRSTREAM_PAIRS": "-".join(list(rates)[:2]),
            "PAIRSTREAM_FETCH_MAX_WAIT_MS": "40",
            "PAIRSTREAM_DATABASE_URL": database_url or NO_DATABASE,
        }
        if database_url is not None:
            sink = Service("sink", {**shared, "PAIRSTREAM_BROKERS": broker}, directory / "sink.log")
            stack.push_async_callback(sink.stop)
            await sink.start()
        venue = {
            "PAIRSTREAM_FEED": "live",
            "PAIRSTREAM_BROKERS": proxy.address,
            "PAIRSTREAM_BINANCE_WS_URL": f"ws://127.0.0.1:{ready.port}",
            "PAIRSTREAM_BINANCE_REST_URL": f"http://127.0.0.1:{ready.port}",
        }
        ingest = Service("ingest", {**shared, **venue, **environment}, directory / "ingest.log")
        checker = Checker(ready.market)
        reading = asyncio.create_task(read(broker, checker))
        stack.push_async_callback(_cancel, reading)
        running = Rig(ready, proxy, ingest, checker, reading)
        stack.push_async_callback(ingest.stop)
        await ingest.start()
        yield running


async def _cancel(task: asyncio.Task[NoReturn]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _in(holes: list[range], trade_id: int) -> bool:
    return any(trade_id in hole for hole in holes)
