"""``pairstream record`` as a process, against a fake venue; its recording is then replayed."""

import asyncio
import gzip
import math
import re
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import pairwise
from pathlib import Path
from time import time

import pytest
from msgspec import structs

from services.contracts.messages import Tick
from services.ingest.feed import DUPLICATE, Item, Rejected, StreamKind
from services.ingest.feeds.pace import Pace
from services.ingest.feeds.replay import ReplayFeed
from tests.child import child
from tests.fake_venue import FakeVenue, Market, fake_venue
from tests.fake_venue.faults import Mangle

pytestmark = pytest.mark.integration

SYMBOLS = ("BTCUSDT", "ETHUSDT")


@asynccontextmanager
async def trading() -> AsyncIterator[FakeVenue]:
    market = Market(dict.fromkeys(SYMBOLS, 300.0), round(time() * 1000) - 60_000)
    async with fake_venue(market) as venue:
        yield venue


def recorder(venue: FakeVenue, *flags: str | Path) -> AbstractAsyncContextManager[Process]:
    """Run ``pairstream record``."""
    environment = venue.environment | {"PAIRSTREAM_SYMBOLS": ",".join(SYMBOLS)}
    return child("services.cli", "record", *map(str, flags), **environment)


async def output(process: Process) -> tuple[str, str]:
    async with asyncio.timeout(60):
        out, error = await process.communicate()
    return out.decode(), error.decode()


async def until(process: Process, condition: Callable[[], bool]) -> None:
    """Wait for what happens while the process runs."""
    async with asyncio.timeout(60):
        while not condition():
            if process.returncode is not None:
                raise AssertionError((await output(process))[1])
            await asyncio.sleep(0.02)


@pytest.fixture(autouse=True)
def _recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is replayed is not written any more."""
    monkeypatch.setattr("services.ingest.feeds.file_growth.STOPPED_S", 0.0)


async def replayed(path: Path, *streams: StreamKind) -> list[Item]:
    feed = ReplayFeed(path, SYMBOLS, Pace(math.inf), streams)
    await feed.check()
    return [item async for item in feed.stream()]


def ids(items: list[Item], symbol: str) -> list[int]:
    return [item.trade_id for item in items if isinstance(item, Tick) and item.symbol == symbol]


def test_what_was_recorded_is_what_the_venue_sent(tmp_path: Path) -> None:
    path = tmp_path / "frames.ws.txt.gz"

    async def run() -> None:
        async with trading() as venue, recorder(venue, path, "--streams", "bookTicker,markPrice") as process:
            await until(process, lambda: venue.connections >= 1)
            head = venue.state()["heads"]["BTCUSDT"]
            await until(process, lambda: venue.state()["heads"]["BTCUSDT"] > head + 120)
            venue.inject(Mangle(damage="half", symbol="ETHUSDT"))
            head = venue.state()["heads"]["ETHUSDT"]
            await until(process, lambda: venue.state()["heads"]["ETHUSDT"] > head + 50)
            before, opened = venue.state()["heads"]["BTCUSDT"], venue.connections
            venue.drop()
            await until(process, lambda: venue.connections > opened)
            head = venue.state()["heads"]["BTCUSDT"]
            # More than a second, because mark prices come once in one.
            await until(process, lambda: venue.state()["heads"]["BTCUSDT"] > head + 330)
            process.send_signal(signal.SIGINT)
            out, error = await output(process)
            assert process.returncode == 0, error
            assert "Traceback" not in error
            last = venue.state()["heads"]["BTCUSDT"]

            text = gzip.decompress(path.read_bytes()).decode()
            assert text.endswith("\n")
            urls = [line for line in text.splitlines() if line.startswith("ws://")]
            assert all(re.fullmatch(r"ws://127\.0\.0\.1:\d+/\S+ <-> \d+\.\d{6}", line) for line in urls)
            assert sum("/market/" in url for url in urls) == 2
            assert f"{len(text.splitlines()) - len(urls):,} frames" in out

            items = await replayed(path, "quotes", "mark-prices")
            assert DUPLICATE not in items
            assert len([item for item in items if isinstance(item, Rejected)]) == 1
            seen = ids(items, "BTCUSDT")
            jumps = [(one, other) for one, other in pairwise(seen) if other != one + 1]
            assert len(jumps) == 1, "expected nothing to be missing but what was sent between two connections"
            # What is on its way is lost with the connection.
            assert jumps[0][0] >= before - 300
            assert head < seen[-1] <= last
            for tick in (item for item in items if isinstance(item, Tick)):
                told = venue.book.market.trade(tick.symbol, tick.trade_id).tick()
                assert structs.replace(tick, received_us=0) == told
            assert {type(item).__name__ for item in items} >= {"Tick", "Quote", "MarkPrice"}

    asyncio.run(run())


def test_it_ends_by_itself_and_never_writes_over_a_file_unless_told_to(tmp_path: Path) -> None:
    path = tmp_path / "frames"
    path.write_text("precious")

    async def run() -> None:
        async with trading() as venue:
            async with recorder(venue, path) as process:
                assert "expected a new file" in (await output(process))[1]
                assert process.returncode == 1
                assert path.read_text() == "precious"
                assert venue.listings == 0
            async with recorder(
                venue, path, "--force", "--duration", "3s", "--symbols", "BTCUSDT"
            ) as process:
                out, error = await output(process)
                assert process.returncode == 0, error
                assert re.fullmatch(r".*frames: [1-9]\d* frames, [0-9.]+ kB\n", out)
                assert ids(
                    [item async for item in ReplayFeed(path, ("BTCUSDT",), Pace(math.inf)).stream()],
                    "BTCUSDT",
                )

    asyncio.run(run())


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (("--symbols", "BTCUSTD"), "BTCUSTD"),
        (("--streams", "depth"), "PAIRSTREAM_STREAMS: "),
    ],
)
def test_what_cannot_be_recorded_is_one_line_and_no_file(
    tmp_path: Path, flags: tuple[str, ...], complaint: str
) -> None:
    path = tmp_path / "frames"

    async def run() -> None:
        async with trading() as venue, recorder(venue, path, *flags) as process:
            out, error = await output(process)
            assert process.returncode == 1
            assert complaint in error
            assert len(error.splitlines()) == 1
            assert not out
            assert not path.exists()

    asyncio.run(run())


def test_a_venue_that_never_answers_is_an_error_when_the_time_is_over(tmp_path: Path) -> None:
    path = tmp_path / "frames"

    async def run() -> None:
        async with trading() as venue:
            venue.rest_status = 503
            async with recorder(venue, path, "--duration", "1s") as process:
                _, error = await output(process)
            assert process.returncode == 1
            assert "expected frames within 1 s, received none, and wrote no file" in error.splitlines()[-1]
            async with recorder(venue, path) as process:
                asked = venue.listings
                await until(process, lambda: venue.listings > asked)
                process.send_signal(signal.SIGTERM)
                out, error = await output(process)
            assert (process.returncode, out) == (0, ""), error
            assert not path.exists()

    asyncio.run(run())
