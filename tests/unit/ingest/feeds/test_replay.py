"""Replay of a recording."""

import asyncio
import gzip
import math
import os
import random
import re
from collections.abc import Collection, Iterable
from pathlib import Path

import pytest
from msgspec import structs

from services.common.clock import MINUTE, SECOND
from services.common.codec import encode
from services.common.errors import FatalError
from services.contracts.messages import DeliveryLag, Liquidation, MarkPrice, Quote, Tick
from services.ingest.feed import SKIPPED, FeedStatus, Item, Rejected, StreamKind
from services.ingest.feeds.pace import Pace
from services.ingest.feeds.replay import ReplayFeed
from tests import builders
from tests.fixtures.recorded_frames import PATH, SECONDS
from tests.unit.ingest.fake_clock import FakeClock

pytestmark = pytest.mark.usefixtures("_nobody_writes")


def play(
    path: Path, symbols: tuple[str, ...], speed: float = math.inf, streams: Collection[StreamKind] = ()
) -> tuple[list[Item], FakeClock]:
    clock = FakeClock()

    async def run() -> list[Item]:
        feed = ReplayFeed(path, symbols, Pace(speed, clock.now_us, clock.sleep), streams)
        await feed.check()
        published = Tick | Quote | MarkPrice | Liquidation
        return [feed.received(item) if isinstance(item, published) else item async for item in feed.stream()]

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
    assert items[0] == FeedStatus("running")


def test_the_symbols_of_a_recording_are_listed_chosen_or_not() -> None:
    listed = asyncio.run(ReplayFeed(PATH, ("BTCUSDT",), Pace(math.inf)).listing())
    assert [(one.symbol, one.venue) for one in listed] == [
        (symbol, "binance") for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    ]


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
        # Those of a moment come together.
        assert 0.040 * SECOND <= (tick.received_us - start) * speed - then <= 0.0951 * SECOND + 5_000 * speed
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
        builders.tick(
            venue="elsewhere",
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


OPTIONAL = (
    '{"e":"bookTicker","u":1,"E":1,"T":1750000000001,"s":"BTCUSDT","b":"1","B":"2","a":"3","A":"4"}',
    '{"e":"markPriceUpdate","E":1750000000002,"s":"BTCUSDT","p":"1","i":"2","P":"3","r":"0.1","T":1750000000003}',
    '{"e":"forceOrder","E":1,"o":{"s":"BTCUSDT","S":"SELL","q":"1","p":"2","ap":"3","T":1750000000004}}',
    '{"e":"bookTicker","u":1,"E":1,"T":1750000000001,"s":"ETHUSDT","b":"1","B":"2","a":"3","A":"4"}',
)


@pytest.mark.parametrize(
    ("streams", "kinds"),
    [
        ((), []),
        (("quotes",), [Quote]),
        (("liquidations", "mark-prices"), [MarkPrice, Liquidation]),
    ],
)
def test_optional_streams_are_replayed_if_they_are_wanted(
    tmp_path: Path, streams: tuple[StreamKind, ...], kinds: list[type]
) -> None:
    path = tmp_path / "frames"
    trade = '{"e":"aggTrade","a":1,"s":"BTCUSDT","p":"1","q":"1","T":1750000000000,"m":true}'
    path.write_text("".join(f"1750000001.25: {frame}\n" for frame in (trade, *OPTIONAL)))
    items, clock = play(path, ("BTCUSDT",), streams=streams)
    events = [item for item in items if isinstance(item, Quote | MarkPrice | Liquidation)]
    assert [type(event) for event in events] == kinds
    assert {event.received_us for event in events} <= {clock.now}
    assert items.count(SKIPPED) == len(OPTIONAL) - len(kinds)


def archive(directory: Path, symbol: str, rows: Iterable[tuple[int, int]], day: int = 1) -> Path:
    """Write rows of an id and a time in ms after the start."""
    path = directory / f"{symbol}-aggTrades-2024-01-{day:02}.csv"
    lines = (f"{trade_id},100.5,2,1,1,{1_704_067_200_000 + ms},true\n" for trade_id, ms in rows)
    path.write_text("".join(lines))
    return path


def test_archives_of_several_symbols_are_merged_by_time(tmp_path: Path) -> None:
    btc = archive(tmp_path, "BTCUSDT", [(2, 3000), (1, 1000)])
    archive(tmp_path, "BTCUSDT", [(3, 6000)], day=2)
    archive(tmp_path, "ETHUSDT", [(7, 2000), (8, 4000)])
    archive(tmp_path, "SOLUSDT", [(1, 2500)])
    items, clock = play(tmp_path, ("BTCUSDT", "ETHUSDT"), 2.0)
    assert [(tick.symbol, tick.trade_id) for tick in ticks(items)] == [
        ("BTCUSDT", 1),
        ("ETHUSDT", 7),
        ("BTCUSDT", 2),
        ("ETHUSDT", 8),
        ("BTCUSDT", 3),
    ]
    assert clock.slept == [0.5, 0.5, 0.5, 1.0]
    assert items[-1] == FeedStatus("running", "BTCUSDT: rows out of order: 1")
    named = Path(f"{btc},{tmp_path / 'ETHUSDT-aggTrades-2024-01-01.csv'}")
    assert len(ticks(play(named, ("BTCUSDT", "ETHUSDT"))[0])) == 4
    many = Path(",".join([str(btc), *[btc.name] * 200]))
    with pytest.raises(FatalError, match=f"^{btc.name}: .*No such file"):
        play(many, ("BTCUSDT",))


def test_what_an_archive_lacks_is_reported(tmp_path: Path) -> None:
    path = archive(tmp_path, "BTCUSDT", [(1, 0), (5, 1), (5, 2), (9, 3)])
    items, _ = play(path, ("BTCUSDT",))
    assert [item.origin for item in items if isinstance(item, Rejected)] == [f"{path}:3"]
    assert items[-1] == FeedStatus(
        "running", "BTCUSDT: conflicting rows rejected: 1, trade ids missing: 6, gaps: 2"
    )


@pytest.mark.parametrize("ahead", [1, 2, 3, 1000])
def test_what_a_recording_lacks_is_reported_however_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    monkeypatch.setattr("services.ingest.feeds.replay._AHEAD", ahead)
    path = tmp_path / "frames"
    frame = (
        '1750000001.25: {{"e":"aggTrade","a":{},"s":"BTCUSDT","p":"1","q":"1","T":1750000000000,"m":true}}\n'
    )
    path.write_text("".join(frame.format(one) for one in (1, 5, 5)))
    items, _ = play(path, ("BTCUSDT",))
    assert [tick.trade_id for tick in ticks(items)] == [1, 5]
    findings = f"{path}: duplicates dropped: 1, trade ids missing: 3, gaps: 1"
    assert items[-1] == FeedStatus("running", findings)


def test_a_symbol_that_no_file_has_is_named_beside_those_there_are(tmp_path: Path) -> None:
    archive(tmp_path, "ETHUSDT", [(1, 0)])
    complaint = r"no trades of ADAUSDT, XRPUSDT, only of BTCUSDT, ETHUSDT, SOLUSDT$"
    with pytest.raises(FatalError, match=complaint):
        play(Path(f"{PATH},{tmp_path}"), ("BTCUSDT", "ETHUSDT", "XRPUSDT", "ADAUSDT"))
    with pytest.raises(FatalError, match=r"no such.*No such file"):
        play(Path(f"{PATH},{tmp_path / 'no such'}"), ("BTCUSDT",))


def test_the_same_file_gives_the_same_bytes_at_any_speed(tmp_path: Path) -> None:
    def bytes_of(path: Path, speed: float) -> list[bytes]:
        played = ticks(play(path, ("BTCUSDT", "ETHUSDT"), speed)[0])
        return [encode(structs.replace(tick, received_us=0)) for tick in played]

    dice = random.Random(1)
    for symbol in ("BTCUSDT", "ETHUSDT"):
        archive(tmp_path, symbol, ((number, dice.randrange(9)) for number in range(500)))
    for path in (PATH, tmp_path):
        once = bytes_of(path, math.inf)
        assert len(once) > 250
        assert once == bytes_of(path, math.inf) == bytes_of(path, 7.5)


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


@pytest.mark.parametrize("speed", [1.0, 50.0, math.inf])
def test_the_delivery_lag_is_that_of_the_recording_at_any_speed(speed: float, tmp_path: Path) -> None:
    """One that was asked for afterwards has none, nor one of an archive, which does not say when it was received."""
    file, tape = tmp_path / "ticks.ndjson", ticks(play(PATH, ("BTCUSDT", "ETHUSDT"))[0])
    lags_us = {"BTCUSDT": 5_100_000, "ETHUSDT": 80_000}
    recorded = [structs.replace(one, received_us=one.event_us + lags_us[one.symbol]) for one in tape]
    late = [structs.replace(one, repaired=True, received_us=one.received_us + MINUTE) for one in recorded]
    unknown = [structs.replace(one, received_us=one.event_us) for one in recorded]
    clock = FakeClock()

    async def told(lines: list[Tick]) -> dict[str, DeliveryLag]:
        file.write_bytes(b"".join(encode(one) + b"\n" for one in lines))
        feed = ReplayFeed(file, tuple(lags_us), Pace(speed, clock.now_us, clock.sleep))
        async for _ in feed.stream():
            pass
        return feed.delivery.by_symbol()

    expected = {"BTCUSDT": DeliveryLag(5_100, 5_104, 5_104), "ETHUSDT": DeliveryLag(80, 80, 80)}
    assert asyncio.run(told(sorted(recorded, key=lambda one: one.received_us))) == expected
    assert asyncio.run(told(late)) == {}
    assert asyncio.run(told(unknown)) == {}
