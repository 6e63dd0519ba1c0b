"""Replay of a file that is still being written, up to where its writer stops."""

import asyncio
import math
import os
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from services.contracts.messages import Tick
from services.ingest.feed import Item, Rejected
from services.ingest.feeds.pace import Pace
from services.ingest.feeds.recordings.writer import create
from services.ingest.feeds.replay import ReplayFeed
from tests.fixtures.replay_files import KINDS, PACKINGS, START_US, SYMBOL, Kind, Packing, frame

FRAMES = KINDS[0]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Expect a writer to write every half second."""
    monkeypatch.setattr("services.ingest.feeds.file_growth.STOPPED_S", 0.5)
    monkeypatch.setattr("services.ingest.feeds.replay.LOOK_AGAIN_S", 0.01)


async def replayed(path: Path, hear: Callable[[Item], None] = lambda _: None) -> list[Item]:
    feed = ReplayFeed(path, (SYMBOL,), Pace(math.inf))
    await feed.check()
    items: list[Item] = []
    async for item in feed.stream():
        items.append(item)
        hear(item)
    return items


def ids(items: list[Item]) -> list[int]:
    return [item.trade_id for item in items if isinstance(item, Tick)]


def append(path: Path, part: bytes) -> None:
    with path.open("ab") as file:
        file.write(part)


def age(path: Path) -> None:
    """Have a file be as if it had been written long ago."""
    os.utime(path, (1_700_000_000, 1_700_000_000))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_part_comes_before_the_next_is_written_and_no_line_is_torn(tmp_path: Path, kind: Kind) -> None:
    content = kind.content(range(1, 1_001))
    # In the middle of a line, each of them.
    places = [0, len(content) // 3 + 1, len(content) // 2 + 2, len(content) - 3, len(content)]
    first, *parts = [content[low:high] for low, high in pairwise(places)]
    path = tmp_path / kind.name
    path.write_bytes(first)
    written = first
    expected = len(kind.ids_in(written, range(1, 1_001))[0])
    came = 0

    def hear(item: Item) -> None:
        nonlocal written, expected, came
        came += isinstance(item, Tick)
        if came == expected and parts:
            part = parts.pop(0)
            append(path, part)
            written += part
            expected = len(kind.ids_in(written, range(1, 1_001))[0])

    items = asyncio.run(replayed(path, hear))
    assert not parts
    assert ids(items) == list(range(1, 1_001))
    assert not [item for item in items if isinstance(item, Rejected)]
    assert "cut off" not in str(items[-1])


@pytest.mark.parametrize("packing", PACKINGS[1:], ids=lambda packing: packing.name)
def test_a_packed_file_that_is_being_copied(tmp_path: Path, packing: Packing) -> None:
    content = FRAMES.content(range(1, 3_001))
    packed = packing.pack(content)
    step = len(packed) // 5
    parts = [packed[low : low + step] for low in range(0, len(packed), step)]
    path = tmp_path / "frames"
    path.write_bytes(parts.pop(0))
    came = 0

    def hear(item: Item) -> None:
        nonlocal came
        came += isinstance(item, Tick)
        if came % 300 == 0 and parts:
            append(path, parts.pop(0))

    items = asyncio.run(replayed(path, hear))
    assert ids(items) == list(range(1, 3_001))
    assert isinstance(items[-1], Tick)


@pytest.mark.parametrize("name", ["frames", "frames.gz"])
def test_what_a_recorder_writes_meanwhile_is_replayed(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    begun, heard = threading.Event(), threading.Event()

    def record() -> None:
        with create(path) as writer:
            for number in range(1, 2_001):
                line = frame(number)
                writer.frame(line.partition(b": ")[2].rstrip(), START_US + number * 1000)
                if number % 100 == 0:
                    writer.flush()
                    begun.set()
                    if number == 1_000:
                        assert heard.wait(20)

    recorder = threading.Thread(target=record)
    recorder.start()
    try:
        assert begun.wait(20)
        items = asyncio.run(replayed(path, lambda item: heard.set() if isinstance(item, Tick) else None))
    finally:
        heard.set()
        recorder.join()
    assert ids(items) == list(range(1, 2_001))
    assert not [item for item in items if isinstance(item, Rejected)]
    assert "cut off" not in str(items[-1])


def test_another_file_waits_for_what_may_still_be_written_before_it(tmp_path: Path) -> None:
    growing, whole = tmp_path / "growing", tmp_path / "whole"
    growing.write_bytes(FRAMES.content([1, 2]))
    whole.write_bytes(FRAMES.content([7, 9]))
    age(whole)
    parts = [frame(5), frame(8)]

    def hear(item: Item) -> None:
        if isinstance(item, Tick) and item.trade_id in (2, 5):
            append(growing, parts.pop(0))

    items = asyncio.run(replayed(Path(f"{growing},{whole}"), hear))
    assert ids(items) == [1, 2, 5, 7, 8, 9]


def test_a_half_line_at_which_the_writer_stops_is_said_once(tmp_path: Path) -> None:
    path = tmp_path / "frames"
    path.write_bytes(FRAMES.content([1, 2]) + frame(3)[:-9])
    items = asyncio.run(replayed(path))
    assert ids(items) == [1, 2]
    assert [item.raw for item in items if isinstance(item, Rejected)] == [frame(3)[:-9]]
    assert str(items[-1]).count("expected a whole line") == 1


@pytest.mark.parametrize("packing", PACKINGS, ids=lambda packing: packing.name)
@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_whole_file_of_long_ago_ends_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packing: Packing, end: bytes
) -> None:
    monkeypatch.setattr("services.ingest.feeds.file_growth.STOPPED_S", 3600.0)
    for kind in KINDS:
        path = tmp_path / kind.name
        path.write_bytes(packing.pack(kind.content(range(1, 10)).rstrip(b"\n") + end))
        age(path)
        began_s = time.monotonic()
        assert ids(asyncio.run(replayed(path))) == list(range(1, 10))
        assert time.monotonic() - began_s < 5


@pytest.mark.parametrize("damaged", [False, True])
def test_what_cannot_grow_ends_at_once_however_new_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damaged: bool
) -> None:
    monkeypatch.setattr("services.ingest.feeds.file_growth.STOPPED_S", 3600.0)
    path = tmp_path / "frames"
    _, gz, zipped = PACKINGS
    content = FRAMES.content(range(1, 10))
    path.write_bytes(gz.pack(content) + b"no gz" if damaged else zipped.pack(content))
    began_s = time.monotonic()
    items = asyncio.run(replayed(path))
    assert ids(items) == list(range(1, 10))
    assert ("the packed data are damaged" in str(items[-1])) == damaged
    assert time.monotonic() - began_s < 5


def test_a_cancelled_replay_does_not_wait_for_the_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.feeds.file_growth.STOPPED_S", 3600.0)
    path = tmp_path / "frames"
    path.write_bytes(FRAMES.content([1, 2]))

    async def run() -> None:
        heard = asyncio.Event()
        task = asyncio.create_task(
            replayed(path, lambda item: heard.set() if isinstance(item, Tick) else None)
        )
        await heard.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    began_s = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - began_s < 5
