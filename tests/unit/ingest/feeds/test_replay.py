"""A recording played back."""

import asyncio
import gzip
import math
import os
import re
from pathlib import Path

import pytest

from services.common.clock import SECOND
from services.common.messages import Tick, encode
from services.ingest.feeds.feed import SKIPPED, Item, Rejected, Status
from services.ingest.feeds.pace import Pace
from services.ingest.feeds.replay import ReplayFeed
from tests.fixtures.recorded_frames import PATH, SECONDS
from tests.unit.ingest.fake_clock import FakeClock


def play(path: Path, symbols: tuple[str, ...], speed: float = math.inf) -> tuple[list[Item], FakeClock]:
    clock = FakeClock()

    async def run() -> list[Item]:
        feed = ReplayFeed(path, symbols, Pace(speed, clock.now_us, clock.sleep))
        await feed.check()
        return [item async for item in feed.stream()]

    return asyncio.run(run()), clock


def ticks(items: list[Item]) -> list[Tick]:
    return [item for item in items if isinstance(item, Tick)]


def test_every_trade_of_the_chosen_symbols_comes_once_and_in_order() -> None:
    items, _ = play(PATH, ("BTCUSDT", "SOLUSDT"))
    text = PATH.read_text()
    for symbol in ("BTCUSDT", "SOLUSDT"):
        recorded = re.findall(rf'"a":(\d+),"s":"{symbol}","p":"([0-9.]+)"', text)
        played = [(tick.trade_id, tick.price) for tick in ticks(items) if tick.symbol == symbol]
        assert played == [(int(trade_id), float(price)) for trade_id, price in recorded]
    assert {tick.symbol for tick in ticks(items)} == {"BTCUSDT", "SOLUSDT"}
    # ETHUSDT, the book updates and the acknowledgement.
    assert items.count(SKIPPED) == 139 + 39 + 1
    assert items[0] == Status("running")


def test_gz_is_the_same(tmp_path: Path) -> None:
    packed = tmp_path / "frames.gz"
    packed.write_bytes(gzip.compress(PATH.read_bytes()))
    strip = [(tick.symbol, tick.trade_id) for tick in ticks(play(PATH, ("ETHUSDT",))[0])]
    assert [(tick.symbol, tick.trade_id) for tick in ticks(play(packed, ("ETHUSDT",))[0])] == strip


@pytest.mark.parametrize("speed", [1.0, 30.0])
def test_pace_follows_the_receipt_times(speed: float) -> None:
    items, clock = play(PATH, ("BTCUSDT",), speed)
    assert sum(clock.slept) == pytest.approx(SECONDS / speed, rel=0.01)
    played = ticks(items)
    start = FakeClock().now
    for tick in played:
        # Received now, which is as long after the start as it was then; 40 to 95 ms after the trade.
        then = tick.event_us - 1_750_000_000 * SECOND
        assert 0.040 * SECOND <= (tick.received_us - start) * speed - then <= 0.0951 * SECOND
    assert play(PATH, ("BTCUSDT",))[1].now == start


def test_damaged_lines_are_rejected_with_their_place(tmp_path: Path) -> None:
    lines = PATH.read_bytes().splitlines(keepends=True)
    path = tmp_path / "damaged.txt"
    path.write_bytes(b"".join([*lines[:2], b'1750000000.01: {"stream"\r\n', b"noise\n", *lines[2:]]))
    items, _ = play(path, ("BTCUSDT",))
    rejected = [item for item in items if isinstance(item, Rejected)]
    assert [(item.raw, item.origin) for item in rejected] == [
        (b'1750000000.01: {"stream"', f"{path}:3"),
        (b"noise", f"{path}:4"),
    ]
    assert len(ticks(items)) == 144


def test_ndjson_keeps_the_tick_and_takes_the_receipt_time_as_pace(tmp_path: Path) -> None:
    recorded = [
        Tick(
            venue="elsewhere",
            symbol="BTCUSDT",
            trade_id=number,
            event_us=number,
            received_us=number * 2 * SECOND,
            price=1.5,
            size=2.5,
            buyer_is_maker=True,
        )
        for number in range(1, 4)
    ]
    path = tmp_path / "ticks.ndjson"
    path.write_bytes(b"\n".join([*map(encode, recorded), b"{}", b""]))
    items, clock = play(path, ("BTCUSDT",), 2.0)
    assert clock.slept == [1.0, 1.0]
    assert [(tick.venue, tick.event_us) for tick in ticks(items)] == [("elsewhere", n) for n in (1, 2, 3)]
    assert [tick.received_us - FakeClock().now for tick in ticks(items)] == [0, SECOND, 2 * SECOND]
    assert [item.origin for item in items if isinstance(item, Rejected)] == [f"{path}:4"]


@pytest.mark.skipif(
    "PAIRSTREAM_TEST_RECORDING" not in os.environ,
    reason="PAIRSTREAM_TEST_RECORDING does not name a file of frames recorded from the venue",
)
def test_every_trade_of_frames_recorded_from_the_venue() -> None:
    path = Path(os.environ["PAIRSTREAM_TEST_RECORDING"])
    recorded = re.findall(r'"e":"aggTrade".*?"a":(\d+),"s":"(\w+)","p":"([0-9.]+)"', path.read_text())
    items, _ = play(path, tuple({symbol for _, symbol, _ in recorded}))
    played = [(tick.trade_id, tick.symbol, tick.price) for tick in ticks(items)]
    assert played == [(int(trade_id), symbol, float(price)) for trade_id, symbol, price in recorded]
    assert not [item for item in items if isinstance(item, Rejected)]
